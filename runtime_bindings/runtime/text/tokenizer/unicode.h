// Unicode as the `tokenizers` package applies it: character classes, decompositions, lower case, UTF-8.
//
// The tables are generated from the behaviour of that package (tools/generate_unicode_tables.py), because its
// parts follow different versions of Unicode.
#ifndef LINNET_RUNTIME_TOKENIZER_UNICODE_H_
#define LINNET_RUNTIME_TOKENIZER_UNICODE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace linnet::unicode {

// Bits of Properties::flags; the generator has the same list.
inline constexpr unsigned kWhitespace = 1U;   // splits words
inline constexpr unsigned kDropped = 2U;      // removed by clean_text
inline constexpr unsigned kPunctuation = 4U;  // a word of its own
inline constexpr unsigned kCjk = 8U;          // surrounded by spaces by handle_chinese_chars
inline constexpr unsigned kMark = 16U;        // removed by strip_accents
inline constexpr unsigned kWordChar = 32U;    // \w, for single_word tokens
inline constexpr unsigned kDecomposes = 64U;  // has a canonical decomposition
inline constexpr unsigned kLowers = 128U;     // has a different lower case

// Bits of Properties::more.
inline constexpr unsigned kRegexSpace = 1U;      // \s in the expressions of Split
inline constexpr unsigned kNumeric = 2U;         // split off by Digits
inline constexpr unsigned kNfcChanges = 4U;      // a text without such characters is in NFC
inline constexpr unsigned kNfkcChanges = 8U;     // the same for NFKC
inline constexpr unsigned kNfkdChanges = 16U;    // the same for NFKD
inline constexpr unsigned kCombiningMark = 32U;  // removed by StripAccents

struct Properties {
  std::uint8_t flags;
  std::uint8_t combining_rank;  // order of the canonical combining class; 0 for a starter
  std::uint8_t category;        // in expressions: 1 Lu, 2 Ll, 3 Lt, 4 Lm, 5 Lo, 6 M, 7 N, 8 P, 9 S, else 0
  std::uint8_t more;
};

// Return the properties of a character, which must be below 0x110000.
Properties properties(char32_t c) noexcept;

inline bool has(char32_t c, unsigned flag) noexcept { return (properties(c).flags & flag) != 0; }

// The longest full canonical decomposition has four characters.
inline constexpr std::size_t kMaxMapped = 4;

struct Mapped {
  char32_t chars[kMaxMapped];
  std::size_t size;
};

// Return the full canonical decomposition, or `c` itself.
Mapped decompose(char32_t c) noexcept;

// Append the full compatibility decomposition of `c`, or `c` itself.
void decompose_compatibly(char32_t c, std::u32string& characters);

// Return the character that two characters compose to, 0 if there is none.
char32_t compose(char32_t first, char32_t second) noexcept;

// Return the lower case regardless of the context, as char::to_lowercase of Rust does, or `c` itself.
Mapped to_lower(char32_t c) noexcept;

// ---- UTF-8 ----------------------------------------------------------------------------------

// A character and its length in bytes; length 0 means that the bytes are not UTF-8.
struct Decoded {
  char32_t c;
  std::size_t length;
};

// Decode the first character of `bytes`, which must not be empty. Overlong forms, surrogates and numbers
// above U+10FFFF are refused (RFC 3629).
Decoded decode(std::string_view bytes) noexcept;

// Decode the last character of `bytes`, which must be valid UTF-8 and not empty.
Decoded decode_last(std::string_view bytes) noexcept;

bool is_valid_utf8(std::string_view bytes) noexcept;

void append_utf8(std::string& bytes, char32_t c);

// Return the bytes with U+FFFD in place of each longest part that can begin a character but does not go on as
// one, as String::from_utf8_lossy of Rust does.
std::string replace_invalid(std::string_view bytes);

// Return how many bytes at the end begin a character that more bytes may complete: 0 to 3.
std::size_t incomplete_end(std::string_view bytes) noexcept;

inline bool is_continuation(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

}  // namespace linnet::unicode

#endif  // LINNET_RUNTIME_TOKENIZER_UNICODE_H_
