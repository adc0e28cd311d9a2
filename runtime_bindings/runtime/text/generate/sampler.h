// Choice of the next token from logits.
#ifndef LINNET_RUNTIME_GENERATE_SAMPLER_H_
#define LINNET_RUNTIME_GENERATE_SAMPLER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "generate/token_set.h"
#include "linnet.h"

namespace linnet {

// Throw LINNET_INVALID_ARGUMENT for settings outside of the ranges that linnet.h gives.
void check_sampling(const linnet_sampling& sampling);

// Choose a token as transformers does with the same settings: penalties, then temperature, top_k, top_p and
// min_p, all among the tokens of `allowed` alone, if it is not nullptr. `logits` are float32 [vocabulary];
// `history` has all tokens so far, the last `generated` of which are not of the prompt. With a temperature of
// 0 the largest logit wins, the smaller id of equal ones.
//
// The random number is a function of the seed and of the length of the history: an answer does not depend on
// how it was computed (in chunks, after a rewind, in a fork), and all processors get the same. Throw
// LINNET_RUN_FAILED if a logit is no number, LINNET_INVALID_ARGUMENT if no token is allowed, std::bad_alloc.
std::int64_t choose_token(const float* logits, std::size_t vocabulary,
                          const std::vector<std::int64_t>& history, std::size_t generated,
                          const linnet_sampling& sampling, const TokenSet* allowed = nullptr);

// Return the natural logarithm of the probability that the logits give a token, before penalties, temperature
// and constraints. Throw LINNET_RUN_FAILED if a logit is no number or none is finite.
float log_probability(const float* logits, std::size_t vocabulary, std::int64_t id);

}  // namespace linnet

#endif  // LINNET_RUNTIME_GENERATE_SAMPLER_H_
