#include "constrain/json_value.h"

#include <algorithm>

#include "constrain/expression.h"
#include "tokenizer/unicode.h"

namespace linnet::constrain {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20U;
constexpr std::size_t kMostLevels = 64;

}  // namespace

// Arrays and objects that are open are on a list: no function calls itself.
class JsonReader {
 public:
  JsonReader(std::string_view text, std::vector<JsonValue>& values) : text_(text), values_(values) {}

  void read() {
    skip_space();
    read_value();
    while (!open_.empty()) {
      read_more();
    }
    skip_space();
    if (at_ < text_.size()) {
      fail("something follows the value");
    }
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    refuse("the JSON schema is no JSON, byte " + std::to_string(at_) + ": " + problem);
  }
  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void expect(char c) {
    if (peek() != c) {
      fail(std::string("expected ") + c);
    }
    ++at_;
    skip_space();
  }

  std::uint32_t add(JsonKind kind) {
    values_.emplace_back();
    values_.back().kind = kind;
    return static_cast<std::uint32_t>(values_.size() - 1);
  }

  // Read a value, or the beginning of an array or object.
  void read_value() {
    const char c = peek();
    if (c == '{' || c == '[') {
      if (open_.size() == kMostLevels) {
        fail("it has more than " + std::to_string(kMostLevels) + " levels");
      }
      ++at_;
      skip_space();
      open_.push_back(add(c == '{' ? JsonKind::kObject : JsonKind::kArray));
      return;
    }
    if (c == '"') {
      const std::uint32_t value = add(JsonKind::kString);
      values_[value].text = read_string();
    } else if (c == '-' || (c >= '0' && c <= '9')) {
      read_number();
    } else {
      read_word();
    }
    skip_space();
  }

  // Read the next item of the innermost array or object, or its end.
  void read_more() {
    const std::uint32_t inner = open_.back();
    const bool is_object = values_[inner].kind == JsonKind::kObject;
    if (peek() == (is_object ? '}' : ']')) {
      ++at_;
      skip_space();
      open_.pop_back();
      return;
    }
    if (!values_[inner].items.empty()) {
      expect(',');
    }
    if (is_object) {
      if (peek() != '"') {
        fail("expected the name of a member");
      }
      std::string name = read_string();
      if (values_[inner].find(name) >= 0) {
        fail("the member \"" + name + "\" is there twice");
      }
      values_[inner].names.push_back(std::move(name));
      skip_space();
      expect(':');
    }
    values_[inner].items.push_back(static_cast<std::uint32_t>(values_.size()));
    read_value();
  }

  void read_word() {
    constexpr std::string_view kWords[] = {"null", "false", "true"};
    for (const std::string_view& word : kWords) {
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        add(static_cast<JsonKind>(&word - kWords));
        return;
      }
    }
    fail("expected a value");
  }

  void read_number() {
    const std::size_t begin = at_;
    const auto digits = [&] {
      const std::size_t first = at_;
      at_ = std::min(text_.find_first_not_of("0123456789", at_), text_.size());
      if (at_ == first) {
        fail("expected a digit");
      }
    };
    at_ += peek() == '-' ? 1 : 0;
    if (peek() == '0') {
      ++at_;
    } else {
      digits();
    }
    if (peek() == '.') {
      ++at_;
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      at_ += peek() == '+' || peek() == '-' ? 1 : 0;
      digits();
    }
    const std::uint32_t value = add(JsonKind::kNumber);
    values_[value].text = text_.substr(begin, at_ - begin);
  }

  std::string read_string() {
    std::string made;
    ++at_;
    while (peek() != '"') {
      if (at_ >= text_.size() || static_cast<unsigned char>(peek()) < 0x20) {
        fail("a string has no end");
      }
      if (peek() == '\\') {
        read_escape(made);
        continue;
      }
      made += text_[at_++];
    }
    ++at_;
    return made;
  }

  void read_escape(std::string& made) {
    constexpr std::string_view kSigns = "\"\\/bfnrt";
    constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    ++at_;
    const std::size_t sign = kSigns.find(peek());
    if (at_ < text_.size() && sign != std::string_view::npos) {
      ++at_;
      made += kMeant[sign];
      return;
    }
    char32_t c = read_unit();
    if (c >= 0xD800 && c < 0xDC00 && text_.substr(at_, 2) == "\\u") {
      ++at_;
      const char32_t low = read_unit();
      c = low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((c - 0xD800) << 10U) + (low - 0xDC00) : 0xD800;
    }
    if (c >= 0xD800 && c < 0xE000) {
      fail("half of a surrogate pair");
    }
    unicode::append_utf8(made, c);
  }

  char32_t read_unit() {
    if (peek() != 'u' || text_.size() - at_ < 5) {
      fail("an escape that JSON does not have");
    }
    ++at_;
    char32_t code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      const char folded = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
      if ((c < '0' || c > '9') && (folded < 'a' || folded > 'f')) {
        fail("expected a hexadecimal digit");
      }
      code = 16 * code + static_cast<char32_t>(folded >= 'a' ? folded - 'a' + 10 : c - '0');
    }
    return code;
  }

  std::string_view text_;
  std::vector<JsonValue>& values_;
  std::size_t at_ = 0;
  std::vector<std::uint32_t> open_;
};

std::ptrdiff_t JsonValue::find(std::string_view name) const noexcept {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? -1 : found - names.begin();
}

JsonDocument::JsonDocument(std::string_view text) {
  if (text.size() > kMostBytes) {
    refuse("the JSON schema has " + std::to_string(text.size()) + " bytes, expected at most " +
           std::to_string(kMostBytes));
  }
  if (!unicode::is_valid_utf8(text)) {
    refuse("the JSON schema is not UTF-8; convert it");
  }
  JsonReader(text, values_).read();
}

}  // namespace linnet::constrain
