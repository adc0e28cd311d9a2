// o200k (GPT-4o), where U is [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}] and L is [\p{Ll}\p{Lm}\p{Lo}\p{M}]:
// [^\r\n\p{L}\p{N}]?U*L+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?U+L*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}|
//  ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
#include "tokenizer/pre_tokenizers/expressions.h"

namespace linnet::tables {
namespace {

constexpr unsigned kUpper = kUpperLetter | kCaselessLetter | kMark;
constexpr unsigned kLower = kLowerLetter | kCaselessLetter | kMark;
constexpr unsigned kBoth = kCaselessLetter | kMark;

// Match U*L+ ; if no lower case follows, U* gives back what it took from its last character in both classes
// on.
std::size_t match_lower(Scan& scan, std::size_t at) {
  std::size_t end = at;
  std::size_t both_end = at;  // where the last character in both classes ends
  for (;;) {
    const Scan::Character next = scan.look(end);
    if ((next.flags & kUpper) == 0) {
      break;
    }
    end += next.length;
    both_end = (next.flags & kBoth) != 0 ? end : both_end;
  }
  const std::size_t lower_end = scan.run(end, kLower);
  return lower_end != end ? lower_end : both_end;
}

// Match U+L* .
std::size_t match_upper(Scan& scan, std::size_t at) {
  const std::size_t end = scan.run(at, kUpper);
  return end == at ? at : scan.run(end, kLower);
}

std::size_t match_word(Scan& scan, std::size_t at) {
  const Scan::Character first = scan.look(at);
  const bool prefixed = (first.flags & (kNewline | kLetter | kNumber)) == 0;
  const std::size_t behind = at + first.length;
  for (const auto part : {match_lower, match_upper}) {
    if (prefixed) {
      const std::size_t end = part(scan, behind);
      if (end != behind) {
        return match_contraction(scan, end, true);
      }
    }
    const std::size_t end = part(scan, at);
    if (end != at) {
      return match_contraction(scan, end, true);
    }
  }
  return at;
}

}  // namespace

std::size_t match_o200k(Scan& scan, std::size_t at) {
  const std::size_t word_end = match_word(scan, at);
  if (word_end != at) {
    return word_end;
  }
  const std::size_t number_end = match_digits(scan, at, 3);
  if (number_end != at) {
    return number_end;
  }
  constexpr unsigned kNoSign = kSpace | kLetter | kNumber;
  const std::size_t begin = scan.look(at).c == U' ' ? at + 1 : at;
  std::size_t end = scan.run_without(begin, kNoSign);
  if (end == begin) {
    return match_lines(scan, at);
  }
  for (;;) {
    const Scan::Character next = scan.look(end);
    if ((next.flags & kNewline) == 0 && next.c != U'/') {
      return end;
    }
    end += next.length;
  }
}

}  // namespace linnet::tables
