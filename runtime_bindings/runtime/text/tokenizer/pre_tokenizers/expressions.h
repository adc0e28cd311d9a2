// Regular expressions of published tokenizers, each compiled by hand to a matcher in its own file.
#ifndef LINNET_RUNTIME_TOKENIZER_PRE_TOKENIZERS_EXPRESSIONS_H_
#define LINNET_RUNTIME_TOKENIZER_PRE_TOKENIZERS_EXPRESSIONS_H_

#include <cstddef>
#include <cstdint>

#include "tokenizer/pre_tokenizers/classes.h"

namespace linnet::tables {

// Return where the match of an expression ends that begins exactly at `at`, which is inside of the text; `at`
// if there is none. If the scan then says more(), the result is void.
using Expression = std::size_t (*)(Scan& scan, std::size_t at);

// Return the expression of a number in the bytes, nullptr for an unknown one. EXPRESSIONS in the writer has
// the same order.
Expression expression_of(std::uint32_t number) noexcept;

std::size_t match_gpt2(Scan& scan, std::size_t at);
std::size_t match_llama3(Scan& scan, std::size_t at);
std::size_t match_qwen2(Scan& scan, std::size_t at);
std::size_t match_o200k(Scan& scan, std::size_t at);
std::size_t match_three_digits(Scan& scan, std::size_t at);
std::size_t match_deepseek_cjk(Scan& scan, std::size_t at);
std::size_t match_deepseek(Scan& scan, std::size_t at);
std::size_t match_qwen35(Scan& scan, std::size_t at);

// ---- common parts
// -----------------------------------------------------------------------------------------------

// Return where a contraction ends ('s, 't, 're, 've, 'm, 'll, 'd; `fold`: in any case), `at` if there is
// none.
std::size_t match_contraction(Scan& scan, std::size_t at, bool fold);
// Match \p{N}{1,most} .
std::size_t match_digits(Scan& scan, std::size_t at, int most);
// Match \s+(?!\S)|\s+ : white space, without its last character if something else follows.
std::size_t match_blanks(Scan& scan, std::size_t at);
// Match \s*[\r\n]+|\s+(?!\S)|\s+ : white space up to its last newline if there is one.
std::size_t match_lines(Scan& scan, std::size_t at);

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_PRE_TOKENIZERS_EXPRESSIONS_H_
