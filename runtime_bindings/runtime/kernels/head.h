// Logits by the rows of an int8 word embedding: products of a few hidden states with all rows. The table is
// read as it lies in the file, row by row, so the file holds it once for the embedding and the head.
#ifndef LINNET_RUNTIME_KERNELS_HEAD_H_
#define LINNET_RUNTIME_KERNELS_HEAD_H_

#include <cstddef>
#include <cstdint>

namespace linnet::kernels {

struct HeadInput {
  const std::int16_t* states;  // [rows][width], hidden states rounded to -127 .. 127
  const float* state_scales;   // [rows]
  std::size_t rows;
  std::size_t width;           // at most kWidestHead
  const std::int8_t* weights;  // [outputs][width]
  const float* scales;         // [outputs]
  std::size_t outputs;
};

constexpr std::size_t kWidestHead = 131072;  // sums of products of 7-bit numbers fit in an int32

// Write the logits [first, last) of all rows to `out`, float32 [rows, outputs]: sum * state scale * scale.
using HeadKernel = void (*)(const HeadInput& input, std::size_t first, std::size_t last, float* out);

}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_HEAD_H_
