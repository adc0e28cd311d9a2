// Root mean square normalization, row by row, for the vectors of the processor whose source includes this
// (see linear_rows.h).
#ifndef LINNET_RUNTIME_KERNELS_SHARED_RMS_NORM_ROWS_H_
#define LINNET_RUNTIME_KERNELS_SHARED_RMS_NORM_ROWS_H_

#include <cmath>
#include <cstddef>

#include "kernels/rms_norm.h"

namespace linnet::kernels {
namespace {

// Write x + residual, if there is a residual, and return the sum of the squares of a row. Four sums, because
// in a single one each addition waits for the one before: a decoder has one row.
inline float sum_of_squares(const RmsNormInput& input, std::size_t start, float* sum) {
  constexpr std::size_t kAtOnce = 4;
  Floats squares[kAtOnce];
  for (Floats& each : squares) {
    each = all(0.0F);
  }
  for (std::size_t i = 0; i < input.width; i += kAtOnce * kLanes) {
    for (std::size_t part = 0; part < kAtOnce && i + part * kLanes < input.width; ++part) {
      const std::size_t column = i + part * kLanes;
      const std::size_t count = input.width - column;
      Floats x = load(input.x + start + column, count);
      if (input.residual != nullptr) {
        x = add(x, load(input.residual + start + column, count));
        store(sum + start + column, x, count);
      }
      squares[part] = fused(x, x, squares[part]);
    }
  }
  return sum_of_lanes(add(add(squares[0], squares[1]), add(squares[2], squares[3])));
}

inline void rms_norm_rows(const RmsNormInput& input, std::size_t first, std::size_t last, float* sum,
                          float* out) {
  for (std::size_t row = first; row < last; ++row) {
    const std::size_t start = row * input.width;
    const float mean = sum_of_squares(input, start, sum) / static_cast<float>(input.width);
    const Floats factor = all(1.0F / std::sqrt(mean + input.epsilon));
    const float* summed = (input.residual == nullptr ? input.x : sum) + start;
    for (std::size_t i = 0; i < input.width; i += kLanes) {
      const std::size_t count = input.width - i;
      const Floats normal = multiply(load(summed + i, count), factor);
      store(out + start + i, multiply(normal, load(input.weight + i, count)), count);
    }
  }
}

}  // namespace
}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_SHARED_RMS_NORM_ROWS_H_
