// Attention of one token to a float32 cache, for the vectors of the processor whose source includes this (see
// linear_rows.h).
#ifndef LINNET_RUNTIME_KERNELS_SHARED_CACHED_ATTENTION_EXACT_H_
#define LINNET_RUNTIME_KERNELS_SHARED_CACHED_ATTENTION_EXACT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/cached_attention.h"
#include "kernels/shared/cached_attention_rows.h"
#include "kernels/shared/power_of_two.h"

namespace linnet::kernels {
namespace {

inline void append_exact_tokens(const CachedInput& input, std::size_t first, std::size_t last) {
  const CachedShape& shape = input.shape;
  const std::size_t size = shape.key_heads * shape.width;
  alignas(64) float rotated[kRotatedAtOnce];
  for (std::size_t token = first; token < last; ++token) {
    const std::size_t place = shape.start + token;
    float* to = input.exact_cache + place * 2 * size;
    for (std::size_t head = 0; head < shape.key_heads; ++head) {
      const float* key = rotated_row(input, input.key + token * size + head * shape.width, place, rotated);
      std::copy(key, key + shape.width, to + head * shape.width);
    }
    std::copy(input.value + token * size, input.value + (token + 1) * size, to + size);
  }
}

inline float product_of(const float* left, const float* right, std::size_t width) {
  Floats sum = all(0.0F);
  for (std::size_t i = 0; i < width; i += kLanes) {
    sum = fused(load(left + i, width - i), load(right + i, width - i), sum);
  }
  return sum_of_lanes(sum);
}

// The sum of the softmax weights goes over the places in a block as that of an int8 cache does.
inline void attend_exact_head(const CachedInput& input, std::size_t token, std::size_t head,
                              std::uint8_t* scratch, float* out) {
  const CachedShape& shape = input.shape;
  const std::size_t place = shape.start + token;
  const ExactScratch layout(shape, place);
  auto* scores = reinterpret_cast<float*>(scratch + layout.scores);
  auto* sums = reinterpret_cast<float*>(scratch + layout.sums);
  const float* query = rotated_query(input, token, head, reinterpret_cast<float*>(scratch + layout.query));
  const std::size_t size = shape.key_heads * shape.width;
  const float* rows = input.exact_cache + head / shape.group() * shape.width;
  const std::size_t block = shape.first_block_key(place);
  const std::size_t first = shape.first_key(place);
  const std::size_t end = rounded_up(place + 1 - block, kBlock);
  std::fill(scores, scores + end, kNever);
  Floats largest = all(kFloor);
  for (std::size_t key = first; key <= place; ++key) {
    scores[key - block] = product_of(query, rows + key * 2 * size, shape.width);
  }
  for (std::size_t key = 0; key < end; key += kLanes) {
    largest = larger(largest, load(scores + key));
  }
  const Floats most = all(largest_lane(largest));
  Floats total = all(0.0F);
  for (std::size_t key = 0; key < end; key += kLanes) {
    const Floats weights = precise_exponential(subtract(load(scores + key), most));
    total = add(total, weights);
    store(scores + key, weights);
  }
  std::fill(sums, sums + shape.width, 0.0F);
  for (std::size_t key = first; key <= place; ++key) {
    const float* values = rows + size + key * 2 * size;
    const Floats weight = all(scores[key - block]);
    for (std::size_t i = 0; i < shape.width; i += kLanes) {
      const std::size_t count = shape.width - i;
      store(sums + i, fused(weight, load(values + i, count), load(sums + i, count)), count);
    }
  }
  const Floats share = all(1.0F / sum_of_lanes(total));
  float* to = out + (token * shape.heads + head) * shape.width;
  for (std::size_t i = 0; i < shape.width; i += kLanes) {
    store(to + i, multiply(load(sums + i, shape.width - i), share), shape.width - i);
  }
}

}  // namespace
}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_SHARED_CACHED_ATTENTION_EXACT_H_
