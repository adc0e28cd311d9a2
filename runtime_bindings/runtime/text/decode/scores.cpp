#include "decode/scores.h"

#include <algorithm>
#include <numeric>

#include "status.h"

namespace linnet {

void softmax(float* values, std::size_t count) noexcept {
  if (count == 0) {
    return;
  }
  const float largest = *std::max_element(values, values + count);
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = std::exp(values[i] - largest);
    sum += static_cast<double>(values[i]);
  }
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = static_cast<float>(static_cast<double>(values[i]) / sum);
  }
}

void sigmoid(float* values, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    const float small = std::exp(-std::fabs(values[i]));
    values[i] = (values[i] >= 0 ? 1.0F : small) / (1.0F + small);
  }
}

void apply_scores(linnet_score_function function, float* values, std::size_t count) {
  switch (function) {
    case LINNET_SCORES_SOFTMAX:
      softmax(values, count);
      return;
    case LINNET_SCORES_SIGMOID:
      sigmoid(values, count);
      return;
    case LINNET_SCORES_NONE:
      return;
    case LINNET_SCORES_OF_FILE:
      break;
  }
  throw Error(LINNET_INVALID_ARGUMENT, "score_function is no softmax, sigmoid or none");
}

linnet_score_function score_function_of(std::string_view name) noexcept {
  if (name == "softmax") {
    return LINNET_SCORES_SOFTMAX;
  }
  return name == "sigmoid" ? LINNET_SCORES_SIGMOID : LINNET_SCORES_NONE;
}

std::size_t best_of(const float* values, std::size_t count) noexcept {
  std::size_t best = 0;
  for (std::size_t i = 1; i < count; ++i) {
    best = better(values[i], values[best]) ? i : best;
  }
  return best;
}

std::vector<std::size_t> best_positions(const float* values, std::size_t count, std::size_t wanted) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto first = [values](std::size_t left, std::size_t right) {
    return better(values[left], values[right]) || (!better(values[right], values[left]) && left < right);
  };
  const std::size_t kept = wanted == 0 ? count : std::min(wanted, count);
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(kept);
  std::partial_sort(order.begin(), end, order.end(), first);
  order.resize(kept);
  return order;
}

}  // namespace linnet
