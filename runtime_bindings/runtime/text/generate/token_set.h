// Set of tokens.
#ifndef LINNET_RUNTIME_GENERATE_TOKEN_SET_H_
#define LINNET_RUNTIME_GENERATE_TOKEN_SET_H_

#include <cstdint>
#include <vector>

namespace linnet {

// Bit `id` % 64 of word `id` / 64 is set for each token. Ids behind the last word are not part of it.
using TokenSet = std::vector<std::uint64_t>;

}  // namespace linnet

#endif  // LINNET_RUNTIME_GENERATE_TOKEN_SET_H_
