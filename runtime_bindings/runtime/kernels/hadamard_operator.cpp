// ExecuTorch operator linnet::hadamard.out: shapes are checked, rows shared among threads.
#include <executorch/runtime/core/exec_aten/util/tensor_util.h>
#include <executorch/runtime/kernel/kernel_runtime_context.h>
#include <executorch/runtime/kernel/operator_registry.h>

#include <cstdint>

#include "kernels/dispatch.h"
#include "kernels/hadamard.h"
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

// hadamard.out(Tensor x, int block, *, Tensor(a!) out) -> Tensor(a!)
void hadamard_out(KernelRuntimeContext& context, Span<EValue*> stack) {
  const Tensor& x = stack[0]->toTensor();
  const std::int64_t block = stack[1]->toInt();
  Tensor& out = stack[2]->toTensor();
  ET_KERNEL_CHECK(context,
                  is_float(x, 2) && is_float(out, 2) && block > 0 &&
                      is_hadamard_block(static_cast<std::size_t>(block), static_cast<std::size_t>(x.size(1))),
                  InvalidArgument, );
  ET_KERNEL_CHECK(context, executorch::runtime::resize_tensor(out, x.sizes()) == Error::Ok,
                  InvalidArgument, );
  const auto* from = x.const_data_ptr<float>();
  auto* to = out.mutable_data_ptr<float>();
  const auto rows = static_cast<std::size_t>(x.size(0));
  const auto width = static_cast<std::size_t>(x.size(1));
  const HadamardKernel kernel = chosen_kernels().hadamard;
  share(rows, kSmallestShare, [&](std::size_t first, std::size_t last) {
    kernel(from, width, static_cast<std::size_t>(block), first, last, to);
  });
}

[[maybe_unused]] const Error registered =
    executorch::runtime::register_kernel(Kernel("linnet::hadamard.out", hadamard_out));

}  // namespace
}  // namespace linnet::kernels
