// Layer normalization, row by row: (s - mean(s)) / sqrt(variance(s) + epsilon) * weight with s = x + residual
// or s = x, as in https://arxiv.org/abs/1607.06450. XNNPACK has no operator for it and takes nine,
// each of which passes over the whole matrix.
#ifndef LINNET_RUNTIME_KERNELS_LAYER_NORM_H_
#define LINNET_RUNTIME_KERNELS_LAYER_NORM_H_

#include <cstddef>

namespace linnet::kernels {

// Matrices are float32 [rows, width], contiguous; the weight is float32 [width].
struct LayerNormInput {
  const float* x;
  const float* residual;  // or null
  const float* weight;
  std::size_t width;
  float epsilon;
};

// Writes the rows [first, last) of `out`, which must not be one of the inputs.
using LayerNormKernel = void (*)(const LayerNormInput& input, std::size_t first, std::size_t last,
                                 float* out);

}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_LAYER_NORM_H_
