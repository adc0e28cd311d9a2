// ExecuTorch operator linnet::add_layer_norm.out: shapes are checked, rows shared among threads.
#include <executorch/runtime/core/exec_aten/util/tensor_util.h>
#include <executorch/runtime/kernel/kernel_runtime_context.h>
#include <executorch/runtime/kernel/operator_registry.h>

#include "kernels/dispatch.h"
#include "kernels/layer_norm.h"
#include "kernels/on_threads.h"

namespace linnet::kernels {
namespace {

using executorch::aten::ScalarType;
using executorch::aten::Tensor;
using executorch::runtime::Error;
using executorch::runtime::EValue;
using executorch::runtime::Kernel;
using executorch::runtime::KernelRuntimeContext;
using executorch::runtime::Span;

// Tokens below which waking the other threads takes longer than the work.
constexpr std::size_t kSmallestShare = 32;

bool is_float(const Tensor& tensor, ssize_t dimensions) {
  return tensor.scalar_type() == ScalarType::Float && tensor.dim() == dimensions;
}

// add_layer_norm.out(Tensor x, Tensor residual, Tensor weight, float eps, *, Tensor(a!) out) -> Tensor(a!)
void add_layer_norm_out(KernelRuntimeContext& context, Span<EValue*> stack) {
  const Tensor& x = stack[0]->toTensor();
  const Tensor& residual = stack[1]->toTensor();
  const Tensor& weight = stack[2]->toTensor();
  const auto epsilon = static_cast<float>(stack[3]->toDouble());
  Tensor& out = stack[4]->toTensor();
  ET_KERNEL_CHECK(context,
                  is_float(x, 2) && is_float(residual, 2) && is_float(weight, 1) && is_float(out, 2) &&
                      residual.size(0) == x.size(0) && residual.size(1) == x.size(1) &&
                      weight.size(0) == x.size(1),
                  InvalidArgument, );
  ET_KERNEL_CHECK(context, executorch::runtime::resize_tensor(out, x.sizes()) == Error::Ok,
                  InvalidArgument, );
  const LayerNormInput input{x.const_data_ptr<float>(), residual.const_data_ptr<float>(),
                             weight.const_data_ptr<float>(), static_cast<std::size_t>(x.size(1)), epsilon};
  const auto rows = static_cast<std::size_t>(x.size(0));
  float* result = out.mutable_data_ptr<float>();
  const LayerNormKernel kernel = chosen_kernels().layer_norm;
  const std::size_t threads = usable_threads(rows, kSmallestShare);
  on_threads(threads, [&](std::size_t thread) {
    kernel(input, rows * thread / threads, rows * (thread + 1) / threads, result);
  });
}

[[maybe_unused]] const Error registered =
    executorch::runtime::register_kernel(Kernel("linnet::add_layer_norm.out", add_layer_norm_out));

}  // namespace
}  // namespace linnet::kernels
