// Logits by the rows of an int8 word embedding: products of a few hidden states with all rows. The table is
// read as it lies in the file, row by row, so the file holds it once for the embedding and the head.
#ifndef LINNET_RUNTIME_KERNELS_HEAD_H_
#define LINNET_RUNTIME_KERNELS_HEAD_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace linnet::kernels {

struct HeadInput {
  const std::int16_t* states;  // [rows][width], hidden states rounded to within largest_state(width)
  const float* state_scales;   // [rows]
  std::size_t rows;
  std::size_t width;           // at most kWidestHead
  const std::int8_t* weights;  // [outputs][width]
  const float* scales;         // [outputs]
  std::size_t outputs;
};

constexpr std::size_t kWidestHead = 131072;

// Return the largest magnitude of a rounded state: as many bits as an int16 has and as keep the sum of
// `width` products with int8 weights within an int32. Reading the table takes longer than multiplying, so
// more bits than the 8 of other layers cost nothing, and logits are where an error of rounding shows most.
constexpr std::int32_t largest_state(std::size_t width) noexcept {
  return static_cast<std::int32_t>(std::min<std::size_t>(32767, 2147483647U / (128 * width)));
}

// Write the logits [first, last) of all rows to `out`, float32 [rows, outputs]: sum * state scale * scale.
using HeadKernel = void (*)(const HeadInput& input, std::size_t first, std::size_t last, float* out);

}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_HEAD_H_
