// Guess of the tokens that follow a text: those that stood behind the same tokens before.
#ifndef LINNET_RUNTIME_GENERATE_LOOKUP_H_
#define LINNET_RUNTIME_GENERATE_LOOKUP_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace linnet {

// Return at most `most` tokens that may follow: the last tokens of the text are looked for before, the most
// of them that are found (2 to 16), the last place where they are; what stands behind them there is the
// guess, as many as were found, going round where it reaches the end of the text. Empty where nothing was
// found. Prompt lookup: https://github.com/apoorvumang/prompt-lookup-decoding. Throw std::bad_alloc.
std::vector<std::int64_t> guess_tokens(const std::vector<std::int64_t>& tokens, std::size_t most);

}  // namespace linnet

#endif  // LINNET_RUNTIME_GENERATE_LOOKUP_H_
