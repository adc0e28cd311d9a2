// ExecuTorch operator linnet::multiply.out: products by element, rows shared among threads.
#include <executorch/runtime/core/exec_aten/util/tensor_util.h>
#include <executorch/runtime/kernel/kernel_runtime_context.h>
#include <executorch/runtime/kernel/operator_registry.h>

#include <cstddef>

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

// multiply.out(Tensor x, Tensor gate, *, Tensor(a!) out) -> Tensor(a!)
void multiply_out(KernelRuntimeContext& context, Span<EValue*> stack) {
  const Tensor& x = stack[0]->toTensor();
  const Tensor& gate = stack[1]->toTensor();
  Tensor& out = stack[2]->toTensor();
  ET_KERNEL_CHECK(context, is_float(x, 2) && is_matrix_like(gate, x) && is_float(out, 2), InvalidArgument, );
  ET_KERNEL_CHECK(context, executorch::runtime::resize_tensor(out, x.sizes()) == Error::Ok,
                  InvalidArgument, );
  const auto* left = x.const_data_ptr<float>();
  const auto* right = gate.const_data_ptr<float>();
  auto* result = out.mutable_data_ptr<float>();
  const auto rows = static_cast<std::size_t>(x.size(0));
  const auto width = static_cast<std::size_t>(x.size(1));
  share(rows, kSmallestShare, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first * width; i < last * width; ++i) {
      result[i] = left[i] * right[i];
    }
  });
}

[[maybe_unused]] const Error registered =
    executorch::runtime::register_kernel(Kernel("linnet::multiply.out", multiply_out));

}  // namespace
}  // namespace linnet::kernels
