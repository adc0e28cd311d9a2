// Classes of characters in the expressions of pre-tokenizers, and a scanner of a text that may go on.
#ifndef LINNET_RUNTIME_TOKENIZER_PRE_TOKENIZERS_CLASSES_H_
#define LINNET_RUNTIME_TOKENIZER_PRE_TOKENIZERS_CLASSES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tokenizer/unicode.h"

namespace linnet::tables {

// Bits of a character's class.
inline constexpr unsigned kLetter = 1U;         // \p{L}
inline constexpr unsigned kNumber = 2U;         // \p{N}
inline constexpr unsigned kSpace = 4U;          // \s
inline constexpr unsigned kMark = 8U;           // \p{M}
inline constexpr unsigned kPunctuation = 16U;   // \p{P}
inline constexpr unsigned kSymbol = 32U;        // \p{S}
inline constexpr unsigned kUpperLetter = 64U;   // [\p{Lu}\p{Lt}]
inline constexpr unsigned kLowerLetter = 128U;  // \p{Ll}
inline constexpr unsigned kNewline = 256U;      // [\r\n]
inline constexpr unsigned kNumeric = 512U;      // split off by Digits
inline constexpr unsigned kBlank = 1024U;       // white space of Rust
inline constexpr unsigned kWord = 2048U;        // \w of Rust
inline constexpr unsigned kBertPunctuation = 4096U;
inline constexpr unsigned kCaselessLetter = 8192U;  // [\p{Lm}\p{Lo}]

// Return the class of a character.
unsigned class_of(char32_t c) noexcept;

// Classes of the ASCII characters.
const std::array<std::uint16_t, 128>& ascii_classes() noexcept;

// A text that a matcher looks at from left to right. Where it looks at the end of a text that may go on,
// more() becomes true and its result is void.
class Scan {
 public:
  Scan(std::string_view text, bool complete) noexcept
      : text_(text), complete_(complete), ascii_(ascii_classes()) {}

  struct Character {
    unsigned flags = 0;  // no bit is set at the end of the text
    std::size_t length = 0;
    char32_t c = 0;
  };

  // Look at the character at a place, which may be the end of the text.
  Character look(std::size_t at) noexcept {
    if (at >= text_.size()) {
      more_ = more_ || !complete_;
      return {};
    }
    const auto first = static_cast<unsigned char>(text_[at]);
    if (first < 0x80) {
      return {ascii_[first], 1, first};
    }
    const unicode::Decoded next = unicode::decode(text_.substr(at));
    return {class_of(next.c), next.length, next.c};
  }

  // Return where the characters with one of the classes `wanted` end that begin at `at`.
  std::size_t run(std::size_t at, unsigned wanted) noexcept {
    for (;;) {
      const Character next = look(at);
      if ((next.flags & wanted) == 0) {
        return at;
      }
      at += next.length;
    }
  }
  // The same for characters with none of the classes.
  std::size_t run_without(std::size_t at, unsigned unwanted) noexcept {
    for (;;) {
      const Character next = look(at);
      if (next.length == 0 || (next.flags & unwanted) != 0) {
        return at;
      }
      at += next.length;
    }
  }

  std::string_view text() const noexcept { return text_; }
  bool more() const noexcept { return more_; }

 private:
  std::string_view text_;
  bool complete_;
  bool more_ = false;
  const std::array<std::uint16_t, 128>& ascii_;
};

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_PRE_TOKENIZERS_CLASSES_H_
