#include "tokenizer/tables/pattern.h"

#include <algorithm>

#include "tokenizer/unicode.h"

namespace linnet::tables {

Pattern::Pattern(Reader& reader)
    : spaces_(reader.number(1, "the kind of a pattern") != 0), text_(reader.text()) {
  require(spaces_ == text_.empty(), "a pattern is empty, or is an expression with a text");
}

Pattern::Match Pattern::find(std::string_view text, std::size_t from) const noexcept {
  const std::size_t begin = text.find(spaces_ ? std::string_view("  ") : text_, from);
  if (begin == std::string_view::npos) {
    return {text.size(), text.size(), false};
  }
  return {begin, spaces_ ? std::min(text.find_first_not_of(' ', begin), text.size()) : begin + text_.size(),
          true};
}

bool Pattern::may_contain(char32_t c) const noexcept {
  if (spaces_) {
    return c == U' ';
  }
  for (std::string_view rest = text_; !rest.empty();) {
    const unicode::Decoded next = unicode::decode(rest);
    if (next.c == c) {
      return true;
    }
    rest.remove_prefix(next.length);
  }
  return false;
}

}  // namespace linnet::tables
