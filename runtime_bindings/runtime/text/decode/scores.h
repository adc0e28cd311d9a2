// From logits to scores, and the order of scores.
#ifndef LINNET_RUNTIME_DECODE_SCORES_H_
#define LINNET_RUNTIME_DECODE_SCORES_H_

#include <cmath>
#include <cstddef>
#include <string_view>
#include <vector>

#include "linnet.h"

namespace linnet {

// exp(x) / sum(exp(x)), shifted by the maximum, so nothing overflows; summed in double.
void softmax(float* values, std::size_t count) noexcept;
// 1 / (1 + exp(-x)); the exponent is never positive, so nothing overflows.
void sigmoid(float* values, std::size_t count) noexcept;

// LINNET_SCORES_OF_FILE is not one of them. Throws Error(LINNET_INVALID_ARGUMENT).
void apply_scores(linnet_score_function function, float* values, std::size_t count);
// "softmax", "sigmoid" or "none"; anything else is LINNET_SCORES_NONE.
linnet_score_function score_function_of(std::string_view name) noexcept;

// A strict order, largest first, in which NaN comes last.
inline bool better(double left, double right) noexcept {
  return left > right || (std::isnan(right) && !std::isnan(left));
}

// Position of the best value, the first among equals. `count` is at least 1.
std::size_t best_of(const float* values, std::size_t count) noexcept;

// Positions of the `wanted` best values (0: all), best first, the earlier position first among equals.
std::vector<std::size_t> best_positions(const float* values, std::size_t count, std::size_t wanted);

}  // namespace linnet

#endif  // LINNET_RUNTIME_DECODE_SCORES_H_
