// Text as one byte for each character, in which the patterns of personal data are looked for.
#ifndef LINNET_RUNTIME_MASK_FOLDED_H_
#define LINNET_RUNTIME_MASK_FOLDED_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace linnet::mask {

// A text with one byte for each of its characters: ASCII as it is; decimal digits of every script, full-width
// forms, spaces and dashes as the ASCII character that they stand for; other letters as a byte of their
// script's kind that depends on the letter in lower case; anything else as kOther. A place in it is a place
// in code points of the original. An ASCII text is borrowed, not copied.
class Folded {
 public:
  // Throws LINNET_INVALID_UTF8.
  explicit Folded(std::string_view text);
  Folded(const Folded&) = delete;
  Folded& operator=(const Folded&) = delete;
  ~Folded() = default;

  std::size_t size() const noexcept { return view_.size(); }
  std::string_view view() const noexcept { return view_; }
  // Return the byte at a place, 0 outside of the text; the place before the first one wraps around.
  unsigned char operator[](std::size_t at) const noexcept {
    return at < view_.size() ? static_cast<unsigned char>(view_[at]) : static_cast<unsigned char>(0);
  }

 private:
  std::string copy_;
  std::string_view view_;
};

// Letters beyond ASCII: 0x80 to 0xBF of scripts with spaces between words, 0xC0 to 0xFE of the others, where
// a word may stand directly before and behind a number.
inline constexpr unsigned char kFirstLetter = 0x80;
inline constexpr unsigned char kFirstUnspaced = 0xC0;
inline constexpr unsigned char kOther = 0xFF;

constexpr bool is_digit(unsigned char c) noexcept { return c >= '0' && c <= '9'; }
constexpr unsigned char lower(unsigned char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<unsigned char>(c + 32) : c;
}
constexpr unsigned char upper(unsigned char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<unsigned char>(c - 32) : c;
}
constexpr bool is_latin(unsigned char c) noexcept { return lower(c) >= 'a' && lower(c) <= 'z'; }
constexpr bool is_alphanumeric(unsigned char c) noexcept { return is_digit(c) || is_latin(c); }
constexpr bool is_hex(unsigned char c) noexcept {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}
// Tell whether a number next to this character is part of a longer word.
constexpr bool is_word(unsigned char c) noexcept {
  return is_alphanumeric(c) || (c >= kFirstLetter && c < kFirstUnspaced);
}
// Tell whether it is a letter or a digit of any script.
constexpr bool is_any_letter(unsigned char c) noexcept {
  return is_alphanumeric(c) || (c >= kFirstLetter && c < kOther);
}

}  // namespace linnet::mask

#endif  // LINNET_RUNTIME_MASK_FOLDED_H_
