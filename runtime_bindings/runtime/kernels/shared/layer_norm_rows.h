// Layer normalization, row by row, for the vectors of the processor whose source includes this (see
// linear_rows.h).
#ifndef LINNET_RUNTIME_KERNELS_SHARED_LAYER_NORM_ROWS_H_
#define LINNET_RUNTIME_KERNELS_SHARED_LAYER_NORM_ROWS_H_

#include <cmath>
#include <cstddef>

#include "kernels/layer_norm.h"

namespace linnet::kernels {
namespace {

// Normalize kCount rows at once, because in a single row each addition waits for the one before.
template <std::size_t kCount>
inline void normalize_rows(const LayerNormInput& input, std::size_t first, float* out) {
  const std::size_t width = input.width;
  const Floats share = all(1.0F / static_cast<float>(width));
  const std::size_t start = first * width;
  Floats sums[kCount];
  Floats means[kCount];
  for (auto& sum : sums) {
    sum = all(0.0F);
  }
  for (std::size_t i = 0; i < width; i += kLanes) {
    const std::size_t count = width - i;
    for (std::size_t row = 0; row < kCount; ++row) {
      const std::size_t at = start + row * width + i;
      const Floats x = load(input.x + at, count);
      const Floats added = input.residual == nullptr ? x : add(x, load(input.residual + at, count));
      sums[row] = add(sums[row], added);
      store(out + at, added, count);
    }
  }
  for (std::size_t row = 0; row < kCount; ++row) {
    means[row] = multiply(all(sum_of_lanes(sums[row])), share);
    sums[row] = all(0.0F);
  }
  for (std::size_t i = 0; i < width; i += kLanes) {
    const std::size_t count = width - i;
    for (std::size_t row = 0; row < kCount; ++row) {
      const Floats summed = load(out + start + row * width + i, count);
      const Floats centred = first_lanes(subtract(summed, means[row]), count);
      sums[row] = fused(centred, centred, sums[row]);
    }
  }
  for (std::size_t row = 0; row < kCount; ++row) {
    const float variance = sum_of_lanes(sums[row]) / static_cast<float>(width);
    sums[row] = all(1.0F / std::sqrt(variance + input.epsilon));
  }
  for (std::size_t i = 0; i < width; i += kLanes) {
    const std::size_t count = width - i;
    const Floats weight = load(input.weight + i, count);
    for (std::size_t row = 0; row < kCount; ++row) {
      const std::size_t at = start + row * width + i;
      const Floats centred = subtract(load(out + at, count), means[row]);
      store(out + at, multiply(centred, multiply(sums[row], weight)), count);
    }
  }
}

inline void layer_norm_rows(const LayerNormInput& input, std::size_t first, std::size_t last, float* out) {
  for (; first + 4 <= last; first += 4) {
    normalize_rows<4>(input, first, out);
  }
  for (; first < last; ++first) {
    normalize_rows<1>(input, first, out);
  }
}

}  // namespace
}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_SHARED_LAYER_NORM_ROWS_H_
