// ExecuTorch operator linnet::embedding_byte.out: looks up rows of an int8 table, in which each row has a
// scale.
#include <executorch/runtime/core/exec_aten/util/tensor_util.h>
#include <executorch/runtime/kernel/kernel_runtime_context.h>
#include <executorch/runtime/kernel/operator_registry.h>

#include <array>
#include <cstdint>

#include "kernels/on_threads.h"

namespace linnet::kernels {
namespace {

using executorch::aten::ArrayRef;
using executorch::aten::ScalarType;
using executorch::aten::SizesType;
using executorch::aten::Tensor;
using executorch::runtime::Error;
using executorch::runtime::EValue;
using executorch::runtime::Kernel;
using executorch::runtime::KernelRuntimeContext;
using executorch::runtime::kTensorDimensionLimit;
using executorch::runtime::Span;

// Tokens below which waking the other threads takes longer than the work.
constexpr std::size_t kSmallestShare = 64;

// A table int8 [rows, width] with float32 [rows] scales, and the ids to look up.
struct Lookup {
  const std::int8_t* rows;
  const float* scales;
  const std::int64_t* ids;
  std::size_t width;
};

void look_up(const Lookup& lookup, std::size_t first, std::size_t last, float* out) {
  for (std::size_t i = first; i < last; ++i) {
    const auto id = static_cast<std::size_t>(lookup.ids[i]);
    const std::int8_t* row = lookup.rows + id * lookup.width;
    const float scale = lookup.scales[id];
    float* target = out + i * lookup.width;
    for (std::size_t column = 0; column < lookup.width; ++column) {
      target[column] = static_cast<float>(row[column]) * scale;
    }
  }
}

bool all_below(const Tensor& ids, std::int64_t rows) {
  const auto* values = ids.const_data_ptr<std::int64_t>();
  return std::all_of(values, values + ids.numel(), [rows](std::int64_t id) { return id >= 0 && id < rows; });
}

Error resize(const Tensor& ids, SizesType width, Tensor& out) {
  std::array<SizesType, kTensorDimensionLimit> sizes{};
  const auto dimensions = static_cast<std::size_t>(ids.dim());
  if (dimensions + 1 > sizes.size()) {
    return Error::InvalidArgument;
  }
  std::copy(ids.sizes().begin(), ids.sizes().end(), sizes.begin());
  sizes[dimensions] = width;
  return executorch::runtime::resize_tensor(out, ArrayRef<SizesType>(sizes.data(), dimensions + 1));
}

// embedding_byte.out(Tensor weight, Tensor scale, Tensor ids, *, Tensor(a!) out) -> Tensor(a!)
void embedding_byte_out(KernelRuntimeContext& context, Span<EValue*> stack) {
  const Tensor& weight = stack[0]->toTensor();
  const Tensor& scale = stack[1]->toTensor();
  const Tensor& ids = stack[2]->toTensor();
  Tensor& out = stack[3]->toTensor();
  ET_KERNEL_CHECK(context,
                  weight.scalar_type() == ScalarType::Char && weight.dim() == 2 &&
                      scale.scalar_type() == ScalarType::Float && scale.numel() == weight.size(0) &&
                      ids.scalar_type() == ScalarType::Long && out.scalar_type() == ScalarType::Float &&
                      all_below(ids, weight.size(0)),
                  InvalidArgument, );
  ET_KERNEL_CHECK(context, resize(ids, static_cast<SizesType>(weight.size(1)), out) == Error::Ok,
                  InvalidArgument, );
  const Lookup lookup{weight.const_data_ptr<std::int8_t>(), scale.const_data_ptr<float>(),
                      ids.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(weight.size(1))};
  const auto count = static_cast<std::size_t>(ids.numel());
  float* result = out.mutable_data_ptr<float>();
  share(count, kSmallestShare,
        [&](std::size_t first, std::size_t last) { look_up(lookup, first, last, result); });
}

[[maybe_unused]] const Error registered =
    executorch::runtime::register_kernel(Kernel("linnet::embedding_byte.out", embedding_byte_out));

}  // namespace
}  // namespace linnet::kernels
