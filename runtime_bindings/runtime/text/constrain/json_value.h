// JSON values, read from a text.
#ifndef LINNET_RUNTIME_CONSTRAIN_JSON_VALUE_H_
#define LINNET_RUNTIME_CONSTRAIN_JSON_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace linnet::constrain {

enum class JsonKind : std::uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

struct JsonValue {
  JsonKind kind = JsonKind::kNull;
  std::string text;                  // of a string, without escapes; of a number, as it was written
  std::vector<std::string> names;    // of an object
  std::vector<std::uint32_t> items;  // of an array, and the values of an object

  // Return the place of a member, or -1.
  std::ptrdiff_t find(std::string_view name) const noexcept;
};

// Values are numbered; the first one is the whole.
class JsonDocument {
 public:
  // Read a text. Throw LINNET_INVALID_ARGUMENT if it is no JSON, or has more than 1 MiB or 64 levels, or a
  // member twice.
  explicit JsonDocument(std::string_view text);

  const JsonValue& operator[](std::uint32_t value) const { return values_[value]; }

 private:
  friend class JsonReader;
  std::vector<JsonValue> values_;
};

}  // namespace linnet::constrain

#endif  // LINNET_RUNTIME_CONSTRAIN_JSON_VALUE_H_
