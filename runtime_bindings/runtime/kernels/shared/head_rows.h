// Logits by rows of an int8 table, for the instructions of the processor whose source includes this.
#ifndef LINNET_RUNTIME_KERNELS_SHARED_HEAD_ROWS_H_
#define LINNET_RUNTIME_KERNELS_SHARED_HEAD_ROWS_H_

#include <cstddef>
#include <cstdint>

#include "kernels/head.h"

namespace linnet::kernels {
namespace {

// Return the product of a state with a row. Sums of 16-bit products in 32 bits are one instruction on every
// processor, and compilers find it; the table comes from memory, which is slower than any of them.
inline std::int32_t head_product(const std::int16_t* state, const std::int8_t* row, std::size_t width) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < width; ++i) {
    sum += static_cast<std::int32_t>(state[i]) * static_cast<std::int16_t>(row[i]);
  }
  return sum;
}

inline void head_rows(const HeadInput& input, std::size_t first, std::size_t last, float* out) {
  for (std::size_t output = first; output < last; ++output) {
    const std::int8_t* weights = input.weights + output * input.width;
    for (std::size_t row = 0; row < input.rows; ++row) {
      const std::int32_t sum = head_product(input.states + row * input.width, weights, input.width);
      out[row * input.outputs + output] =
          static_cast<float>(sum) * input.state_scales[row] * input.scales[output];
    }
  }
}

}  // namespace
}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_SHARED_HEAD_ROWS_H_
