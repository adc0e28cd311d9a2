// Llama 3, Qwen 2 and Qwen 3.5, which differ in the length of a number and in whether marks belong to words:
// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
// ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
#include "tokenizer/pre_tokenizers/expressions.h"

namespace linnet::tables {
namespace {

// `letters`: the classes in a word; the others are the sign's and the prefix's.
std::size_t match(Scan& scan, std::size_t at, int most_digits, unsigned letters) {
  const Scan::Character first = scan.look(at);
  if (first.c == U'\'') {
    const std::size_t contracted = match_contraction(scan, at, true);
    if (contracted != at) {
      return contracted;
    }
  }
  const std::size_t end = at + first.length;
  if ((first.flags & kLetter) != 0) {
    return scan.run(end, letters);
  }
  if ((first.flags & kNumber) != 0) {
    return match_digits(scan, at, most_digits);
  }
  const Scan::Character second = scan.look(end);
  if ((first.flags & kNewline) == 0 && (second.flags & letters) != 0) {
    return scan.run(end + second.length, letters);
  }
  if ((first.flags & letters) != 0) {
    return end;
  }
  const unsigned no_sign = kSpace | kNumber | letters;
  if ((first.flags & kSpace) == 0) {
    return scan.run(scan.run_without(end, no_sign), kNewline);
  }
  if (first.c == U' ' && second.length > 0 && (second.flags & no_sign) == 0) {
    return scan.run(scan.run_without(end + second.length, no_sign), kNewline);
  }
  return match_lines(scan, at);
}

}  // namespace

std::size_t match_llama3(Scan& scan, std::size_t at) { return match(scan, at, 3, kLetter); }

std::size_t match_qwen2(Scan& scan, std::size_t at) { return match(scan, at, 1, kLetter); }

std::size_t match_qwen35(Scan& scan, std::size_t at) { return match(scan, at, 1, kLetter | kMark); }

}  // namespace linnet::tables
