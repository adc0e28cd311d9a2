// Multi-head self-attention in int8 arithmetic: softmax(Q K^T) V for one text.
//
// Queries and keys are rounded to int8 with one symmetric scale per token and head, values with one per
// channel of a head, and the softmax weights of a query to 15 bits relative to their largest: with 8 bits the
// many small weights of a long text are lost. Products are exact int32 sums; everything else is float32. The
// matrix of scores never leaves the level-1 cache.
#ifndef LINNET_CORE_KERNELS_ATTENTION_H_
#define LINNET_CORE_KERNELS_ATTENTION_H_

#include <cstddef>
#include <cstdint>

namespace linnet::kernels {

// Sizes of one call. Matrices are float32 [tokens, heads * head_width], contiguous.
struct AttentionShape {
  std::size_t tokens;
  std::size_t heads;
  std::size_t head_width;

  std::size_t width() const noexcept { return heads * head_width; }
};

// How the packed keys and values of one head lie in memory; offsets in bytes, all multiples of 64.
struct PackedHead {
  explicit PackedHead(const AttentionShape& shape) noexcept;

  std::size_t tokens;       // rounded up to kKeys
  std::size_t groups;       // of kGroup channels, for keys
  std::size_t blocks;       // of kLanes channels, for values
  std::size_t key_scale;    // float32 [tokens]
  std::size_t key_bias;     // float32 [tokens]: 0, or -infinity behind the last token
  std::size_t value_scale;  // float32 [blocks * kLanes]
  std::size_t keys;         // uint8 [tokens / kKeys][groups][kKeys][kGroup], 128 added
  std::size_t values;       // int16 [tokens / kPair][blocks][kLanes][kPair]
  std::size_t size;
};

// Scratch memory of one thread: scores and weights of kRows queries.
struct Scratch {
  explicit Scratch(const PackedHead& head) noexcept;

  std::size_t scores;   // float32 [kRows][tokens]
  std::size_t weights;  // int16 [kRows][tokens]
  std::size_t queries;  // int8 [kRows][groups * kGroup]
  std::size_t size;
};

constexpr std::size_t kRows = 8;    // queries that share the loads of keys and values
constexpr std::size_t kLanes = 16;  // int32 in the widest vector register
constexpr std::size_t kKeys = 16;   // keys of one vector
constexpr std::size_t kGroup = 4;   // bytes that one dot-product lane takes
constexpr std::size_t kPair = 2;    // 16-bit numbers that one dot-product lane takes

// The largest softmax weight, so that no sum of weights times int8 values leaves int32.
constexpr float largest_weight(std::size_t tokens) noexcept {
  constexpr std::size_t most = 0x7fffffffU / 127U;
  constexpr std::size_t fits = 32700;  // below the largest int16, as the exponential is rounded
  return static_cast<float>(most / tokens < fits ? most / tokens : fits);
}

struct AttentionKernel {
  // Rounds and packs the keys and values of one head into `packed` (PackedHead::size bytes).
  void (*pack)(const AttentionShape& shape, const float* key, const float* value, std::size_t head,
               std::uint8_t* packed);
  // Computes `out` for the queries [first, last) of one head. `scratch` has Scratch::size bytes.
  void (*attend)(const AttentionShape& shape, const float* query, std::size_t head, std::size_t first,
                 std::size_t last, const std::uint8_t* packed, std::uint8_t* scratch, float* out);
};

// Plain C++, for every processor. Rounds as the others do; sums in float32 may differ in the last bits.
AttentionKernel portable_attention() noexcept;

// The kernel of this processor's dot-product instructions, or one with null pointers if there is none.
AttentionKernel fast_attention() noexcept;

}  // namespace linnet::kernels

#endif  // LINNET_CORE_KERNELS_ATTENTION_H_
