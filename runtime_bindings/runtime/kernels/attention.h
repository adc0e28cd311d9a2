// Multi-head self-attention in int8 arithmetic: softmax(Q K^T) V for one text, with queries that are already
// scaled.
//
// Queries and keys are rounded to int8 with one symmetric scale per token and head, values with one per
// channel of a head. The softmax weights of a query are rounded to 8 bits relative to the largest in their
// block of kBlock keys, so that one large weight in a long text does not turn the small ones elsewhere to
// zero. Products are exact int32 sums; everything else is float32. The matrix of scores never leaves the
// level-1 cache: blocks of keys are added up as in FlashAttention (https://arxiv.org/abs/2205.14135,
// algorithm 1).
#ifndef LINNET_RUNTIME_KERNELS_ATTENTION_H_
#define LINNET_RUNTIME_KERNELS_ATTENTION_H_

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

constexpr std::size_t kLanes = 16;     // numbers in a vector of the kernels: queries computed at once
constexpr std::size_t kUnitBytes = 4;  // what an instruction multiplies in one lane
constexpr std::size_t kStep = 8;       // keys whose scores are summed at once
constexpr std::size_t kBlock = 32;     // keys whose weights share their resolution
constexpr float kLargestWeight = 255.0F;

// How a kernel multiplies 8-bit numbers: in units of kUnitBytes, with as many of them in each.
struct UnitFormat {
  std::size_t group;    // numbers in a unit: bytes, or twos of 16 bits
  bool signed_weights;  // softmax weights are shifted to signed bytes, which sums of the values undo
};

// How the packed keys and values of one head lie in memory; offsets in bytes, all multiples of 64.
struct PackedHead {
  PackedHead(const AttentionShape& shape, const UnitFormat& format) noexcept;

  std::size_t tokens;       // rounded up to kStep; keys and values behind the last token are zeros
  std::size_t group;        // numbers in a unit
  std::size_t units;        // of a key
  std::size_t channels;     // rounded up to kLanes, for values
  std::size_t key_scale;    // float32 [tokens]
  std::size_t key_start;    // int32 [tokens]: undoes what is added to the queries
  std::size_t value_scale;  // float32 [channels]
  std::size_t value_start;  // int32 [blocks][channels], or nothing: undoes what is taken from the weights
  std::size_t keys;         // units [tokens][units]
  std::size_t values;       // units [tokens / group][channels]
  std::size_t size;
};

// Scratch memory of one thread: kLanes queries beside one block of keys.
struct Scratch {
  explicit Scratch(const PackedHead& head) noexcept;

  std::size_t queries;  // units [units][kLanes]
  std::size_t scores;   // float32 [kBlock][kLanes]
  std::size_t weights;  // units [kBlock / group][kLanes]
  std::size_t sums;     // float32 [channels][kLanes]
  std::size_t size;
};

struct AttentionKernel {
  UnitFormat format;
  // Round the keys and values of one head and pack them into `packed` (PackedHead::size bytes).
  void (*pack)(const AttentionShape& shape, const float* key, const float* value, std::size_t head,
               std::uint8_t* packed);
  // Compute the rows of `out` for the queries [first, last) of one head. `scratch` has Scratch::size bytes.
  void (*attend)(const AttentionShape& shape, const float* query, std::size_t head, std::size_t first,
                 std::size_t last, const std::uint8_t* packed, std::uint8_t* scratch, float* out);
};

}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_ATTENTION_H_
