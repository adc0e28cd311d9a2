// Root mean square normalization, row by row: s / sqrt(mean(s^2) + epsilon) * weight with s = x + residual or
// s = x, as in https://arxiv.org/abs/1910.07467.
#ifndef LINNET_RUNTIME_KERNELS_RMS_NORM_H_
#define LINNET_RUNTIME_KERNELS_RMS_NORM_H_

#include <cstddef>

namespace linnet::kernels {

// Matrices are float32 [rows, width], contiguous; the weight is float32 [width].
struct RmsNormInput {
  const float* x;
  const float* residual;  // or null
  const float* weight;
  std::size_t width;
  float epsilon;
};

// Writes the rows [first, last) of `out`, and of `sum` x + residual if there is a residual. Neither is one of
// the inputs.
using RmsNormKernel = void (*)(const RmsNormInput& input, std::size_t first, std::size_t last, float* sum,
                               float* out);

}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_RMS_NORM_H_
