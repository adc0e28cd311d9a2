// Multi-head self-attention in int8 arithmetic: softmax(Q K^T) V for one text, with queries that are already
// scaled.
//
// Queries and keys are rounded to int8 with one symmetric scale per token and head, values with one per
// channel of a head. The softmax weights of a query are rounded to 8 bits relative to the largest in their
// block of kBlock keys, so that one large weight in a long text does not turn the small ones elsewhere to
// zero. Products are exact int32 sums; everything else is float32. The matrix of scores never leaves the
// level-1 cache: blocks of keys are added up as in FlashAttention (https://arxiv.org/abs/2205.14135,
// algorithm 1).
//
// Scores may know the places of their query and key: queries and keys are rotated by the angle of their place
// before they are rounded, a bias depends on the distance, and keys too far away are not seen. Scores with a
// bias are float32 sums, scaled before they are added.
//
// Disentangled attention (https://arxiv.org/abs/2006.03654, equation 4) adds the product of the query with a
// row for the distance of the key, and that of the key with a row for the distance of the query. A row of
// products is computed for each query or key and consecutive distances, and is shifted by one from a key to
// the next. These rows are rounded as keys are.
#ifndef LINNET_RUNTIME_KERNELS_ATTENTION_H_
#define LINNET_RUNTIME_KERNELS_ATTENTION_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace linnet::kernels {

// Sizes of one call. Matrices are float32 [tokens, heads * head_width], contiguous.
struct AttentionShape {
  std::size_t tokens;
  std::size_t heads;
  std::size_t head_width;
  bool distances = false;  // scores have products with rows of distances

  std::size_t width() const noexcept { return heads * head_width; }
};

// Queries or keys: whole rows as AttentionShape has them, or the two halves of every head, each
// [tokens, heads * head_width / 2], which are rotated against each other.
struct AttentionRows {
  const float* first = nullptr;
  const float* second = nullptr;  // null: `first` has whole rows
};

// What one call reads, borrowed. The place of a query or key is its number.
struct AttentionInput {
  AttentionShape shape;
  AttentionRows query;
  AttentionRows key;
  const float* value = nullptr;
  // Of the angle of each place, float32 [at least tokens, head_width / 2]; for rows in halves.
  const float* cosine = nullptr;
  const float* sine = nullptr;
  // Added to scores: float32 [heads, 2 * reach], at `reach - 1 + query - key`; reach is at least `tokens`.
  // Null: nothing is.
  const float* bias = nullptr;
  std::size_t reach = 0;
  // Rows of distances from -tokens to tokens - 1, float32 [2 * tokens, heads * head_width]: keys of the
  // distances key - query, which queries are multiplied with, and queries of the distances query - key,
  // scaled already, which keys are multiplied with. Null: there are none.
  const float* distance_keys = nullptr;
  const float* distance_queries = nullptr;
  // Keys that a query sees in front of its own place and behind it, at most `tokens`.
  std::size_t before = 0;
  std::size_t behind = 0;

  // Tell whether a query sees all keys.
  bool sees_all() const noexcept { return std::min(before, behind) + 1 >= shape.tokens; }
};

constexpr std::size_t kLanes = 16;     // numbers in a vector of the kernels: queries computed at once
constexpr std::size_t kUnitBytes = 4;  // what an instruction multiplies in one lane
constexpr std::size_t kStep = 8;       // keys whose scores are summed at once
constexpr std::size_t kBlock = 32;     // keys whose weights share their resolution
constexpr std::size_t kNear = kBlock + kLanes;  // distances of kLanes queries and a block of keys, and one
constexpr float kLargestWeight = 255.0F;

// How a kernel multiplies 8-bit numbers: in units of kUnitBytes, with as many of them in each.
struct UnitFormat {
  std::size_t group;    // numbers in a unit: bytes, or twos of 16 bits
  bool signed_weights;  // softmax weights are shifted to signed bytes, which sums of the values undo
};

// How packed rows of distances lie in memory: a distance in each lane, as queries. Offsets in bytes.
struct PackedDistances {
  std::size_t scale;  // float32 [2 * span]
  std::size_t rows;   // units [2 * span / kLanes][units][kLanes]
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
  std::size_t row;          // float32 [channels]: the rotated key that is packed
  std::size_t span;         // tokens rounded up to kLanes, or 0 without distances: they start at -span
  PackedDistances distance_keys;
  PackedDistances distance_queries;
  std::size_t size;
};

// Scratch memory of one thread: kLanes queries beside one block of keys.
struct Scratch {
  explicit Scratch(const PackedHead& head) noexcept;

  std::size_t queries;  // units [units][kLanes]
  std::size_t scores;   // float32 [kBlock][kLanes]
  std::size_t weights;  // units [kBlock / group][kLanes]
  std::size_t sums;     // float32 [channels][kLanes]
  std::size_t row;      // float32 [channels]: the rotated query that is packed
  // With distances:
  std::size_t query_rows;   // units [kLanes][units], as keys
  std::size_t by_distance;  // float32 [kLanes][kNear]: products of queries with keys of distances
  std::size_t of_keys;      // float32 [kStep][2 * kLanes]: products of keys with queries of distances
  std::size_t size;
};

struct AttentionKernel {
  UnitFormat format;
  // Round the keys and values of one head and pack them into `packed` (PackedHead::size bytes).
  void (*pack)(const AttentionInput& input, std::size_t head, std::uint8_t* packed);
  // Compute the rows of `out` for the queries [first, last) of one head; `first` is a multiple of kLanes.
  // `scratch` has Scratch::size bytes.
  void (*attend)(const AttentionInput& input, std::size_t head, std::size_t first, std::size_t last,
                 const std::uint8_t* packed, std::uint8_t* scratch, float* out);
};

}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_ATTENTION_H_
