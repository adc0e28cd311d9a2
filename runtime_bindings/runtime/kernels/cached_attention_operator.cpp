// ExecuTorch operator linnet::cached_attention.out: shapes are checked, tokens written to the cache, and the
// work of one token or of many shared among threads.
//
// The cache is an input of the method, whose memory the runtime owns, and the operator writes to it although
// its schema does not say so: for a declared mutation, torch.export would copy the whole cache in and out.
#include <executorch/runtime/core/exec_aten/util/tensor_util.h>
#include <executorch/runtime/kernel/kernel_runtime_context.h>
#include <executorch/runtime/kernel/operator_registry.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/cached_attention.h"
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

// Tokens below which waking the other threads takes longer than to write them to the cache.
constexpr std::size_t kSmallestShare = 16;
// The same for one token: multiplications of its queries with keys.
constexpr std::size_t kSmallestProducts = 1U << 17U;
// Queries of a key head from which kLanes at once are faster than one token after the other.
constexpr std::size_t kFewestOfTile = kLanes;
constexpr std::int64_t kMostWidth = 1024;
constexpr std::int64_t kMostPlaces = 16777216;  // 2^24, which float32 numbers tell apart

// The arguments of one call, borrowed.
struct Arguments {
  explicit Arguments(Span<EValue*> stack)
      : query(stack[0]->toTensor()),
        key(stack[1]->toTensor()),
        value(stack[2]->toTensor()),
        cache(stack[3]->toTensor()),
        start_tensor(stack[4]->toTensor()),
        cosine(stack[5]->isNone() ? nullptr : &stack[5]->toTensor()),
        sine(stack[6]->isNone() ? nullptr : &stack[6]->toTensor()),
        layer(stack[7]->toInt()),
        heads(stack[8]->toInt()),
        key_heads(stack[9]->toInt()),
        window(stack[10]->toInt()),
        out(stack[11]->toTensor()) {}

  const Tensor& query;
  const Tensor& key;
  const Tensor& value;
  const Tensor& cache;
  const Tensor& start_tensor;
  const Tensor* cosine;
  const Tensor* sine;
  std::int64_t layer;
  std::int64_t heads;
  std::int64_t key_heads;
  std::int64_t window;
  Tensor& out;

  bool has_heads() const {
    return heads > 0 && key_heads > 0 && heads % key_heads == 0 && is_float(query, 2) &&
           query.size(1) % heads == 0 && query.size(1) / heads <= kMostWidth && query.size(1) > 0 &&
           is_float(key, 2) && key.size(0) == query.size(0) &&
           key.size(1) == query.size(1) / heads * key_heads && is_matrix_like(value, key) && is_float(out, 2);
  }

  std::size_t width() const { return static_cast<std::size_t>(query.size(1) / heads); }
  bool is_exact() const { return cache.scalar_type() == ScalarType::Float; }

  bool has_cache() const {
    const std::size_t keys = static_cast<std::size_t>(key_heads);
    const std::size_t expected = is_exact() ? 2 * keys * width() : CacheRow(keys, width()).bytes;
    return (is_exact() || cache.scalar_type() == ScalarType::Byte) && cache.dim() == 3 && layer >= 0 &&
           layer < cache.size(0) && static_cast<std::size_t>(cache.size(2)) == expected;
  }

  bool has_start() const {
    return start_tensor.scalar_type() == ScalarType::Long && start_tensor.numel() == 1;
  }
  std::int64_t start() const { return *start_tensor.const_data_ptr<std::int64_t>(); }
  bool has_room() const {
    const std::int64_t capacity = std::min<std::int64_t>(cache.size(1), kMostPlaces);
    return start() >= 0 && start() <= capacity && query.size(0) <= capacity - start();
  }

  bool has_rotation() const {
    if (cosine == nullptr || sine == nullptr) {
      return cosine == sine;
    }
    const auto fits = [this](const Tensor& table) {
      return is_matrix(table, width() / 2) && table.size(0) >= start() + query.size(0);
    };
    return width() % 2 == 0 && fits(*cosine) && fits(*sine);
  }

  CachedInput input() const {
    CachedInput input;
    input.shape = {static_cast<std::size_t>(query.size(0)),
                   static_cast<std::size_t>(start()),
                   static_cast<std::size_t>(heads),
                   static_cast<std::size_t>(key_heads),
                   width(),
                   window < 0 ? SIZE_MAX : static_cast<std::size_t>(window)};
    input.query = query.const_data_ptr<float>();
    input.key = key.const_data_ptr<float>();
    input.value = value.const_data_ptr<float>();
    if (cosine != nullptr) {
      input.cosine = cosine->const_data_ptr<float>();
      input.sine = sine->const_data_ptr<float>();
    }
    const std::size_t before = static_cast<std::size_t>(layer * cache.size(1) * cache.size(2));
    if (is_exact()) {
      input.exact_cache = cache.mutable_data_ptr<float>() + before;
    } else {
      input.cache = cache.mutable_data_ptr<std::uint8_t>() + before;
    }
    return input;
  }
};

// Run work(first, last) for `count` items on so many threads, each with its share.
template <typename Work>
void shared_among(std::size_t threads, std::size_t count, const Work& work) {
  on_threads(threads,
             [&](std::size_t thread) { work(count * thread / threads, count * (thread + 1) / threads); });
}

// Compute one token after the other. `memory` has TokenLayout::size bytes of the last token.
void attend_tokens(const CachedInput& input, const CachedAttentionKernel& kernel, std::uint8_t* memory,
                   float* out) {
  const CachedShape& shape = input.shape;
  for (std::size_t token = 0; token < shape.tokens; ++token) {
    const std::size_t blocks = TokenLayout(shape, shape.start + token).keys / kBlock;
    const std::size_t threads =
        usable_threads(shape.heads * shape.width * blocks * kBlock, kSmallestProducts);
    kernel.round_queries(input, token, 0, shape.heads, memory);
    shared_among(threads, blocks, [&](std::size_t first, std::size_t last) {
      kernel.score(input, token, first, last, memory);
    });
    shared_among(threads, shape.heads, [&](std::size_t first, std::size_t last) {
      kernel.weigh(input, token, first, last, memory);
    });
    shared_among(threads, shape.key_heads * slices_of_head(shape), [&](std::size_t first, std::size_t last) {
      kernel.mix(input, token, first, last, memory, out);
    });
  }
}

// Compute kLanes queries at once. `memory` has PackedCache::size bytes for every key head, then
// TileScratch::size for every thread.
void attend_tiles(const CachedInput& input, const CachedAttentionKernel& kernel, std::size_t threads,
                  std::uint8_t* memory, float* out) {
  const CachedShape& shape = input.shape;
  const PackedCache layout(shape, kernel.format);
  const std::size_t scratch_size = TileScratch(layout).size;
  const std::size_t blocks = layout.keys / kBlock;
  shared_among(threads, shape.key_heads * blocks, [&](std::size_t first, std::size_t last) {
    for (std::size_t item = first; item < last; ++item) {
      const std::size_t block = item % blocks;
      kernel.pack(input, item / blocks, block, block + 1, memory + item / blocks * layout.size);
    }
  });
  std::uint8_t* scratch = memory + shape.key_heads * layout.size;
  const std::size_t queries = shape.tokens * shape.group();
  const std::size_t tiles = (queries + kLanes - 1) / kLanes;
  on_threads(threads, [&](std::size_t thread) {
    // later tiles see more keys: neighbours go to different threads
    for (std::size_t item = thread; item < shape.key_heads * tiles; item += threads) {
      const std::size_t first = item % tiles * kLanes;
      kernel.attend(input, item / tiles, first, std::min(first + kLanes, queries),
                    memory + item / tiles * layout.size, scratch + thread * scratch_size, out);
    }
  });
}

// Compute an int8 cache's attention.
void attend_rounded(KernelRuntimeContext& context, const CachedInput& input, float* out) {
  const CachedShape& shape = input.shape;
  const CachedAttentionKernel& kernel = chosen_kernels().cached_attention;
  const bool tiles = shape.tokens > 1 && shape.tokens * shape.group() >= kFewestOfTile;
  const std::size_t threads = usable_threads(shape.tokens, kSmallestShare);
  std::size_t size = 0;
  if (tiles) {
    const PackedCache layout(shape, kernel.format);
    size = shape.key_heads * layout.size + threads * TileScratch(layout).size;
  } else {
    size = TokenLayout(shape, shape.end() - 1).size;
  }
  const auto memory = context.allocate_temp(size, MemoryParts::kAlignment);
  ET_KERNEL_CHECK(context, memory.ok(), MemoryAllocationFailed, );
  shared_among(threads, shape.tokens,
               [&](std::size_t first, std::size_t last) { kernel.append(input, first, last); });
  auto* bytes = static_cast<std::uint8_t*>(*memory);
  if (tiles) {
    attend_tiles(input, kernel, threads, bytes, out);
  } else {
    attend_tokens(input, kernel, bytes, out);
  }
}

// Compute a float32 cache's attention.
void attend_exact(KernelRuntimeContext& context, const CachedInput& input, float* out) {
  const CachedShape& shape = input.shape;
  const CachedAttentionKernel& kernel = chosen_kernels().cached_attention;
  const std::size_t scratch = ExactScratch(shape, shape.end() - 1).size;
  const std::size_t threads =
      usable_threads(shape.tokens * shape.heads * shape.width * shape.end(), kSmallestProducts);
  const auto memory = context.allocate_temp(threads * scratch, MemoryParts::kAlignment);
  ET_KERNEL_CHECK(context, memory.ok(), MemoryAllocationFailed, );
  kernel.append_exact(input, 0, shape.tokens);
  on_threads(threads, [&](std::size_t thread) {
    std::uint8_t* own = static_cast<std::uint8_t*>(*memory) + thread * scratch;
    for (std::size_t item = thread; item < shape.tokens * shape.heads; item += threads) {
      kernel.attend_exact(input, item / shape.heads, item % shape.heads, own, out);
    }
  });
}

// cached_attention.out(Tensor query, Tensor key, Tensor value, Tensor cache, Tensor start, Tensor? cosine,
// Tensor? sine, int layer, int heads, int key_heads, int window, *, Tensor(a!) out) -> Tensor(a!)
void cached_attention_out(KernelRuntimeContext& context, Span<EValue*> stack) {
  const Arguments arguments(stack);
  ET_KERNEL_CHECK_MSG(context, arguments.has_heads(), InvalidArgument, ,
                      "expected float32 queries [tokens, heads * width], and keys and values "
                      "[tokens, key_heads * width]");
  ET_KERNEL_CHECK_MSG(context, arguments.has_cache(), InvalidArgument, ,
                      "expected a cache uint8 [layers, capacity, row_bytes] or float32 [layers, capacity, "
                      "2 * key_heads * width] with the layer");
  ET_KERNEL_CHECK_MSG(context, arguments.has_start(), InvalidArgument, , "expected a start int64 [1]");
  ET_KERNEL_CHECK_MSG(context, arguments.has_room(), InvalidArgument, ,
                      "start is %lld for %lld tokens, expected at least 0 and room in a cache of %lld "
                      "tokens; use a larger cache",
                      static_cast<long long>(arguments.start()),
                      static_cast<long long>(arguments.query.size(0)),
                      static_cast<long long>(arguments.cache.size(1)));
  ET_KERNEL_CHECK_MSG(context, arguments.has_rotation(), InvalidArgument, ,
                      "expected cosines and sines float32 [at least start + tokens, width / 2], or neither");
  ET_KERNEL_CHECK_MSG(context, arguments.window == -1 || arguments.window > 0, InvalidArgument, ,
                      "expected a window of -1 or of one key or more");
  ET_KERNEL_CHECK(context,
                  executorch::runtime::resize_tensor(arguments.out, arguments.query.sizes()) == Error::Ok,
                  InvalidArgument, );
  if (arguments.query.size(0) == 0) {
    return;
  }
  const CachedInput input = arguments.input();
  float* out = arguments.out.mutable_data_ptr<float>();
  (arguments.is_exact() ? attend_exact : attend_rounded)(context, input, out);
}

[[maybe_unused]] const Error registered =
    executorch::runtime::register_kernel(Kernel("linnet::cached_attention.out", cached_attention_out));

}  // namespace
}  // namespace linnet::kernels
