// Score functions (softmax, sigmoid) and the order of scores.
#ifndef LINNET_RUNTIME_DECODE_SCORES_H_
#define LINNET_RUNTIME_DECODE_SCORES_H_

#include <cmath>
#include <cstddef>
#include <string_view>
#include <vector>

#include "linnet.h"

namespace linnet {

// Replace each x by exp(x) / sum(exp(x)). The maximum is subtracted first, so nothing overflows; the sum is a
// double.
void softmax(float* values, std::size_t count) noexcept;
// Replace each x by 1 / (1 + exp(-x)). The exponent that is computed is never positive, so nothing overflows.
void sigmoid(float* values, std::size_t count) noexcept;

// Apply a score function in place. Throw LINNET_INVALID_ARGUMENT for LINNET_SCORES_OF_FILE, which the caller
// must look up first.
void apply_scores(linnet_score_function function, float* values, std::size_t count);
// Return the score function of the name "softmax", "sigmoid" or "none"; LINNET_SCORES_NONE for any other.
linnet_score_function score_function_of(std::string_view name) noexcept;

// Tell whether `left` comes before `right`: largest first, NaN last. The order is strict, as sorting needs
// it.
inline bool better(double left, double right) noexcept {
  return left > right || (std::isnan(right) && !std::isnan(left));
}

// Return the position of the best value, the first among equals. `count` is at least 1.
std::size_t best_of(const float* values, std::size_t count) noexcept;

// Return the positions of the `wanted` best values (0: all), best first, the earlier first among equals.
std::vector<std::size_t> best_positions(const float* values, std::size_t count, std::size_t wanted);

}  // namespace linnet

#endif  // LINNET_RUNTIME_DECODE_SCORES_H_
