// DeepSeek V3, three Splits one after another: \p{N}{1,3} , then [一-龥぀-ゟ゠-ヿ]+ , then
// [!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|
// ?[\p{P}\p{S}]+[\r\n]*|
// \s*[\r\n]+|\s+(?!\S)|\s+
#include "tokenizer/pre_tokenizers/expressions.h"

namespace linnet::tables {
namespace {

bool is_ascii_letter(char32_t c) noexcept { return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z'); }

bool is_ascii_sign(char32_t c) noexcept {
  return (c >= 0x21 && c <= 0x2F) || (c >= 0x3A && c <= 0x40) || (c >= 0x5B && c <= 0x60) ||
         (c >= 0x7B && c <= 0x7E);
}

}  // namespace

std::size_t match_three_digits(Scan& scan, std::size_t at) { return match_digits(scan, at, 3); }

std::size_t match_deepseek_cjk(Scan& scan, std::size_t at) {
  for (;;) {
    const Scan::Character next = scan.look(at);
    if (!(next.c >= 0x4E00 && next.c <= 0x9FA5) && !(next.c >= 0x3040 && next.c <= 0x30FF)) {
      return at;
    }
    at += next.length;
  }
}

std::size_t match_deepseek(Scan& scan, std::size_t at) {
  constexpr unsigned kSign = kPunctuation | kSymbol;
  const Scan::Character first = scan.look(at);
  const std::size_t behind = at + first.length;
  if (is_ascii_sign(first.c) && is_ascii_letter(scan.look(behind).c)) {
    std::size_t end = behind;
    while (is_ascii_letter(scan.look(end).c)) {
      ++end;
    }
    return end;
  }
  if ((first.flags & (kNewline | kLetter | kSign)) == 0) {
    const std::size_t end = scan.run(behind, kLetter | kMark);
    if (end != behind) {
      return end;
    }
  }
  const std::size_t letters_end = scan.run(at, kLetter | kMark);
  if (letters_end != at) {
    return letters_end;
  }
  const std::size_t begin = first.c == U' ' ? behind : at;
  const std::size_t signs_end = scan.run(begin, kSign);
  if (signs_end != begin) {
    return scan.run(signs_end, kNewline);
  }
  return match_lines(scan, at);
}

}  // namespace linnet::tables
