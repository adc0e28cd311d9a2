#include "tokenizer/pre_tokenizers/expressions.h"

#include <iterator>
#include <string_view>

namespace linnet::tables {
namespace {

constexpr Expression kExpressions[] = {match_gpt2,         match_llama3,       match_qwen2,    match_o200k,
                                       match_three_digits, match_deepseek_cjk, match_deepseek, match_qwen35};

constexpr char32_t kLongS = 0x17F;  // its upper case is S

char32_t folded(char32_t c, bool fold) noexcept {
  if (!fold) {
    return c;
  }
  return c == kLongS ? U's' : c >= U'A' && c <= U'Z' ? c + (U'a' - U'A') : c;
}

}  // namespace

Expression expression_of(std::uint32_t number) noexcept {
  return number < std::size(kExpressions) ? kExpressions[number] : nullptr;
}

std::size_t match_contraction(Scan& scan, std::size_t at, bool fold) {
  if (scan.look(at).c != U'\'') {
    return at;
  }
  const Scan::Character first = scan.look(at + 1);
  const std::size_t one = at + 1 + first.length;
  const char32_t letter = folded(first.c, fold);
  if (letter == U's' || letter == U't' || letter == U'm' || letter == U'd') {
    return one;
  }
  if (letter != U'r' && letter != U'v' && letter != U'l') {
    return at;
  }
  const Scan::Character second = scan.look(one);
  return folded(second.c, fold) == (letter == U'l' ? U'l' : U'e') ? one + second.length : at;
}

std::size_t match_digits(Scan& scan, std::size_t at, int most) {
  for (int digits = 0; digits < most; ++digits) {
    const Scan::Character next = scan.look(at);
    if ((next.flags & kNumber) == 0) {
      break;
    }
    at += next.length;
  }
  return at;
}

std::size_t match_blanks(Scan& scan, std::size_t at) {
  std::size_t end = at;
  std::size_t last = at;  // where the last character of the run begins
  for (;;) {
    const Scan::Character next = scan.look(end);
    if ((next.flags & kSpace) == 0) {
      return next.length == 0 || last == at ? end : last;
    }
    last = end;
    end += next.length;
  }
}

std::size_t match_lines(Scan& scan, std::size_t at) {
  std::size_t end = at;
  std::size_t last = at;
  std::size_t line_end = at;
  for (;;) {
    const Scan::Character next = scan.look(end);
    if ((next.flags & kSpace) == 0) {
      if (line_end != at) {
        return line_end;
      }
      return next.length == 0 || last == at ? end : last;
    }
    last = end;
    end += next.length;
    line_end = (next.flags & kNewline) != 0 ? end : line_end;
  }
}

}  // namespace linnet::tables
