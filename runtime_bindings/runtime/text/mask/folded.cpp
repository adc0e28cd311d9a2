#include "mask/folded.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "status.h"
#include "tokenizer/unicode.h"

namespace linnet::mask {
namespace {

// The zero of every run of ten decimal digits beyond ASCII: general category Nd of Unicode 14
// (DerivedNumericType.txt), without the full-width digits, which fold() has.
constexpr char32_t kZeros[] = {
    0x660,   0x6f0,   0x7c0,   0x966,   0x9e6,   0xa66,   0xae6,   0xb66,   0xbe6,   0xc66,   0xce6,
    0xd66,   0xde6,   0xe50,   0xed0,   0xf20,   0x1040,  0x1090,  0x17e0,  0x1810,  0x1946,  0x19d0,
    0x1a80,  0x1a90,  0x1b50,  0x1bb0,  0x1c40,  0x1c50,  0xa620,  0xa8d0,  0xa900,  0xa9d0,  0xa9f0,
    0xaa50,  0xabf0,  0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0,
    0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50,
    0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0};

constexpr char32_t kSpaces[] = {0xA0,   0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006,
                                0x2007, 0x2008, 0x2009, 0x200A, 0x202F, 0x205F, 0x3000};
constexpr char32_t kDashes[] = {0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212, 0xFE58, 0xFE63};

// Scripts that put no spaces between words, or write endings directly behind a foreign word.
constexpr struct {
  char32_t first, last;
} kUnspaced[] = {{0xE00, 0xEFF},     {0x1000, 0x109F},  {0x1100, 0x11FF}, {0x1780, 0x17FF},
                 {0x2E80, 0xA4CF},   {0xAC00, 0xD7FF},  {0xF900, 0xFAFF}, {0xFF66, 0xFFDC},
                 {0x16FE0, 0x1B2FF}, {0x20000, 0x3FFFF}};

template <std::size_t Size>
bool holds(const char32_t (&sorted)[Size], char32_t c) {
  return std::binary_search(std::begin(sorted), std::end(sorted), c);
}

unsigned char letter(char32_t c) {
  const auto hash = static_cast<std::uint32_t>(unicode::to_lower(c).chars[0]) * 2654435761U >> 16U;
  const bool is_unspaced = std::any_of(std::begin(kUnspaced), std::end(kUnspaced), [c](const auto& range) {
    return c >= range.first && c <= range.last;
  });
  return is_unspaced ? static_cast<unsigned char>(kFirstUnspaced + hash % (kOther - kFirstUnspaced))
                     : static_cast<unsigned char>(kFirstLetter + hash % (kFirstUnspaced - kFirstLetter));
}

unsigned char fold(char32_t c) {
  if (c >= 0xFF01 && c <= 0xFF5E) {
    return static_cast<unsigned char>(c - 0xFEE0);
  }
  if (holds(kSpaces, c)) {
    return ' ';
  }
  if (holds(kDashes, c)) {
    return '-';
  }
  const auto* const above = std::upper_bound(std::begin(kZeros), std::end(kZeros), c);
  if (above != std::begin(kZeros) && c - above[-1] < 10) {
    return static_cast<unsigned char>('0' + (c - above[-1]));
  }
  constexpr std::uint8_t kLastLetter = 6;  // categories of unicode::Properties: L and M
  const std::uint8_t category = unicode::properties(c).category;
  return category >= 1 && category <= kLastLetter ? letter(c) : kOther;
}

bool is_wide(char c) { return static_cast<unsigned char>(c) >= 0x80; }

}  // namespace

Folded::Folded(std::string_view text) {
  const auto* const wide = std::find_if(text.begin(), text.end(), is_wide);
  if (wide == text.end()) {
    view_ = text;
    return;
  }
  copy_.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (!is_wide(text[at])) {
      copy_ += text[at++];
      continue;
    }
    const unicode::Decoded next = unicode::decode(text.substr(at));
    if (next.length == 0) {
      throw Error(LINNET_INVALID_UTF8, "byte " + std::to_string(at) + " of the text is not UTF-8");
    }
    copy_ += static_cast<char>(fold(next.c));
    at += next.length;
  }
  view_ = copy_;
}

}  // namespace linnet::mask
