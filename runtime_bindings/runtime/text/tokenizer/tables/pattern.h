// What Replace searches, in a normalizer or a decoder: a text, or one of the expressions of published
// tokenizers.
//
//   kind: 0 a text, 1 two or more spaces, 2 two or more characters of white space, or a tab or line end; text
//   (string, empty for an expression)
#ifndef LINNET_RUNTIME_TOKENIZER_TABLES_PATTERN_H_
#define LINNET_RUNTIME_TOKENIZER_TABLES_PATTERN_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tokenizer/tables/format.h"

namespace linnet::tables {

class Pattern {
 public:
  explicit Pattern(Reader& reader);
  // Search a text, borrowed and not empty.
  explicit Pattern(std::string_view text) : kind_(Kind::kText), text_(text) {}

  struct Match {
    std::size_t begin;
    std::size_t end;
    bool found;
  };

  // Find the first match from byte `from` on, the longest one there.
  Match find(std::string_view text, std::size_t from) const noexcept;
  // Return true if more text may lengthen a match at the end of a text.
  bool goes_on() const noexcept { return kind_ != Kind::kText; }
  // Return the size of the longest end of `text`, in which nothing matches that more text does not lengthen,
  // that may be the beginning of a match.
  std::size_t open_end(std::string_view text) const noexcept;
  // Return true if a match may contain the character.
  bool may_contain(char32_t c) const noexcept;

 private:
  // Numbers as in the bytes.
  enum class Kind : std::uint32_t { kText, kSpaces, kBlanks };

  static Match find_blanks(std::string_view text, std::size_t from) noexcept;

  Kind kind_;
  std::string_view text_;
};

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_TABLES_PATTERN_H_
