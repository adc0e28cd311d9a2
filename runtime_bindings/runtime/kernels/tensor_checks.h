// Checks of tensors that operators and the delegate take.
#ifndef LINNET_RUNTIME_KERNELS_TENSOR_CHECKS_H_
#define LINNET_RUNTIME_KERNELS_TENSOR_CHECKS_H_

#include <executorch/runtime/core/exec_aten/exec_aten.h>

#include <cstddef>

namespace linnet::kernels {

// Tell whether a tensor is float32 and has so many dimensions.
inline bool is_float(const executorch::aten::Tensor& tensor, ssize_t dimensions) {
  return tensor.scalar_type() == executorch::aten::ScalarType::Float && tensor.dim() == dimensions;
}

// Tell whether a tensor is a float32 matrix with rows of `width` numbers.
inline bool is_matrix(const executorch::aten::Tensor& tensor, std::size_t width) {
  return is_float(tensor, 2) && static_cast<std::size_t>(tensor.size(1)) == width;
}

// Tell whether a tensor is a float32 matrix of the size of another one.
inline bool is_matrix_like(const executorch::aten::Tensor& tensor, const executorch::aten::Tensor& like) {
  return is_float(tensor, 2) && like.dim() == 2 && tensor.size(0) == like.size(0) &&
         tensor.size(1) == like.size(1);
}

}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_TENSOR_CHECKS_H_
