// Llama 3 and Qwen 2, which differ in the length of a number:
// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
// ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
#include "tokenizer/pre_tokenizers/expressions.h"

namespace linnet::tables {
namespace {

std::size_t match(Scan& scan, std::size_t at, int most_digits) {
  const Scan::Character first = scan.look(at);
  if (first.c == U'\'') {
    const std::size_t contracted = match_contraction(scan, at, true);
    if (contracted != at) {
      return contracted;
    }
  }
  std::size_t end = at + first.length;
  if ((first.flags & kLetter) != 0) {
    return scan.run(end, kLetter);
  }
  if ((first.flags & kNumber) != 0) {
    for (int digits = 1; digits < most_digits; ++digits) {
      const Scan::Character next = scan.look(end);
      if ((next.flags & kNumber) == 0) {
        break;
      }
      end += next.length;
    }
    return end;
  }
  const Scan::Character second = scan.look(end);
  if ((first.flags & kNewline) == 0 && (second.flags & kLetter) != 0) {
    return scan.run(end + second.length, kLetter);
  }
  constexpr unsigned kNoSign = kSpace | kLetter | kNumber;
  if ((first.flags & kSpace) == 0) {
    return scan.run(scan.run_without(end, kNoSign), kNewline);
  }
  if (first.c == U' ' && second.length > 0 && (second.flags & kNoSign) == 0) {
    return scan.run(scan.run_without(end + second.length, kNoSign), kNewline);
  }
  return match_lines(scan, at);
}

}  // namespace

std::size_t match_llama3(Scan& scan, std::size_t at) { return match(scan, at, 3); }

std::size_t match_qwen2(Scan& scan, std::size_t at) { return match(scan, at, 1); }

}  // namespace linnet::tables
