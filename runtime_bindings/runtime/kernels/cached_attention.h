// Causal grouped-query attention over a cache of keys and values in int8, for one token or a chunk of tokens.
//
// Keys are rotated, then keys and values are rounded to int8 with one symmetric scale per token and head, and
// kept so in the cache. A query sees the keys of its own token and of those before it. It is rounded as keys
// are, and products are exact int32 sums. The scores of all keys come first, so the largest one of a query is
// known before its softmax: nothing is rescaled afterwards. Softmax weights, times the scales of their
// values, are rounded to 8 bits relative to the largest of their block of kBlock keys. Blocks are those of
// absolute places, and all sums have an order that depends on places alone: what a token gets depends neither
// on how the tokens before it were divided into calls nor on whether tokens were computed one by one or
// kLanes queries at once. The sum of a query's softmax weights is that of the unrounded ones, because a key
// with a large weight may have a value so small that their product is rounded to zero.
//
// A cache of float32 holds keys and values as they are, and its attention rounds nothing.
#ifndef LINNET_RUNTIME_KERNELS_CACHED_ATTENTION_H_
#define LINNET_RUNTIME_KERNELS_CACHED_ATTENTION_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/attention.h"
#include "kernels/memory_parts.h"

namespace linnet::kernels {

// Sizes of one call. Queries are float32 [tokens, heads * width], keys and values float32 [tokens, key_heads
// * width], contiguous. Query head h reads the key head h / group().
struct CachedShape {
  std::size_t tokens;
  std::size_t start;  // tokens that are in the cache already
  std::size_t heads;
  std::size_t key_heads;
  std::size_t width;   // of a head
  std::size_t window;  // keys that a query sees, its own included; at least 1

  constexpr std::size_t group() const noexcept { return heads / key_heads; }
  // Return the tokens that are in the cache behind the call.
  constexpr std::size_t end() const noexcept { return start + tokens; }
  // Return the first key that the query of a place sees, and the first of its block.
  constexpr std::size_t first_key(std::size_t place) const noexcept {
    return place < window ? 0 : place + 1 - window;
  }
  constexpr std::size_t first_block_key(std::size_t place) const noexcept {
    return first_key(place) / kBlock * kBlock;
  }
};

// How a token lies in an int8 cache: int8 keys [key_heads][width], int8 values [key_heads][width], float32
// scales of the keys [key_heads] and of the values [key_heads]. So each of the two passes over a cache reads
// lines of its own. Rows are padded with zeros so that loads of 32 bytes cross no line. Offsets in bytes.
struct CacheRow {
  static constexpr std::size_t kAlignment = 32;

  constexpr CacheRow(std::size_t key_heads, std::size_t width) noexcept
      : values(key_heads * width),
        key_scales(rounded_up(2 * key_heads * width, sizeof(float))),
        value_scales(key_scales + key_heads * sizeof(float)),
        end(value_scales + key_heads * sizeof(float)),
        bytes(rounded_up(end, kAlignment)) {}

  std::size_t values;
  std::size_t key_scales;
  std::size_t value_scales;
  std::size_t end;    // of the last scale
  std::size_t bytes;  // of a row
};

// What one call reads, borrowed, and the cache, to which it writes.
struct CachedInput {
  CachedShape shape;
  const float* query = nullptr;  // scaled already
  const float* key = nullptr;
  const float* value = nullptr;
  // Of the angle of each place, float32 [at least end(), width / 2]. Null: nothing is rotated.
  const float* cosine = nullptr;
  const float* sine = nullptr;
  // One of both: rows of CacheRow, or float32 rows of all keys [key_heads][width], then all values.
  std::uint8_t* cache = nullptr;
  float* exact_cache = nullptr;
};

// Memory of one token, whose heads are computed together. Offsets in bytes.
struct TokenLayout {
  TokenLayout(const CachedShape& shape, std::size_t place) noexcept;

  std::size_t first;         // key, of a block
  std::size_t keys;          // from `first` on, whole blocks
  std::size_t query_bytes;   // of a head
  std::size_t channels;      // of a head, rounded up to kLanes
  std::size_t queries;       // int8 [heads][query_bytes], zeros behind `width`
  std::size_t factors;       // float32 [heads]: scales of the queries times log2(e)
  std::size_t scores;        // float32 [heads][keys]
  std::size_t key_scales;    // float32 [key_heads][keys]
  std::size_t value_scales;  // float32 [key_heads][keys]
  std::size_t weights;       // uint8 [heads][keys]
  std::size_t block_scales;  // float32 [heads][keys / kBlock]
  std::size_t totals;        // float32 [heads]: sums of the softmax weights
  std::size_t sums;          // float32 [heads][channels]; at first the rotated queries
  std::size_t size;
};

// Keys and values of one key head in the order in which kLanes queries at once read them, as PackedHead has
// them, for the keys that any token of a call sees. Offsets in bytes.
struct PackedCache {
  PackedCache(const CachedShape& shape, const UnitFormat& format) noexcept;

  std::size_t first;  // key, of a block
  std::size_t keys;   // from `first` on, whole blocks; those behind the last token are zeros
  std::size_t group;  // numbers in a unit
  std::size_t units;  // of a key
  std::size_t channels;
  std::size_t key_scale;    // float32 [keys]
  std::size_t value_scale;  // float32 [keys]
  std::size_t key_start;    // int32 [keys]: undoes what is added to the queries
  std::size_t value_start;  // int32 [keys / kBlock][channels], or nothing: undoes what is taken from weights
  std::size_t key_units;    // units [keys][units]
  std::size_t value_units;  // units [keys / group][channels]
  std::size_t size;
};

// Memory of one thread: kLanes queries beside all keys that they see. Offsets in bytes.
struct TileScratch {
  explicit TileScratch(const PackedCache& packed) noexcept;

  std::size_t queries;  // units [units][kLanes]
  std::size_t scores;   // float32 [keys][kLanes]
  std::size_t weights;  // units [kBlock / group][kLanes]
  std::size_t totals;   // float32 [kLanes][kLanes]: sums of the softmax weights, by the place of the key
  std::size_t sums;     // float32 [channels][kLanes]
  std::size_t row;      // float32 [channels]: a rotated row
  std::size_t size;
};

// Memory of one token and head of a float32 cache. Offsets in bytes.
struct ExactScratch {
  ExactScratch(const CachedShape& shape, std::size_t place) noexcept;

  std::size_t query;   // float32 [width], rotated
  std::size_t scores;  // float32 [keys], from the first one of a block on
  std::size_t sums;    // float32 [width]
  std::size_t size;
};

struct CachedAttentionKernel {
  UnitFormat format;
  // Rotate, round and write the tokens [first, last) of a call to the cache; with the next ones, what is read
  // there has been written.
  void (*append)(const CachedInput& input, std::size_t first, std::size_t last);
  // One token, in four steps, each for a part that a thread takes: the queries of the heads [first, last) are
  // rounded; the scores of the blocks [first, last) of TokenLayout are computed for all heads; those of the
  // heads [first, last) are turned into weights; the values are added up for the channels of all key heads,
  // in slices of kLanes (slices()) from `first` to `last`.
  void (*round_queries)(const CachedInput& input, std::size_t token, std::size_t first, std::size_t last,
                        std::uint8_t* memory);
  void (*score)(const CachedInput& input, std::size_t token, std::size_t first, std::size_t last,
                std::uint8_t* memory);
  void (*weigh)(const CachedInput& input, std::size_t token, std::size_t first, std::size_t last,
                std::uint8_t* memory);
  void (*mix)(const CachedInput& input, std::size_t token, std::size_t first, std::size_t last,
              std::uint8_t* memory, float* out);
  // Many tokens: pack the blocks [first, last) of PackedCache for a key head; compute the queries [first,
  // last) of a key head, numbered by token and then by head of the group.
  void (*pack)(const CachedInput& input, std::size_t key_head, std::size_t first, std::size_t last,
               std::uint8_t* packed);
  void (*attend)(const CachedInput& input, std::size_t key_head, std::size_t first, std::size_t last,
                 const std::uint8_t* packed, std::uint8_t* scratch, float* out);
  // The same for a float32 cache: write tokens, and compute one token and head.
  void (*append_exact)(const CachedInput& input, std::size_t first, std::size_t last);
  void (*attend_exact)(const CachedInput& input, std::size_t token, std::size_t head, std::uint8_t* scratch,
                       float* out);
};

// Return the slices of kLanes channels that a key head has.
constexpr std::size_t slices_of_head(const CachedShape& shape) noexcept {
  return (shape.width + kLanes - 1) / kLanes;
}

}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_CACHED_ATTENTION_H_
