// Attention of many queries at once to a cache, for the vectors of the processor whose source includes this
// (see linear_rows.h).
//
// Each lane of a vector holds a query: a token and a head of the group that reads a key head. Float
// operations on a query's numbers, and their order, are those of cached_attention_rows.h.
#ifndef LINNET_RUNTIME_KERNELS_SHARED_CACHED_ATTENTION_TILES_H_
#define LINNET_RUNTIME_KERNELS_SHARED_CACHED_ATTENTION_TILES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/cached_attention.h"
#include "kernels/shared/attention_rows.h"
#include "kernels/shared/cached_attention_rows.h"
#include "kernels/shared/power_of_two.h"

namespace linnet::kernels {
namespace {

// A number in a unit.
using UnitNumber = std::conditional_t<kGroup == 4, std::int8_t, std::int16_t>;

inline UnitNumber unit_number(const std::int8_t* numbers, std::size_t place) {
  return static_cast<UnitNumber>(+numbers[place]);
}

inline void pack_cached_key(const std::int8_t* key, std::size_t width, std::size_t units, std::uint8_t* to) {
  auto* numbers = reinterpret_cast<UnitNumber*>(to);
  std::copy(key, key + width, numbers);
  std::fill(numbers + width, numbers + units * kGroup, UnitNumber{0});
}

// Write kGroup rows of values as units by channel, and zeros for rows that are not there.
inline void pack_cached_values(const std::int8_t* values, std::size_t stride, std::size_t rows,
                               std::size_t width, std::size_t channels, std::uint8_t* to) {
  auto* numbers = reinterpret_cast<UnitNumber*>(to);
  if (rows < kGroup || width < channels) {
    std::fill(numbers, numbers + channels * kGroup, UnitNumber{0});
  }
  if (rows >= kGroup) {
    for (std::size_t i = 0; i < width; ++i) {
      for (std::size_t row = 0; row < kGroup; ++row) {
        numbers[i * kGroup + row] = unit_number(values, row * stride + i);
      }
    }
    return;
  }
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = 0; i < width; ++i) {
      numbers[i * kGroup + row] = unit_number(values, row * stride + i);
    }
  }
}

inline std::int32_t sum_of_numbers(const std::int8_t* numbers, std::size_t count) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += numbers[i];
  }
  return sum;
}

// Write what undoes that weights are kWeightOffset less, for each channel of a block of `count` keys.
inline void pack_value_starts(const std::int8_t* values, std::size_t stride, std::size_t count,
                              std::size_t width, std::int32_t* starts) {
  for (std::size_t row = 0; row < count; ++row, values += stride) {
    for (std::size_t i = 0; i < width; ++i) {
      starts[i] += kWeightOffset * values[i];
    }
  }
}

// Pack one block of keys and their values.
inline void pack_cache_block(const CachedInput& input, const PackedCache& layout, std::size_t key_head,
                             std::size_t block, std::uint8_t* packed) {
  const CachedShape& shape = input.shape;
  const CacheRow row(shape.key_heads, shape.width);
  const std::size_t at = block * kBlock;
  const std::size_t first = layout.first + at;
  const std::size_t count = std::min(kBlock, shape.end() - first);
  const std::uint8_t* rows = input.cache + first * row.bytes;
  const auto* keys = reinterpret_cast<const std::int8_t*>(rows + key_head * shape.width);
  const std::int8_t* values = keys + row.values;
  for (std::size_t half = 0; half < kBlock; half += kLanes) {
    const std::uint8_t* scales = rows + half * row.bytes + key_head * sizeof(float);
    const std::size_t real = count - std::min(count, half);
    store(reinterpret_cast<float*>(packed + layout.key_scale) + at + half,
          load_column(scales + row.key_scales, row.bytes, real));
    store(reinterpret_cast<float*>(packed + layout.value_scale) + at + half,
          load_column(scales + row.value_scales, row.bytes, real));
  }
  auto* starts = reinterpret_cast<std::int32_t*>(packed + layout.key_start) + at;
  std::uint8_t* key_units = packed + layout.key_units + at * layout.units * kUnitBytes;
  for (std::size_t i = 0; i < kBlock; ++i, key_units += layout.units * kUnitBytes) {
    const std::int8_t* key = keys + i * row.bytes;
    const std::size_t width = i < count ? shape.width : 0;
    pack_cached_key(key, width, layout.units, key_units);
    starts[i] = kQueryOffset == 0 ? 0 : -kQueryOffset * sum_of_numbers(key, width);
  }
  const std::size_t unit_row = layout.channels * kUnitBytes;
  std::uint8_t* value_units = packed + layout.value_units + at / kGroup * unit_row;
  for (std::size_t i = 0; i < kBlock; i += kGroup, value_units += unit_row) {
    pack_cached_values(values + i * row.bytes, row.bytes, count - std::min(count, i), shape.width,
                       layout.channels, value_units);
  }
  if constexpr (kWeightOffset != 0) {
    auto* block_starts =
        reinterpret_cast<std::int32_t*>(packed + layout.value_start) + block * layout.channels;
    std::fill(block_starts, block_starts + layout.channels, 0);
    pack_value_starts(values, row.bytes, count, shape.width, block_starts);
  }
}

inline void pack_cache(const CachedInput& input, std::size_t key_head, std::size_t first, std::size_t last,
                       std::uint8_t* packed) {
  const PackedCache layout(input.shape, kUnits);
  for (std::size_t block = first; block < last; ++block) {
    pack_cache_block(input, layout, key_head, block, packed);
  }
}

// Pointers into the packed cache of a key head and the memory of a thread, and the queries of one tile.
struct Tile {
  Tile(const PackedCache& cache, const TileScratch& scratch, const std::uint8_t* packed, std::uint8_t* memory)
      : layout(cache),
        key_scale(reinterpret_cast<const float*>(packed + cache.key_scale)),
        value_scale(reinterpret_cast<const float*>(packed + cache.value_scale)),
        key_start(reinterpret_cast<const std::int32_t*>(packed + cache.key_start)),
        value_start(reinterpret_cast<const std::int32_t*>(packed + cache.value_start)),
        key_units(packed + cache.key_units),
        value_units(packed + cache.value_units),
        queries(memory + scratch.queries),
        scores(reinterpret_cast<float*>(memory + scratch.scores)),
        weights(memory + scratch.weights),
        totals(reinterpret_cast<float*>(memory + scratch.totals)),
        sums(reinterpret_cast<float*>(memory + scratch.sums)),
        row(reinterpret_cast<float*>(memory + scratch.row)) {}

  const PackedCache& layout;
  const float* key_scale;
  const float* value_scale;
  const std::int32_t* key_start;
  const std::int32_t* value_start;
  const std::uint8_t* key_units;
  const std::uint8_t* value_units;
  std::uint8_t* queries;
  float* scores;
  std::uint8_t* weights;
  float* totals;
  float* sums;
  float* row;
};

// The queries of a tile.
struct TileQueries {
  std::size_t first;  // numbered by token and then by head of the group
  std::size_t count;  // at most kLanes
  std::size_t first_place;
  std::size_t last_place;
  Floats places;  // of each query; missing ones repeat the last
  Floats factor;  // scales of the queries times log2(e)
};

inline TileQueries pack_tile(const CachedInput& input, const Tile& at, std::size_t key_head,
                             std::size_t first, std::size_t count) {
  const CachedShape& shape = input.shape;
  alignas(64) float places[kLanes];
  alignas(64) float factors[kLanes];
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const std::size_t number = first + std::min(lane, count - 1);
    const std::size_t token = number / shape.group();
    const std::size_t head = key_head * shape.group() + number % shape.group();
    const float* row = rotated_query(input, token, head, at.row);
    const float largest = std::max(kSmallestQuery, magnitude(row, shape.width));
    pack_lane(row, shape.width, largest, at.layout.units, at.queries + lane * kUnitBytes);
    places[lane] = static_cast<float>(shape.start + token);
    factors[lane] = largest / kLargest * kLog2E;
  }
  return {first,
          count,
          shape.start + first / shape.group(),
          shape.start + (first + count - 1) / shape.group(),
          load(places),
          load(factors)};
}

// Return at most kNever in the lanes of queries that do not see a key, else 0.
inline Floats unseen(const CachedShape& shape, Floats places, std::size_t key) {
  const Floats distance = subtract(places, all(static_cast<float>(key)));
  Floats beyond = smaller(distance, all(0.0F));
  if (shape.window < shape.end()) {
    const Floats left = subtract(all(static_cast<float>(shape.window - 1)), distance);
    beyond = smaller(beyond, left);
  }
  return multiply(beyond, all(-kNever));
}

// Compute the scores of kStep keys from `key` on and return the largest of `largest` and them.
inline Floats score_step(const CachedShape& shape, const Tile& at, const TileQueries& queries,
                         std::size_t key, Floats largest) {
  const std::size_t stride = at.layout.units * kUnitBytes;
  const std::size_t place = at.layout.first + key;
  const bool hidden = place + kStep > queries.first_place + 1 || place < shape.first_key(queries.last_place);
  Ints sums[kStep];
  for (std::size_t i = 0; i < kStep; ++i) {
    sums[i] = all(at.key_start[key + i]);
  }
  add_products<kStep>(sums, at.queries, at.key_units + key * stride, stride, kUnitBytes, at.layout.units);
  for (std::size_t i = 0; i < kStep; ++i) {
    Floats score = multiply(to_floats(sums[i]), all(at.key_scale[key + i]));
    if (hidden) {
      score = add(score, unseen(shape, queries.places, place + i));
    }
    store(at.scores + (key + i) * kLanes, score);
    largest = larger(largest, score);
  }
  return largest;
}

// Turn the scores of a block into softmax weights times the scales of values, add the softmax weights to the
// totals, and return the largest.
inline Floats soften(const Tile& at, std::size_t key, Floats factor, Floats offset) {
  Floats largest = all(kSmallest);
  for (std::size_t i = 0; i < kLanes; ++i) {
    float* first = at.scores + (key + i) * kLanes;
    float* second = first + kLanes * kLanes;
    const Floats near = power_of_two(fused_minus(load(first), factor, offset));
    const Floats far = power_of_two(fused_minus(load(second), factor, offset));
    float* total = at.totals + i * kLanes;
    store(total, add(load(total), add(near, far)));
    const Floats near_scaled = multiply(near, all(at.value_scale[key + i]));
    const Floats far_scaled = multiply(far, all(at.value_scale[key + kLanes + i]));
    store(first, near_scaled);
    store(second, far_scaled);
    largest = larger(largest, larger(near_scaled, far_scaled));
  }
  return largest;
}

// Round the weights of a block to 8 bits relative to the largest.
inline void round_weights(const Tile& at, std::size_t key, Floats largest) {
  const Floats share = divide(all(kLargestWeight), largest);
  for (std::size_t i = 0; i < kBlock; i += kGroup) {
    Ints rows[kGroup];
    for (std::size_t row = 0; row < kGroup; ++row) {
      const Floats scaled = load(at.scores + (key + i + row) * kLanes);
      rows[row] = to_ints_below(multiply(scaled, share), kBeyond);
      if (kWeightOffset != 0) {
        rows[row] = add(rows[row], all(-kWeightOffset));
      }
    }
    store(reinterpret_cast<std::int32_t*>(at.weights + i / kGroup * kLanes * kUnitBytes), interleaved(rows));
  }
}

// Add the weighted values of a block to the sums of kLanes channels.
inline void mix_block(const Tile& at, std::size_t key, std::size_t channel, Floats scale) {
  Ints block[kLanes];
  for (std::size_t i = 0; i < kLanes; ++i) {
    block[i] = all(kWeightOffset == 0 ? 0 : at.value_start[key / kBlock * at.layout.channels + channel + i]);
  }
  const std::size_t stride = at.layout.channels * kUnitBytes;
  const std::uint8_t* values = at.value_units + key / kGroup * stride + channel * kUnitBytes;
  add_products<kLanes>(block, at.weights, values, kUnitBytes, stride, kBlock / kGroup);
  float* sums = at.sums + channel * kLanes;
  for (std::size_t i = 0; i < kLanes; ++i) {
    store(sums + i * kLanes, fused(to_floats(block[i]), scale, load(sums + i * kLanes)));
  }
}

// Return the sums of the softmax weights of the queries, in the order of sum_of_lanes().
inline Floats totals_of(const Tile& at) {
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) {
      float* total = at.totals + i * kLanes;
      store(total, add(load(total), load(total + half * kLanes)));
    }
  }
  return load(at.totals);
}

inline void write_tile(const CachedShape& shape, const Tile& at, const TileQueries& queries,
                       std::size_t key_head, float* out) {
  const Floats share = divide(all(1.0F), totals_of(at));
  for (std::size_t channel = 0; channel < at.layout.channels; channel += kLanes) {
    Floats rows[kLanes];
    for (std::size_t i = 0; i < kLanes; ++i) {
      rows[i] = multiply(load(at.sums + (channel + i) * kLanes), share);
    }
    transpose(rows);
    for (std::size_t lane = 0; lane < queries.count; ++lane) {
      const std::size_t number = queries.first + lane;
      const std::size_t head = key_head * shape.group() + number % shape.group();
      store(out + (number / shape.group() * shape.heads + head) * shape.width + channel, rows[lane],
            shape.width - channel);
    }
  }
}

inline void attend_tile(const CachedInput& input, const Tile& at, std::size_t key_head, std::size_t first,
                        std::size_t count, float* out) {
  const CachedShape& shape = input.shape;
  const TileQueries queries = pack_tile(input, at, key_head, first, count);
  const std::size_t begin = shape.first_block_key(queries.first_place) - at.layout.first;
  const std::size_t end = rounded_up(queries.last_place + 1 - at.layout.first, kBlock);
  Floats largest = all(kFloor);
  for (std::size_t key = begin; key < end; key += kStep) {
    largest = score_step(shape, at, queries, key, largest);
  }
  const Floats offset = multiply(largest, queries.factor);
  std::fill(at.totals, at.totals + kLanes * kLanes, 0.0F);
  std::fill(at.sums, at.sums + at.layout.channels * kLanes, 0.0F);
  for (std::size_t key = begin; key < end; key += kBlock) {
    const Floats most = soften(at, key, queries.factor, offset);
    round_weights(at, key, most);
    const Floats scale = divide(most, all(kLargestWeight));
    for (std::size_t channel = 0; channel < at.layout.channels; channel += kLanes) {
      mix_block(at, key, channel, scale);
    }
  }
  write_tile(shape, at, queries, key_head, out);
}

inline void attend_tiles(const CachedInput& input, std::size_t key_head, std::size_t first, std::size_t last,
                         const std::uint8_t* packed, std::uint8_t* scratch, float* out) {
  const PackedCache layout(input.shape, kUnits);
  const TileScratch parts(layout);
  const Tile at(layout, parts, packed, scratch);
  for (std::size_t query = first; query < last; query += kLanes) {
    attend_tile(input, at, key_head, query, std::min(kLanes, last - query), out);
  }
}

}  // namespace
}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_SHARED_CACHED_ATTENTION_TILES_H_
