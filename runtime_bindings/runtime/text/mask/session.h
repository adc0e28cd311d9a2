// Masked texts: types, redaction, pseudonyms of a session and the way back.
#ifndef LINNET_RUNTIME_MASK_SESSION_H_
#define LINNET_RUNTIME_MASK_SESSION_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "decode/answers.h"
#include "linnet.h"

namespace linnet::mask {

// Return the text with [TYPE] in place of each finding, or with blocks. `mode` is no pseudonym's.
std::string replace(std::string_view text, const Answers& findings, linnet_mask_mode mode);

// Pseudonyms of values, [TYPE_1], [TYPE_2], ..., the same for the same value. Several threads may use it.
class Session {
 public:
  // Return the text with pseudonyms. What looks like a pseudonym in the text gets one of its own, [TEXT_1],
  // so that unmask() of the result is the text, whatever stands in it.
  std::string mask(std::string_view text, const Answers& findings);
  // Return the text with the values in place of this session's pseudonyms.
  std::string unmask(std::string_view text) const;
  // Return how many pseudonyms there are.
  std::size_t size() const;

  // Return the values, sealed by a key; see seal().
  std::string save(std::string_view key) const;
  // Take over what save() returned, in place of what is here.
  void load(std::string_view key, std::string_view saved);

 private:
  struct Value {
    std::string type;
    std::uint64_t number;
    std::string value;
  };

  std::string pseudonym(std::string_view type, std::string_view value);
  void add(const Value& value);

  mutable std::mutex mutex_;
  std::vector<Value> values_;
  std::unordered_map<std::string, std::size_t> by_value_;  // type and value
  std::unordered_map<std::string, std::size_t> by_name_;   // pseudonym
  std::unordered_map<std::string, std::uint64_t> counts_;  // by type
};

// Unmasking of a text that comes in pieces, which may end anywhere. One thread at a time may use it.
class UnmaskStream {
 public:
  explicit UnmaskStream(std::shared_ptr<const Session> session) : session_(std::move(session)) {}

  // Take the next piece and return what is new and certain: all but the beginning of a pseudonym, which is
  // shorter than kMostPseudonym bytes.
  std::string push(std::string_view piece);
  // Return the rest; the next piece begins another text.
  std::string finish();

 private:
  std::shared_ptr<const Session> session_;
  std::string held_;
};

// Longest pseudonym in bytes: brackets, a type of 32, _ and ten digits.
inline constexpr std::size_t kMostPseudonym = 45;

// Return where the pseudonym that begins at `at` ends; `at` if none does.
std::size_t pseudonym_end(std::string_view text, std::size_t at);

}  // namespace linnet::mask

#endif  // LINNET_RUNTIME_MASK_SESSION_H_
