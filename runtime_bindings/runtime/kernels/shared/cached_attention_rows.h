// Writing of tokens to a cache, and attention of one token to it, for the vectors of the processor whose
// source includes this (see linear_rows.h).
//
// Here each lane of a vector holds a key while scores are computed and weighted, and a channel while values
// are added up: a single query does not fill vectors whose lanes are queries.
#ifndef LINNET_RUNTIME_KERNELS_SHARED_CACHED_ATTENTION_ROWS_H_
#define LINNET_RUNTIME_KERNELS_SHARED_CACHED_ATTENTION_ROWS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/cached_attention.h"
#include "kernels/shared/attention_rows.h"
#include "kernels/shared/power_of_two.h"

namespace linnet::kernels {
namespace {

// Return the row of a head at a place, rotated in `memory`, or as it is.
inline const float* rotated_row(const CachedInput& input, const float* row, std::size_t place,
                                float* memory) {
  if (input.cosine == nullptr) {
    return row;
  }
  const std::size_t half = input.shape.width / 2;
  for (std::size_t i = 0; i < half; i += kLanes) {
    const std::size_t count = half - i;
    const Floats cosine = load(input.cosine + place * half + i, count);
    const Floats sine = load(input.sine + place * half + i, count);
    const Floats first = load(row + i, count);
    const Floats second = load(row + half + i, count);
    store(memory + i, minus_fused(second, sine, multiply(first, cosine)), count);
    store(memory + half + i, fused(first, sine, multiply(second, cosine)), count);
  }
  return memory;
}

inline const float* rotated_query(const CachedInput& input, std::size_t token, std::size_t head,
                                  float* memory) {
  const CachedShape& shape = input.shape;
  const float* row = input.query + (token * shape.heads + head) * shape.width;
  return rotated_row(input, row, shape.start + token, memory);
}

// Round a row to int8 relative to `largest`.
inline void store_rounded(const float* row, std::size_t width, float largest, std::int8_t* to) {
  const Floats factor = all(kLargest / largest);
  alignas(16) std::uint8_t bytes[kLanes];
  for (std::size_t i = 0; i < width; i += kLanes) {
    store_bytes(bytes, rounded(row + i, width - i, factor));
    std::memcpy(to + i, bytes, std::min(kLanes, width - i));
  }
}

// Round a row of the cache and return its scale.
inline float store_row(const float* row, std::size_t width, std::uint8_t* to) {
  const float largest = magnitude(row, width);
  store_rounded(row, width, largest, reinterpret_cast<std::int8_t*>(to));
  return largest / kLargest;
}

constexpr std::size_t kRotatedAtOnce = 1024;  // numbers of a row on the stack

inline void append_tokens(const CachedInput& input, std::size_t first, std::size_t last) {
  const CachedShape& shape = input.shape;
  const CacheRow layout(shape.key_heads, shape.width);
  alignas(64) float rotated[kRotatedAtOnce];
  for (std::size_t token = first; token < last; ++token) {
    std::uint8_t* to = input.cache + (shape.start + token) * layout.bytes;
    std::fill(to + 2 * layout.values, to + layout.bytes, std::uint8_t{0});
    for (std::size_t head = 0; head < shape.key_heads; ++head) {
      const std::size_t at = (token * shape.key_heads + head) * shape.width;
      const float* key = rotated_row(input, input.key + at, shape.start + token, rotated);
      const float scales[] = {
          store_row(key, shape.width, to + head * shape.width),
          store_row(input.value + at, shape.width, to + layout.values + head * shape.width)};
      std::memcpy(to + layout.key_scales + head * sizeof(float), &scales[0], sizeof(float));
      std::memcpy(to + layout.value_scales + head * sizeof(float), &scales[1], sizeof(float));
    }
  }
}

// Products with rows of a cache in plain C++, for processors that have no faster ones (vectors.h).
struct PlainCacheProducts {
  static void score(const std::int8_t* query, const std::int8_t* rows, std::size_t stride, std::size_t count,
                    std::size_t width, std::int32_t* products) {
    for (std::size_t row = 0; row < count; ++row, rows += stride) {
      std::int32_t sum = 0;
      for (std::size_t i = 0; i < width; ++i) {
        sum += query[i] * rows[i];
      }
      products[row] = sum;
    }
  }

  static void mix(const std::uint8_t* weights, std::size_t heads_apart, std::size_t heads,
                  const std::int8_t* rows, std::size_t stride, std::size_t count, std::size_t channels,
                  std::int32_t* sums) {
    for (std::size_t head = 0; head < heads; ++head, weights += heads_apart, sums += kLanes) {
      std::fill(sums, sums + kLanes, 0);
      for (std::size_t row = 0; row < count; ++row) {
        for (std::size_t i = 0; i < channels; ++i) {
          sums[i] += weights[row] * rows[row * stride + i];
        }
      }
    }
  }
};

// Pointers into the memory of one token.
struct Token {
  Token(const CachedShape& shape, std::size_t token, std::uint8_t* memory)
      : place(shape.start + token),
        layout(shape, place),
        row(shape.key_heads, shape.width),
        queries(reinterpret_cast<std::int8_t*>(memory + layout.queries)),
        factors(reinterpret_cast<float*>(memory + layout.factors)),
        scores(reinterpret_cast<float*>(memory + layout.scores)),
        key_scales(reinterpret_cast<float*>(memory + layout.key_scales)),
        value_scales(reinterpret_cast<float*>(memory + layout.value_scales)),
        weights(memory + layout.weights),
        block_scales(reinterpret_cast<float*>(memory + layout.block_scales)),
        totals(reinterpret_cast<float*>(memory + layout.totals)),
        sums(reinterpret_cast<float*>(memory + layout.sums)) {}

  std::size_t blocks() const noexcept { return layout.keys / kBlock; }

  std::size_t place;
  TokenLayout layout;
  CacheRow row;
  std::int8_t* queries;
  float* factors;
  float* scores;
  float* key_scales;
  float* value_scales;
  std::uint8_t* weights;
  float* block_scales;
  float* totals;
  float* sums;
};

inline void round_token_queries(const CachedInput& input, std::size_t token, std::size_t first,
                                std::size_t last, std::uint8_t* memory) {
  const CachedShape& shape = input.shape;
  const Token at(shape, token, memory);
  for (std::size_t head = first; head < last; ++head) {
    const float* row = rotated_query(input, token, head, at.sums + head * at.layout.channels);
    const float largest = std::max(kSmallestQuery, magnitude(row, shape.width));
    std::int8_t* to = at.queries + head * at.layout.query_bytes;
    store_rounded(row, shape.width, largest, to);
    std::fill(to + shape.width, to + at.layout.query_bytes, std::int8_t{0});
    at.factors[head] = largest / kLargest * kLog2E;
  }
}

// Return float32 numbers of rows of a cache, zeros behind the first `count`.
inline Floats load_column(const std::uint8_t* first, std::size_t stride, std::size_t count) {
  alignas(64) float numbers[kLanes] = {};
  for (std::size_t i = 0; i < std::min(count, kLanes); ++i) {
    std::memcpy(&numbers[i], first + i * stride, sizeof(float));
  }
  return load(numbers);
}

// Give kLanes keys the score kNever that a query does not see.
inline void hide_keys(const CachedShape& shape, std::size_t place, std::size_t key, float* scores) {
  for (std::size_t i = 0; i < kLanes; ++i) {
    if (key + i > place || key + i < shape.first_key(place)) {
      scores[i] = kNever;
    }
  }
}

// Copy the scales of a block of keys, zeros behind the last one. Their rows are read once for all heads, and
// vectors of them are loaded only when these numbers have left the processor's queue of stores.
inline void copy_scales(const CachedInput& input, const Token& at, std::size_t key) {
  const std::size_t count = std::min(kBlock, at.place + 1 - key);
  const std::size_t heads = input.shape.key_heads;
  const std::uint8_t* row = input.cache + key * at.row.bytes;
  float* key_scales = at.key_scales + key - at.layout.first;
  float* value_scales = at.value_scales + key - at.layout.first;
  for (std::size_t i = 0; i < count; ++i, row += at.row.bytes) {
    for (std::size_t head = 0; head < heads; ++head) {
      const std::size_t to = head * at.layout.keys + i;
      std::memcpy(key_scales + to, row + at.row.key_scales + head * sizeof(float), sizeof(float));
      std::memcpy(value_scales + to, row + at.row.value_scales + head * sizeof(float), sizeof(float));
    }
  }
  for (std::size_t head = 0; head < heads; ++head) {
    const std::size_t start = head * at.layout.keys;
    std::fill(key_scales + start + count, key_scales + start + kBlock, 0.0F);
    std::fill(value_scales + start + count, value_scales + start + kBlock, 0.0F);
  }
}

// Compute the scores of kLanes keys from `key` on.
template <typename Products>
inline void score_keys(const CachedInput& input, const Token& at, std::size_t key) {
  const CachedShape& shape = input.shape;
  const std::size_t group = shape.group();
  const std::size_t count = key > at.place ? 0 : std::min(kLanes, at.place + 1 - key);
  const bool hidden = count < kLanes || key < shape.first_key(at.place);
  const auto* keys = reinterpret_cast<const std::int8_t*>(input.cache + key * at.row.bytes);
  const std::int8_t* query = at.queries;
  const float* scales = at.key_scales + key - at.layout.first;
  float* scores = at.scores + key - at.layout.first;
  alignas(64) std::int32_t products[kLanes] = {};
  for (std::size_t key_head = 0; key_head < shape.key_heads; ++key_head) {
    for (std::size_t i = 0; i < group; ++i, query += at.layout.query_bytes, scores += at.layout.keys) {
      Products::score(query, keys, at.row.bytes, count, shape.width, products);
      store(scores, multiply(to_floats(load(products)), load(scales)));
      if (hidden) {
        hide_keys(shape, at.place, key, scores);
      }
    }
    keys += shape.width;
    scales += at.layout.keys;
  }
}

template <typename Products>
inline void score_token(const CachedInput& input, std::size_t token, std::size_t first, std::size_t last,
                        std::uint8_t* memory) {
  const Token at(input.shape, token, memory);
  for (std::size_t block = first; block < last; ++block) {
    const std::size_t key = at.layout.first + block * kBlock;
    copy_scales(input, at, key);
    for (std::size_t half = 0; half < kBlock; half += kLanes) {
      score_keys<Products>(input, at, key + half);
    }
  }
}

// Turn the scores of a query into weights of 8 bits.
inline void weigh_head(const CachedShape& shape, const Token& at, std::size_t head) {
  const float* scores = at.scores + head * at.layout.keys;
  const float* value_scales = at.value_scales + head / shape.group() * at.layout.keys;
  Floats most = all(kFloor);
  for (std::size_t key = 0; key < at.layout.keys; key += kLanes) {
    most = larger(most, load(scores + key));
  }
  const Floats factor = all(at.factors[head]);
  const Floats offset = multiply(all(largest_lane(most)), factor);
  Floats total = all(0.0F);
  for (std::size_t block = 0; block < at.blocks(); ++block) {
    const std::size_t key = block * kBlock;
    const Floats first = power_of_two(fused_minus(load(scores + key), factor, offset));
    const Floats second = power_of_two(fused_minus(load(scores + key + kLanes), factor, offset));
    total = add(total, add(first, second));
    const Floats scaled[] = {multiply(first, load(value_scales + key)),
                             multiply(second, load(value_scales + key + kLanes))};
    const float largest = largest_lane(larger(all(kSmallest), larger(scaled[0], scaled[1])));
    const Floats share = all(kLargestWeight / largest);
    at.block_scales[head * at.blocks() + block] = largest / kLargestWeight;
    for (std::size_t half = 0; half < kBlock / kLanes; ++half) {
      store_bytes(at.weights + head * at.layout.keys + key + half * kLanes,
                  to_ints_below(multiply(scaled[half], share), kBeyond));
    }
  }
  at.totals[head] = sum_of_lanes(total);
}

inline void weigh_token(const CachedInput& input, std::size_t token, std::size_t first, std::size_t last,
                        std::uint8_t* memory) {
  const Token at(input.shape, token, memory);
  for (std::size_t head = first; head < last; ++head) {
    weigh_head(input.shape, at, head);
  }
}

// A slice of kLanes channels of a key head.
struct Slice {
  std::size_t head;     // the first of the group
  std::size_t value;    // of the first channel, in the values of a row
  std::size_t channel;  // of the head
  std::size_t channels;
};

// Call work(slice) for the slices [first, last).
template <typename Work>
inline void each_slice(const CachedShape& shape, std::size_t first, std::size_t last, const Work& work) {
  const std::size_t of_head = slices_of_head(shape);
  std::size_t key_head = first / of_head;
  std::size_t channel = first % of_head * kLanes;
  const std::size_t group = shape.group();
  for (std::size_t number = first; number < last; ++number) {
    work(Slice{key_head * group, key_head * shape.width + channel, channel,
               std::min(kLanes, shape.width - channel)});
    channel += kLanes;
    if (channel >= shape.width) {
      channel = 0;
      ++key_head;
    }
  }
}

constexpr std::size_t kHeadsAtOnce = 8;  // of a group

// Add the values of a block of keys to the sums of a slice.
template <typename Products>
inline void mix_slice(const Token& at, const std::uint8_t* rows, std::size_t count, std::size_t block,
                      std::size_t group, const Slice& slice) {
  const auto* values = reinterpret_cast<const std::int8_t*>(rows + at.row.values + slice.value);
  alignas(64) std::int32_t sums[kHeadsAtOnce * kLanes];
  for (std::size_t first = 0; first < group; first += kHeadsAtOnce) {
    const std::size_t heads = std::min(kHeadsAtOnce, group - first);
    const std::size_t head = slice.head + first;
    Products::mix(at.weights + head * at.layout.keys + block * kBlock, at.layout.keys, heads, values,
                  at.row.bytes, count, slice.channels, sums);
    float* to = at.sums + head * at.layout.channels + slice.channel;
    const float* scales = at.block_scales + head * at.blocks() + block;
    for (std::size_t i = 0; i < heads; ++i, to += at.layout.channels, scales += at.blocks()) {
      store(to, fused(to_floats(load(sums + i * kLanes)), all(*scales), load(to)));
    }
  }
}

template <typename Products>
inline void mix_token(const CachedInput& input, std::size_t token, std::size_t first, std::size_t last,
                      std::uint8_t* memory, float* out) {
  const CachedShape& shape = input.shape;
  const Token at(shape, token, memory);
  const std::size_t group = shape.group();
  const std::uint8_t* rows = input.cache + at.layout.first * at.row.bytes;
  each_slice(shape, first, last, [&](const Slice& slice) {
    for (std::size_t i = 0; i < group; ++i) {
      store(at.sums + (slice.head + i) * at.layout.channels + slice.channel, all(0.0F));
    }
  });
  for (std::size_t block = 0; block < at.blocks(); ++block, rows += kBlock * at.row.bytes) {
    const std::size_t count = std::min(kBlock, at.place + 1 - at.layout.first - block * kBlock);
    each_slice(shape, first, last,
               [&](const Slice& slice) { mix_slice<Products>(at, rows, count, block, group, slice); });
  }
  each_slice(shape, first, last, [&](const Slice& slice) {
    for (std::size_t head = slice.head; head < slice.head + group; ++head) {
      const Floats share = all(1.0F / at.totals[head]);
      float* to = out + (token * shape.heads + head) * shape.width + slice.channel;
      store(to, multiply(load(at.sums + head * at.layout.channels + slice.channel), share), slice.channels);
    }
  });
}

}  // namespace
}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_SHARED_CACHED_ATTENTION_ROWS_H_
