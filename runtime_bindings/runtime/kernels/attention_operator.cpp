// ExecuTorch operator linnet::int8_attention.out: shapes are checked, heads or queries shared among threads.
#include <executorch/runtime/core/exec_aten/util/tensor_util.h>
#include <executorch/runtime/kernel/kernel_runtime_context.h>
#include <executorch/runtime/kernel/operator_registry.h>

#include <algorithm>

#include "kernels/attention.h"
#include "kernels/dispatch.h"
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

constexpr std::size_t kAlignment = 64;
// Tokens below which waking the other threads takes longer than the work.
constexpr std::size_t kSmallestShare = 16;

// Arguments and memory of one call, borrowed.
struct Call {
  AttentionShape shape;
  AttentionKernel kernel;
  const float* query;
  const float* key;
  const float* value;
  float* out;
  std::uint8_t* packed;   // PackedHead::size for every head
  std::uint8_t* scratch;  // Scratch::size for every thread
  std::size_t threads;
};

bool is_matrix(const Tensor& tensor, const Tensor& like) {
  return tensor.scalar_type() == ScalarType::Float && tensor.dim() == 2 && tensor.size(0) == like.size(0) &&
         tensor.size(1) == like.size(1);
}

// Give whole heads to every thread: nothing is shared, so the threads are started only once.
void run_by_heads(const Call& call, const PackedHead& layout, std::size_t scratch_size) {
  on_threads(call.threads, [&](std::size_t thread) {
    std::uint8_t* packed = call.packed + thread * layout.size;
    for (std::size_t head = call.shape.heads * thread / call.threads;
         head < call.shape.heads * (thread + 1) / call.threads; ++head) {
      call.kernel.pack(call.shape, call.key, call.value, head, packed);
      call.kernel.attend(call.shape, call.query, head, 0, call.shape.tokens, packed,
                         call.scratch + thread * scratch_size, call.out);
    }
  });
}

// Share blocks of queries among the threads, for heads that do not divide evenly. All heads are packed first,
// because a block needs the keys of its whole head.
void run_by_queries(const Call& call, const PackedHead& layout, std::size_t scratch_size) {
  const std::size_t blocks = (call.shape.tokens + kLanes - 1) / kLanes;
  const std::size_t items = call.shape.heads * blocks;
  on_threads(call.threads, [&](std::size_t thread) {
    for (std::size_t head = call.shape.heads * thread / call.threads;
         head < call.shape.heads * (thread + 1) / call.threads; ++head) {
      call.kernel.pack(call.shape, call.key, call.value, head, call.packed + head * layout.size);
    }
  });
  on_threads(call.threads, [&](std::size_t thread) {
    for (std::size_t item = items * thread / call.threads; item < items * (thread + 1) / call.threads;
         ++item) {
      const std::size_t head = item / blocks;
      const std::size_t first = item % blocks * kLanes;
      call.kernel.attend(call.shape, call.query, head, first, std::min(first + kLanes, call.shape.tokens),
                         call.packed + head * layout.size, call.scratch + thread * scratch_size, call.out);
    }
  });
}

// int8_attention.out(Tensor query, Tensor key, Tensor value, int heads, *, Tensor(a!) out) -> Tensor(a!)
void int8_attention_out(KernelRuntimeContext& context, Span<EValue*> stack) {
  const Tensor& query = stack[0]->toTensor();
  const Tensor& key = stack[1]->toTensor();
  const Tensor& value = stack[2]->toTensor();
  const std::int64_t heads = stack[3]->toInt();
  Tensor& out = stack[4]->toTensor();
  ET_KERNEL_CHECK(context,
                  query.dim() == 2 && is_matrix(query, query) && is_matrix(key, query) &&
                      is_matrix(value, query) && out.scalar_type() == ScalarType::Float && heads > 0 &&
                      query.size(1) % heads == 0,
                  InvalidArgument, );
  ET_KERNEL_CHECK(context, executorch::runtime::resize_tensor(out, query.sizes()) == Error::Ok,
                  InvalidArgument, );
  Call call{};
  call.shape = {static_cast<std::size_t>(query.size(0)), static_cast<std::size_t>(heads),
                static_cast<std::size_t>(query.size(1) / heads)};
  if (call.shape.tokens == 0 || call.shape.head_width == 0) {
    return;
  }
  call.kernel = chosen_kernels().attention;
  const PackedHead layout(call.shape, call.kernel.format);
  const Scratch scratch(layout);
  call.threads = usable_threads(call.shape.tokens, kSmallestShare);
  const bool by_heads = call.shape.heads % call.threads == 0;
  const std::size_t packed_size = layout.size * (by_heads ? call.threads : call.shape.heads);
  const auto memory = context.allocate_temp(packed_size + call.threads * scratch.size, kAlignment);
  ET_KERNEL_CHECK(context, memory.ok(), MemoryAllocationFailed, );
  call.packed = static_cast<std::uint8_t*>(*memory);
  call.scratch = call.packed + packed_size;
  call.query = query.const_data_ptr<float>();
  call.key = key.const_data_ptr<float>();
  call.value = value.const_data_ptr<float>();
  call.out = out.mutable_data_ptr<float>();
  (by_heads ? run_by_heads : run_by_queries)(call, layout, scratch.size);
}

[[maybe_unused]] const Error registered =
    executorch::runtime::register_kernel(Kernel("linnet::int8_attention.out", int8_attention_out));

}  // namespace
}  // namespace linnet::kernels
