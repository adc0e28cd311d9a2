// How many tokens the states of an automaton are away from the end of a text.
#ifndef LINNET_RUNTIME_CONSTRAIN_TOKEN_DISTANCE_H_
#define LINNET_RUNTIME_CONSTRAIN_TOKEN_DISTANCE_H_

#include <cstdint>
#include <vector>

#include "constrain/nfa.h"
#include "constrain/token_trie.h"

namespace linnet::constrain {

// Return for each state a number of tokens that lead to the accepting one, or Automaton::kNever. From a state
// with the number n > 0 some token leads to one with n - 1, so a text can always be finished in n tokens. All
// tokens of one byte are looked at, and as many of the longer ones, the shorter first, as a bound on the work
// allows; the number may therefore be larger than the least one. Throw LINNET_INVALID_ARGUMENT if the
// automaton is too ambiguous.
std::vector<std::uint32_t> token_distances(const Nfa& nfa, const TokenTrie& trie);

}  // namespace linnet::constrain

#endif  // LINNET_RUNTIME_CONSTRAIN_TOKEN_DISTANCE_H_
