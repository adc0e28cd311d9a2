// Layer normalization of a sum: (s - mean(s)) / sqrt(variance(s) + epsilon) * weight with s = x + residual,
// row by row, as in https://arxiv.org/abs/1607.06450. XNNPACK has no such operator: there it takes nine, and
// each passes over the whole matrix.
#ifndef LINNET_RUNTIME_KERNELS_LAYER_NORM_H_
#define LINNET_RUNTIME_KERNELS_LAYER_NORM_H_

#include <cstddef>

namespace linnet::kernels {

// Matrices are float32 [rows, width], contiguous; the weight is float32 [width].
struct LayerNormInput {
  const float* x;
  const float* residual;
  const float* weight;
  std::size_t width;
  float epsilon;
};

// Writes the rows [first, last) of `out`, which may be none of the inputs.
using LayerNormKernel = void (*)(const LayerNormInput& input, std::size_t first, std::size_t last,
                                 float* out);

// Plain C++, for every processor. Sums in float32 may differ from those of others in the last bits.
void portable_layer_norm(const LayerNormInput& input, std::size_t first, std::size_t last, float* out);

// The kernel of this processor's vector instructions, or null if there is none.
LayerNormKernel fast_layer_norm() noexcept;

}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_LAYER_NORM_H_
