// The manifest: values of the program's constant methods, whoever read them.
#ifndef LINNET_RUNTIME_FILE_FIELDS_H_
#define LINNET_RUNTIME_FILE_FIELDS_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "linnet.h"

namespace linnet {

class Fields {
 public:
  // Keeps a value as it is: bytes and text are pointed at and must outlive this object.
  void point(const std::string& name, const linnet_value& value);
  // Keeps a copy of the value's bytes.
  void copy(const std::string& name, const linnet_value& value);

  // Null if there is no such field.
  const linnet_value* find(std::string_view name) const;
  // Names, one per line.
  const std::string& names() const noexcept { return names_; }

  // Typed access to fields that check_manifest() has verified.
  std::int64_t integer(std::string_view name) const;
  // The number, or -1 if there is no such field: how the ids of special tokens are stored.
  std::int64_t id(std::string_view name) const;
  std::string text(std::string_view name) const;
  std::vector<std::string> items(std::string_view name) const;

 private:
  std::map<std::string, linnet_value, std::less<>> values_;
  std::map<std::string, std::string> storage_;  // the copies
  std::string names_;
};

// Refuses a newer major schema version (LINNET_SCHEMA_TOO_NEW) and fields that are missing, mistyped or
// contradict each other (LINNET_MANIFEST_INVALID). `name` is the file's name in messages.
void check_manifest(const Fields& fields, const std::string& name);

// Splits a stored list: items joined by a newline, with \\ and \n escaped (sdk/linnet/format/manifest.py).
std::vector<std::string> split_items(std::string_view text);

}  // namespace linnet

#endif  // LINNET_RUNTIME_FILE_FIELDS_H_
