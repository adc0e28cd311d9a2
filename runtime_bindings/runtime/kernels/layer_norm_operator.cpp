// ExecuTorch operators linnet::add_layer_norm.out and linnet::layer_norm.out: shapes are checked, rows shared
// among threads.
#include <executorch/runtime/core/exec_aten/util/tensor_util.h>
#include <executorch/runtime/kernel/kernel_runtime_context.h>
#include <executorch/runtime/kernel/operator_registry.h>

#include "kernels/dispatch.h"
#include "kernels/layer_norm.h"
#include "kernels/on_threads.h"
#include "kernels/tensor_checks.h"

namespace linnet::kernels {
namespace {

using executorch::aten::Tensor;
using executorch::runtime::Error;
using executorch::runtime::EValue;
using executorch::runtime::Kernel;
using executorch::runtime::KernelRuntimeContext;
using executorch::runtime::Span;

// Tokens below which waking the other threads takes longer than the work.
constexpr std::size_t kSmallestShare = 32;

// Normalize x, or x + residual.
void normalize(KernelRuntimeContext& context, const Tensor& x, const Tensor* residual, const Tensor& weight,
               double epsilon, Tensor& out) {
  ET_KERNEL_CHECK(context,
                  is_float(x, 2) && is_float(weight, 1) && is_float(out, 2) && weight.size(0) == x.size(1) &&
                      (residual == nullptr || is_matrix_like(*residual, x)),
                  InvalidArgument, );
  ET_KERNEL_CHECK(context, executorch::runtime::resize_tensor(out, x.sizes()) == Error::Ok,
                  InvalidArgument, );
  const LayerNormInput input{
      x.const_data_ptr<float>(), residual == nullptr ? nullptr : residual->const_data_ptr<float>(),
      weight.const_data_ptr<float>(), static_cast<std::size_t>(x.size(1)), static_cast<float>(epsilon)};
  const auto rows = static_cast<std::size_t>(x.size(0));
  float* result = out.mutable_data_ptr<float>();
  const LayerNormKernel kernel = chosen_kernels().layer_norm;
  share(rows, kSmallestShare,
        [&](std::size_t first, std::size_t last) { kernel(input, first, last, result); });
}

// add_layer_norm.out(Tensor x, Tensor residual, Tensor weight, float eps, *, Tensor(a!) out) -> Tensor(a!)
void add_layer_norm_out(KernelRuntimeContext& context, Span<EValue*> stack) {
  normalize(context, stack[0]->toTensor(), &stack[1]->toTensor(), stack[2]->toTensor(), stack[3]->toDouble(),
            stack[4]->toTensor());
}

// layer_norm.out(Tensor x, Tensor weight, float eps, *, Tensor(a!) out) -> Tensor(a!)
void layer_norm_out(KernelRuntimeContext& context, Span<EValue*> stack) {
  normalize(context, stack[0]->toTensor(), nullptr, stack[1]->toTensor(), stack[2]->toDouble(),
            stack[3]->toTensor());
}

[[maybe_unused]] const Error registered =
    executorch::runtime::register_kernel(Kernel("linnet::add_layer_norm.out", add_layer_norm_out));
[[maybe_unused]] const Error registered_of_one =
    executorch::runtime::register_kernel(Kernel("linnet::layer_norm.out", layer_norm_out));

}  // namespace
}  // namespace linnet::kernels
