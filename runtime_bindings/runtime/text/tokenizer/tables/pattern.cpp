#include "tokenizer/tables/pattern.h"

#include <algorithm>

#include "tokenizer/unicode.h"

namespace linnet::tables {

Pattern::Pattern(Reader& reader)
    : kind_(static_cast<Kind>(
          reader.number(static_cast<std::uint32_t>(Kind::kBlanks), "the kind of a pattern"))),
      text_(reader.text()) {
  require((kind_ != Kind::kText) == text_.empty(), "a pattern is empty, or is an expression with a text");
}

// Find white space of two or more characters, or a tab or line end.
Pattern::Match Pattern::find_blanks(std::string_view text, std::size_t from) noexcept {
  std::size_t at = from;
  while (at < text.size()) {
    std::size_t characters = 0;
    std::size_t end = at;
    while (end < text.size()) {
      const unicode::Decoded next = unicode::decode(text.substr(end));
      if ((unicode::properties(next.c).more & unicode::kRegexSpace) == 0 || next.length == 0) {
        break;
      }
      end += next.length;
      ++characters;
    }
    const char first = text[at];
    if (characters >= 2 || (characters == 1 && (first == '\n' || first == '\r' || first == '\t'))) {
      return {at, end, true};
    }
    at = std::max(end, at + std::max<std::size_t>(unicode::decode(text.substr(at)).length, 1));
  }
  return {text.size(), text.size(), false};
}

Pattern::Match Pattern::find(std::string_view text, std::size_t from) const noexcept {
  if (kind_ == Kind::kBlanks) {
    return find_blanks(text, from);
  }
  const bool spaces = kind_ == Kind::kSpaces;
  const std::size_t begin = text.find(spaces ? std::string_view("  ") : text_, from);
  if (begin == std::string_view::npos) {
    return {text.size(), text.size(), false};
  }
  return {begin, spaces ? std::min(text.find_first_not_of(' ', begin), text.size()) : begin + text_.size(),
          true};
}

std::size_t Pattern::open_end(std::string_view text) const noexcept {
  if (kind_ == Kind::kText) {
    std::size_t size = std::min(text.size(), text_.size() - 1);
    while (size > 0 && text.substr(text.size() - size) != text_.substr(0, size)) {
      --size;
    }
    return size;
  }
  std::size_t begin = text.size();
  while (begin > 0) {
    const unicode::Decoded last = unicode::decode_last(text.substr(0, begin));
    const bool matches = kind_ == Kind::kSpaces
                             ? last.c == U' '
                             : (unicode::properties(last.c).more & unicode::kRegexSpace) != 0;
    if (!matches || last.length == 0) {
      break;
    }
    begin -= last.length;
  }
  return text.size() - begin;
}

bool Pattern::may_contain(char32_t c) const noexcept {
  if (kind_ != Kind::kText) {
    return (unicode::properties(c).more & unicode::kRegexSpace) != 0;
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
