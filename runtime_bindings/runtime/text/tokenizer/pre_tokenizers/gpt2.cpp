// GPT-2: 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
#include "tokenizer/pre_tokenizers/expressions.h"

namespace linnet::tables {

std::size_t match_gpt2(Scan& scan, std::size_t at) {
  Scan::Character first = scan.look(at);
  if (first.c == U'\'') {
    const std::size_t contracted = match_contraction(scan, at, false);
    if (contracted != at) {
      return contracted;
    }
  }
  std::size_t begin = at;
  if (first.c == U' ') {
    begin = at + 1;
    first = scan.look(begin);
  }
  if ((first.flags & kLetter) != 0) {
    return scan.run(begin + first.length, kLetter);
  }
  if ((first.flags & kNumber) != 0) {
    return scan.run(begin + first.length, kNumber);
  }
  if (first.length > 0 && (first.flags & kSpace) == 0) {
    return scan.run_without(begin + first.length, kSpace | kLetter | kNumber);
  }
  return match_blanks(scan, at);
}

}  // namespace linnet::tables
