// ExecuTorch operators linnet::int8_attention.out, with a bias, with rotated rows or with rows of distances
// too: shapes are checked, heads or queries shared among threads.
#include <executorch/runtime/core/exec_aten/util/tensor_util.h>
#include <executorch/runtime/kernel/kernel_runtime_context.h>
#include <executorch/runtime/kernel/operator_registry.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/attention.h"
#include "kernels/dispatch.h"
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

constexpr std::size_t kAlignment = 64;
// Tokens below which waking the other threads takes longer than the work.
constexpr std::size_t kSmallestShare = 16;
constexpr std::size_t kAllKeys = SIZE_MAX;

// Arguments and memory of one call, borrowed.
struct Call {
  AttentionInput input;
  AttentionKernel kernel;
  float* out;
  std::uint8_t* packed;   // PackedHead::size for every head
  std::uint8_t* scratch;  // Scratch::size for every thread
  std::size_t threads;
};

// Give whole heads to every thread: nothing is shared, so the threads are started only once.
void run_by_heads(const Call& call, const PackedHead& layout, std::size_t scratch_size) {
  on_threads(call.threads, [&](std::size_t thread) {
    std::uint8_t* packed = call.packed + thread * layout.size;
    for (std::size_t head = call.input.shape.heads * thread / call.threads;
         head < call.input.shape.heads * (thread + 1) / call.threads; ++head) {
      call.kernel.pack(call.input, head, packed);
      call.kernel.attend(call.input, head, 0, call.input.shape.tokens, packed,
                         call.scratch + thread * scratch_size, call.out);
    }
  });
}

// Share blocks of queries among the threads, for heads that do not divide evenly. All heads are packed first,
// because a block needs the keys of its whole head.
void run_by_queries(const Call& call, const PackedHead& layout, std::size_t scratch_size) {
  const std::size_t blocks = (call.input.shape.tokens + kLanes - 1) / kLanes;
  const std::size_t items = call.input.shape.heads * blocks;
  on_threads(call.threads, [&](std::size_t thread) {
    for (std::size_t head = call.input.shape.heads * thread / call.threads;
         head < call.input.shape.heads * (thread + 1) / call.threads; ++head) {
      call.kernel.pack(call.input, head, call.packed + head * layout.size);
    }
  });
  on_threads(call.threads, [&](std::size_t thread) {
    for (std::size_t item = items * thread / call.threads; item < items * (thread + 1) / call.threads;
         ++item) {
      const std::size_t head = item / blocks;
      const std::size_t first = item % blocks * kLanes;
      call.kernel.attend(call.input, head, first, std::min(first + kLanes, call.input.shape.tokens),
                         call.packed + head * layout.size, call.scratch + thread * scratch_size, call.out);
    }
  });
}

// Compute `out`, float32 of the shape of `value`, for an input without shape and value.
void attend(KernelRuntimeContext& context, AttentionInput input, const Tensor& value, std::int64_t heads,
            Tensor& out) {
  ET_KERNEL_CHECK(context, executorch::runtime::resize_tensor(out, value.sizes()) == Error::Ok,
                  InvalidArgument, );
  const AttentionShape shape{static_cast<std::size_t>(value.size(0)), static_cast<std::size_t>(heads),
                             static_cast<std::size_t>(value.size(1) / heads),
                             input.distance_keys != nullptr || input.distance_queries != nullptr};
  if (shape.tokens == 0 || shape.head_width == 0) {
    return;
  }
  input.shape = shape;
  input.value = value.const_data_ptr<float>();
  input.before = std::min(input.before, shape.tokens);
  input.behind = std::min(input.behind, shape.tokens);
  Call call{};
  call.input = input;
  call.kernel = chosen_kernels().attention;
  const PackedHead layout(shape, call.kernel.format);
  const Scratch scratch(layout);
  call.threads = usable_threads(shape.tokens, kSmallestShare);
  const bool by_heads = shape.heads % call.threads == 0;
  const std::size_t packed_size = layout.size * (by_heads ? call.threads : shape.heads);
  const auto memory = context.allocate_temp(packed_size + call.threads * scratch.size, kAlignment);
  ET_KERNEL_CHECK(context, memory.ok(), MemoryAllocationFailed, );
  call.packed = static_cast<std::uint8_t*>(*memory);
  call.scratch = call.packed + packed_size;
  call.out = out.mutable_data_ptr<float>();
  (by_heads ? run_by_heads : run_by_queries)(call, layout, scratch.size);
}

bool are_heads(const Tensor& value, std::int64_t heads, const Tensor& out) {
  return is_float(value, 2) && heads > 0 && value.size(1) % heads == 0 && is_float(out, 2);
}

// Return the input for whole rows of queries and keys, and no places.
AttentionInput whole_rows(const Tensor& query, const Tensor& key) {
  AttentionInput input;
  input.query.first = query.const_data_ptr<float>();
  input.key.first = key.const_data_ptr<float>();
  input.before = input.behind = kAllKeys;
  return input;
}

// int8_attention.out(Tensor query, Tensor key, Tensor value, int heads, *, Tensor(a!) out) -> Tensor(a!)
void int8_attention_out(KernelRuntimeContext& context, Span<EValue*> stack) {
  const Tensor& query = stack[0]->toTensor();
  const Tensor& key = stack[1]->toTensor();
  const Tensor& value = stack[2]->toTensor();
  const std::int64_t heads = stack[3]->toInt();
  Tensor& out = stack[4]->toTensor();
  ET_KERNEL_CHECK(context,
                  are_heads(value, heads, out) && is_matrix_like(query, value) && is_matrix_like(key, value),
                  InvalidArgument, );
  attend(context, whole_rows(query, key), value, heads, out);
}

// int8_biased_attention.out(Tensor query, Tensor key, Tensor value, Tensor bias, int heads, *, Tensor(a!)
// out) -> Tensor(a!)
void int8_biased_attention_out(KernelRuntimeContext& context, Span<EValue*> stack) {
  const Tensor& query = stack[0]->toTensor();
  const Tensor& key = stack[1]->toTensor();
  const Tensor& value = stack[2]->toTensor();
  const Tensor& bias = stack[3]->toTensor();
  const std::int64_t heads = stack[4]->toInt();
  Tensor& out = stack[5]->toTensor();
  ET_KERNEL_CHECK(context,
                  are_heads(value, heads, out) && is_matrix_like(query, value) &&
                      is_matrix_like(key, value) && is_float(bias, 2) && bias.size(0) == heads &&
                      bias.size(1) % 2 == 0 && bias.size(1) / 2 >= value.size(0),
                  InvalidArgument, );
  AttentionInput input = whole_rows(query, key);
  input.bias = bias.const_data_ptr<float>();
  input.reach = static_cast<std::size_t>(bias.size(1) / 2);
  attend(context, input, value, heads, out);
}

// Tell whether a tensor has numbers of places, with as many dimensions of size 1 as it likes.
bool is_table(const Tensor& tensor, ssize_t places, ssize_t width) {
  return tensor.scalar_type() == ScalarType::Float && tensor.dim() >= 2 && tensor.size(0) >= places &&
         tensor.size(tensor.dim() - 1) == width && tensor.numel() == tensor.size(0) * width;
}

// Return what a query sees: `keys` of them, or all if it is negative.
std::size_t seen_keys(std::int64_t keys) { return keys < 0 ? kAllKeys : static_cast<std::size_t>(keys); }

// int8_rotary_attention.out(Tensor query_first, Tensor query_second, Tensor key_first, Tensor key_second,
// Tensor value, Tensor cosine, Tensor sine, int heads, int before, int behind, *, Tensor(a!) out) ->
// Tensor(a!)
void int8_rotary_attention_out(KernelRuntimeContext& context, Span<EValue*> stack) {
  const Tensor& first = stack[0]->toTensor();
  const Tensor& value = stack[4]->toTensor();
  const Tensor& cosine = stack[5]->toTensor();
  const Tensor& sine = stack[6]->toTensor();
  const std::int64_t heads = stack[7]->toInt();
  Tensor& out = stack[10]->toTensor();
  bool good = are_heads(value, heads, out) && first.dim() == 2 && first.size(0) == value.size(0) &&
              first.size(1) * 2 == value.size(1) && first.size(1) % heads == 0;
  for (std::size_t i = 0; i < 4; ++i) {
    good = good && is_matrix_like(stack[i]->toTensor(), first);
  }
  for (const Tensor* table : {&cosine, &sine}) {
    good = good && is_table(*table, value.size(0), first.size(1) / heads);
  }
  ET_KERNEL_CHECK(context, good, InvalidArgument, );
  AttentionInput input;
  input.query = {first.const_data_ptr<float>(), stack[1]->toTensor().const_data_ptr<float>()};
  input.key = {stack[2]->toTensor().const_data_ptr<float>(), stack[3]->toTensor().const_data_ptr<float>()};
  input.cosine = cosine.const_data_ptr<float>();
  input.sine = sine.const_data_ptr<float>();
  input.before = seen_keys(stack[8]->toInt());
  input.behind = seen_keys(stack[9]->toInt());
  attend(context, input, value, heads, out);
}

// Tell whether a value is None, or a matrix with a row for each distance from -tokens to tokens - 1.
bool are_distances(const EValue& rows, const Tensor& value) {
  return rows.isNone() ||
         (rows.isTensor() && is_float(rows.toTensor(), 2) && rows.toTensor().size(0) == 2 * value.size(0) &&
          rows.toTensor().size(1) == value.size(1));
}

const float* numbers_or_null(const EValue& rows) {
  return rows.isNone() ? nullptr : rows.toTensor().const_data_ptr<float>();
}

// int8_disentangled_attention.out(Tensor query, Tensor key, Tensor value, Tensor? distance_keys, Tensor?
// distance_queries, int heads, *, Tensor(a!) out) -> Tensor(a!)
void int8_disentangled_attention_out(KernelRuntimeContext& context, Span<EValue*> stack) {
  const Tensor& query = stack[0]->toTensor();
  const Tensor& key = stack[1]->toTensor();
  const Tensor& value = stack[2]->toTensor();
  const std::int64_t heads = stack[5]->toInt();
  Tensor& out = stack[6]->toTensor();
  ET_KERNEL_CHECK(context,
                  are_heads(value, heads, out) && is_matrix_like(query, value) &&
                      is_matrix_like(key, value) && are_distances(*stack[3], value) &&
                      are_distances(*stack[4], value),
                  InvalidArgument, );
  AttentionInput input = whole_rows(query, key);
  input.distance_keys = numbers_or_null(*stack[3]);
  input.distance_queries = numbers_or_null(*stack[4]);
  attend(context, input, value, heads, out);
}

[[maybe_unused]] const Error registered =
    executorch::runtime::register_kernel(Kernel("linnet::int8_attention.out", int8_attention_out));
[[maybe_unused]] const Error registered_biased = executorch::runtime::register_kernel(
    Kernel("linnet::int8_biased_attention.out", int8_biased_attention_out));
[[maybe_unused]] const Error registered_rotary = executorch::runtime::register_kernel(
    Kernel("linnet::int8_rotary_attention.out", int8_rotary_attention_out));
[[maybe_unused]] const Error registered_disentangled = executorch::runtime::register_kernel(
    Kernel("linnet::int8_disentangled_attention.out", int8_disentangled_attention_out));

}  // namespace
}  // namespace linnet::kernels
