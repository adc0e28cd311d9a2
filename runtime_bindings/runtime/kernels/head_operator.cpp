// ExecuTorch operator linnet::int8_head.out: states are rounded, rows of the table shared among threads.
#include <executorch/runtime/core/exec_aten/util/tensor_util.h>
#include <executorch/runtime/kernel/kernel_runtime_context.h>
#include <executorch/runtime/kernel/operator_registry.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <vector>

#include "kernels/dispatch.h"
#include "kernels/head.h"
#include "kernels/on_threads.h"
#include "kernels/tensor_checks.h"

namespace linnet::kernels {
namespace {

using executorch::aten::ScalarType;
using executorch::aten::Tensor;
using executorch::runtime::Error;
using executorch::runtime::EValue;
using executorch::runtime::Kernel;
using executorch::runtime::KernelRuntimeContext;
using executorch::runtime::Span;

constexpr float kSmallest =
    1e-32F;  // magnitude of a row of zeros: 32767 divided by it must still be a number
// Rows of the table below which waking the other threads takes longer than the work.
constexpr std::size_t kSmallestShare = 512;

// Hidden states as whole numbers with a symmetric scale by row.
struct RoundedStates {
  std::vector<std::int16_t> numbers;
  std::vector<float> scales;

  RoundedStates(const float* x, std::size_t rows, std::size_t width) : numbers(rows * width), scales(rows) {
    const auto limit = static_cast<float>(largest_state(width));
    for (std::size_t row = 0; row < rows; ++row) {
      const float* from = x + row * width;
      float largest = kSmallest;
      for (std::size_t i = 0; i < width; ++i) {
        largest = std::max(largest, std::abs(from[i]));
      }
      scales[row] = largest / limit;
      const float factor = limit / largest;
      for (std::size_t i = 0; i < width; ++i) {
        numbers[row * width + i] = static_cast<std::int16_t>(std::lrint(from[i] * factor));
      }
    }
  }
};

bool are_finite(const float* x, std::size_t count) {
  return std::all_of(x, x + count, [](float value) { return std::isfinite(value); });
}

// int8_head.out(Tensor x, Tensor weight, Tensor scale, *, Tensor(a!) out) -> Tensor(a!)
void int8_head_out(KernelRuntimeContext& context, Span<EValue*> stack) {
  const Tensor& x = stack[0]->toTensor();
  const Tensor& weight = stack[1]->toTensor();
  const Tensor& scale = stack[2]->toTensor();
  Tensor& out = stack[3]->toTensor();
  ET_KERNEL_CHECK(context,
                  is_float(x, 2) && weight.scalar_type() == ScalarType::Char && weight.dim() == 2 &&
                      weight.size(1) == x.size(1) && scale.scalar_type() == ScalarType::Float &&
                      scale.numel() == weight.size(0) && is_float(out, 2) && x.size(1) > 0 &&
                      static_cast<std::size_t>(x.size(1)) <= kWidestHead,
                  InvalidArgument, );
  using Size = executorch::aten::SizesType;
  const Size sizes[] = {static_cast<Size>(x.size(0)), static_cast<Size>(weight.size(0))};
  ET_KERNEL_CHECK(context, executorch::runtime::resize_tensor(out, {sizes, 2}) == Error::Ok,
                  InvalidArgument, );
  const auto rows = static_cast<std::size_t>(x.size(0));
  const auto width = static_cast<std::size_t>(x.size(1));
  const auto outputs = static_cast<std::size_t>(weight.size(0));
  // an infinite state has no scale: the logits would be no numbers on one processor and zeros on another
  ET_KERNEL_CHECK(context, are_finite(x.const_data_ptr<float>(), rows * width), InvalidState, );
  try {
    const RoundedStates states(x.const_data_ptr<float>(), rows, width);
    const HeadInput input{states.numbers.data(),
                          states.scales.data(),
                          rows,
                          width,
                          weight.const_data_ptr<std::int8_t>(),
                          scale.const_data_ptr<float>(),
                          outputs};
    float* const logits = out.mutable_data_ptr<float>();
    const HeadKernel kernel = chosen_kernels().head;
    share(outputs, kSmallestShare,
          [&](std::size_t first, std::size_t last) { kernel(input, first, last, logits); });
  } catch (const std::bad_alloc&) {
    context.fail(Error::MemoryAllocationFailed);
  }
}

[[maybe_unused]] const Error registered =
    executorch::runtime::register_kernel(Kernel("linnet::int8_head.out", int8_head_out));

}  // namespace
}  // namespace linnet::kernels
