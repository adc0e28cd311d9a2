// Packing of keys and values, and attention of blocks of queries, for the vectors of the processor whose
// source includes this (see linear_rows.h).
//
// Each lane of a vector holds a query. So the largest score and the sum of weights of a query need no step
// across lanes, and a key or value is broadcast from memory.
#ifndef LINNET_RUNTIME_KERNELS_SHARED_ATTENTION_ROWS_H_
#define LINNET_RUNTIME_KERNELS_SHARED_ATTENTION_ROWS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/attention.h"
#include "kernels/shared/power_of_two.h"

namespace linnet::kernels {
namespace {

constexpr float kLargest = 127.0F;
// Least magnitude of a row, also for a row of zeros: 127 divided by it must still be finite.
constexpr float kSmallest = 1e-36F;
// Least magnitude of a query, so that the score of a missing key stays far below others after its scale.
constexpr float kSmallestQuery = 1e-20F;
// Score of a missing key: 2 to the power of it is 0, and its difference to a score is still finite.
constexpr float kNever = -1e30F;
// What a block's largest score is at least. Above kNever, so that keys weigh nothing where a query sees none.
constexpr float kFloor = -1e29F;
// Beyond what a row of finite numbers gives when it is rounded to 8 bits; larger ones, and what is no number,
// become zero, because two of the largest int32 overflow a sum.
constexpr float kBeyond = 512.0F;
constexpr std::size_t kUnitsOfLanes = kLanes / kGroup;  // units that kLanes numbers fill
constexpr unsigned kUnitBits = 32 / kGroup;             // of a number in a unit

inline float magnitude(const float* row, std::size_t width) {
  Floats largest = all(kSmallest);
  for (std::size_t i = 0; i < width; i += kLanes) {
    largest = larger(largest, absolute(load(row + i, width - i)));
  }
  return largest_lane(largest);
}

// Return numbers of a row, rounded to 8 bits; zeros behind the first `count`.
inline Ints rounded(const float* row, std::size_t count, Floats factor) {
  return to_ints_below(multiply(load(row, count), factor), kBeyond);
}

// Write the first `count` units of kLanes numbers, at most kUnitsOfLanes.
inline void write_units(Ints numbers, std::size_t count, std::uint8_t* to) {
  alignas(64) std::int32_t units[kUnitsOfLanes];
  to_units(numbers, units);
  std::memcpy(to, units, std::min(count, kUnitsOfLanes) * kUnitBytes);
}

// Return the row of a token and head: as it is, or rotated in `memory`.
inline const float* placed_row(const AttentionInput& input, const AttentionRows& rows, std::size_t token,
                               std::size_t head, float* memory) {
  const AttentionShape& shape = input.shape;
  if (rows.second == nullptr) {
    return rows.first + token * shape.width() + head * shape.head_width;
  }
  const std::size_t half = shape.head_width / 2;
  const std::size_t offset = (token * shape.heads + head) * half;
  for (std::size_t i = 0; i < half; i += kLanes) {
    const std::size_t count = half - i;
    const Floats cosine = load(input.cosine + token * half + i, count);
    const Floats sine = load(input.sine + token * half + i, count);
    const Floats first = load(rows.first + offset + i, count);
    const Floats second = load(rows.second + offset + i, count);
    store(memory + i, minus_fused(second, sine, multiply(first, cosine)), count);
    store(memory + half + i, fused(first, sine, multiply(second, cosine)), count);
  }
  return memory;
}

// Round a row to 8 bits relative to `largest`, write its units and return the sum of its numbers.
inline std::int32_t pack_row(const float* row, std::size_t width, float largest, std::size_t units,
                             std::uint8_t* to) {
  const Floats factor = all(kLargest / largest);
  Ints sum = all(0);
  for (std::size_t i = 0; i < width; i += kLanes) {
    const Ints one = rounded(row + i, width - i, factor);
    sum = add(sum, one);
    write_units(one, units - i / kGroup, to + i / kGroup * kUnitBytes);
  }
  return sum_of_lanes(sum);
}

// Round a row to 8 bits relative to `largest`, and write its units to one lane of [units][kLanes].
inline void pack_lane(const float* row, std::size_t width, float largest, std::size_t units,
                      std::uint8_t* lane) {
  const Floats factor = all(kLargest / largest);
  alignas(64) std::int32_t found[kUnitsOfLanes];
  for (std::size_t i = 0; i < width; i += kLanes) {
    to_units(add(rounded(row + i, width - i, factor), all(kQueryOffset)), found);
    const std::size_t first = i / kGroup;
    for (std::size_t unit = first; unit < std::min(first + kUnitsOfLanes, units); ++unit) {
      std::memcpy(lane + unit * kLanes * kUnitBytes, &found[unit - first], kUnitBytes);
    }
  }
}

inline void pack_keys(const AttentionInput& input, const PackedHead& layout, std::size_t head,
                      std::uint8_t* packed) {
  const AttentionShape& shape = input.shape;
  auto* scales = reinterpret_cast<float*>(packed + layout.key_scale);
  auto* starts = reinterpret_cast<std::int32_t*>(packed + layout.key_start);
  const std::size_t stride = layout.units * kUnitBytes;
  std::uint8_t* bytes = packed + layout.keys;
  for (std::size_t token = 0; token < shape.tokens; ++token, bytes += stride) {
    const float* row =
        placed_row(input, input.key, token, head, reinterpret_cast<float*>(packed + layout.row));
    const float largest = magnitude(row, shape.head_width);
    scales[token] = largest / kLargest;
    starts[token] = -kQueryOffset * pack_row(row, shape.head_width, largest, layout.units, bytes);
  }
  std::fill(bytes, packed + layout.keys + layout.tokens * stride, std::uint8_t{0});
  std::fill(scales + shape.tokens, scales + layout.tokens, 0.0F);
  std::fill(starts + shape.tokens, starts + layout.tokens, 0);
}

// Return kGroup rows of kLanes numbers as a unit in each lane.
inline Ints interleaved(const Ints* rows) {
  const Ints low = all(static_cast<std::int32_t>((1U << kUnitBits) - 1));
  Ints units = both(rows[0], low);
  if constexpr (kGroup == 4) {
    units = either(units, shifted_left<kUnitBits>(both(rows[1], low)));
    units = either(units, shifted_left<2 * kUnitBits>(both(rows[2], low)));
  }
  return either(units, shifted_left<32 - kUnitBits>(rows[kGroup - 1]));
}

inline void pack_values(const AttentionShape& shape, const PackedHead& layout, const float* value,
                        std::uint8_t* packed) {
  auto* scales = reinterpret_cast<float*>(packed + layout.value_scale);
  const std::size_t width = shape.width();
  for (std::size_t channel = 0; channel < layout.channels; channel += kLanes) {
    const float* column = value + channel;
    const std::size_t count = shape.head_width - channel;
    Floats largest = all(kSmallest);
    for (std::size_t token = 0; token < shape.tokens; ++token) {
      largest = larger(largest, absolute(load(column + token * width, count)));
    }
    store(scales + channel, divide(largest, all(kLargest)));
    const Floats factor = divide(all(kLargest), largest);
    std::uint8_t* out = packed + layout.values + channel * kUnitBytes;
    Ints sum = all(0);
    for (std::size_t token = 0; token < layout.tokens; token += kGroup, out += layout.channels * kUnitBytes) {
      Ints rows[kGroup];
      for (std::size_t i = 0; i < kGroup; ++i) {
        rows[i] = token + i < shape.tokens ? rounded(column + (token + i) * width, count, factor) : all(0);
        sum = add(sum, rows[i]);
      }
      store(reinterpret_cast<std::int32_t*>(out), interleaved(rows));
      if constexpr (kWeightOffset != 0) {
        if (token + kGroup == layout.tokens || (token + kGroup) % kBlock == 0) {
          auto* starts = reinterpret_cast<std::int32_t*>(packed + layout.value_start);
          store(starts + token / kBlock * layout.channels + channel, times(sum, kWeightOffset));
          sum = all(0);
        }
      }
    }
  }
}

// Pack the rows of distances from -span to span - 1. Those beyond the text are never read for a score that
// counts; they are zeros.
inline void pack_distances(const AttentionShape& shape, const PackedHead& layout, const float* rows,
                           const PackedDistances& offsets, std::uint8_t* packed) {
  auto* scales = reinterpret_cast<float*>(packed + offsets.scale);
  std::uint8_t* to = packed + offsets.rows;
  const std::size_t beyond = layout.span - shape.tokens;
  std::fill(scales, scales + 2 * layout.span, 0.0F);
  std::fill(to, to + 2 * layout.span * layout.units * kUnitBytes, std::uint8_t{0});
  for (std::size_t i = 0; i < 2 * shape.tokens; ++i, rows += shape.width()) {
    const std::size_t place = beyond + i;
    const float largest = magnitude(rows, shape.head_width);
    scales[place] = largest / kLargest;
    std::uint8_t* block = to + place / kLanes * layout.units * kLanes * kUnitBytes;
    pack_lane(rows, shape.head_width, largest, layout.units, block + place % kLanes * kUnitBytes);
  }
}

inline void pack_head(const AttentionInput& input, std::size_t head, std::uint8_t* packed) {
  const PackedHead layout(input.shape, kUnits);
  const std::size_t first = head * input.shape.head_width;
  pack_keys(input, layout, head, packed);
  pack_values(input.shape, layout, input.value + first, packed);
  if (input.distance_keys != nullptr) {
    pack_distances(input.shape, layout, input.distance_keys + first, layout.distance_keys, packed);
  }
  if (input.distance_queries != nullptr) {
    pack_distances(input.shape, layout, input.distance_queries + first, layout.distance_queries, packed);
  }
}

// The packed rows of distances of a head.
struct Distances {
  Distances(const PackedDistances& offsets, const std::uint8_t* packed)
      : scale(reinterpret_cast<const float*>(packed + offsets.scale)), rows(packed + offsets.rows) {}

  const float* scale;
  const std::uint8_t* rows;
};

// Pointers into the packed head and the scratch memory of one call.
struct Pointers {
  Pointers(const PackedHead& head, const std::uint8_t* packed, std::uint8_t* memory)
      : layout(head),
        key_scale(reinterpret_cast<const float*>(packed + head.key_scale)),
        key_start(reinterpret_cast<const std::int32_t*>(packed + head.key_start)),
        value_scale(reinterpret_cast<const float*>(packed + head.value_scale)),
        value_start(reinterpret_cast<const std::int32_t*>(packed + head.value_start)),
        keys(packed + head.keys),
        values(packed + head.values),
        distance_keys(head.distance_keys, packed),
        distance_queries(head.distance_queries, packed) {
    const Scratch scratch(head);
    queries = memory + scratch.queries;
    scores = reinterpret_cast<float*>(memory + scratch.scores);
    weights = memory + scratch.weights;
    sums = reinterpret_cast<float*>(memory + scratch.sums);
    row = reinterpret_cast<float*>(memory + scratch.row);
    query_rows = memory + scratch.query_rows;
    by_distance = reinterpret_cast<float*>(memory + scratch.by_distance);
    of_keys = reinterpret_cast<float*>(memory + scratch.of_keys);
  }

  const PackedHead& layout;
  const float* key_scale;
  const std::int32_t* key_start;
  const float* value_scale;
  const std::int32_t* value_start;
  const std::uint8_t* keys;
  const std::uint8_t* values;
  Distances distance_keys;
  Distances distance_queries;
  std::uint8_t* queries;
  float* scores;
  std::uint8_t* weights;
  float* sums;
  float* row;
  std::uint8_t* query_rows;
  float* by_distance;
  float* of_keys;
};

// A block of queries, and what their scores know of places.
struct Queries {
  Floats scale;  // of their numbers
  std::size_t first;
  std::size_t count;   // at most kLanes
  const float* bias;   // of the first query, by the number of a key counted backwards; or null
  std::size_t before;  // keys seen in front of a query, and behind it
  std::size_t behind;
  bool windowed;  // there are keys that they do not see
  bool distance_keys;
  bool distance_queries;

  // Tell whether scores depend on places: these are scaled before they are compared.
  bool placed() const noexcept { return windowed || bias != nullptr || distance_keys || distance_queries; }
};

// Round `count` queries, at most kLanes, and return their scales; missing ones repeat the last.
inline Floats pack_queries(const AttentionInput& input, const Pointers& at, std::size_t head,
                           std::size_t first_query, std::size_t count) {
  const AttentionShape& shape = input.shape;
  alignas(64) float scales[kLanes];
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const std::size_t token = first_query + std::min(lane, count - 1);
    const float* row = placed_row(input, input.query, token, head, at.row);
    const float largest = std::max(kSmallestQuery, magnitude(row, shape.head_width));
    scales[lane] = largest / kLargest;
    pack_lane(row, shape.head_width, largest, at.layout.units, at.queries + lane * kUnitBytes);
  }
  return load(scales);
}

// Queries beside each other as keys are, to be multiplied with the keys of distances.
struct QueryRows {
  float scale[kLanes];
  std::int32_t start[kLanes];  // undoes what is added to the keys of distances
};

inline QueryRows pack_query_rows(const AttentionInput& input, const Pointers& at, std::size_t head,
                                 const Queries& queries) {
  const AttentionShape& shape = input.shape;
  QueryRows rows{};
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const std::size_t token = queries.first + std::min(lane, queries.count - 1);
    const float* row = placed_row(input, input.query, token, head, at.row);
    const float largest = std::max(kSmallestQuery, magnitude(row, shape.head_width));
    rows.scale[lane] = largest / kLargest;
    rows.start[lane] = -kQueryOffset * pack_row(row, shape.head_width, largest, at.layout.units,
                                                at.query_rows + lane * at.layout.units * kUnitBytes);
  }
  return rows;
}

// Multiply kStep rows with kLanes distances from number `place` on, which is a multiple of kLanes: row i is
// written to out + i * stride, with the scale of each distance.
inline void multiply_distances(const Pointers& at, const Distances& distances, std::size_t place,
                               const std::uint8_t* rows, const std::int32_t* starts, float* out,
                               std::size_t stride) {
  const std::size_t units = at.layout.units;
  Ints sums[kStep];
  for (std::size_t i = 0; i < kStep; ++i) {
    sums[i] = all(starts[i]);
  }
  add_products<kStep>(sums, distances.rows + place * units * kUnitBytes, rows, units * kUnitBytes, kUnitBytes,
                      units);
  const Floats scale = load(distances.scale + place);
  for (std::size_t i = 0; i < kStep; ++i) {
    store(out + i * stride, multiply(to_floats(sums[i]), scale));
  }
}

// Multiply the queries with the keys of kLanes distances from number `place` on, and write the products to
// the columns of at.by_distance from `column` on.
inline void multiply_distance_keys(const Pointers& at, const QueryRows& rows, std::size_t place,
                                   std::size_t column) {
  for (std::size_t lane = 0; lane < kLanes; lane += kStep) {
    float* out = at.by_distance + lane * kNear + column;
    multiply_distances(at, at.distance_keys, place, at.query_rows + lane * at.layout.units * kUnitBytes,
                       rows.start + lane, out, kNear);
    for (std::size_t i = 0; i < kStep; ++i) {
      store(out + i * kNear, multiply(load(out + i * kNear), all(rows.scale[lane + i])));
    }
  }
}

// Write the products of queries with the keys of their distances to the scores of `count` keys from `token`
// on, which follow those of the call before, if there was one.
inline void score_distances(const Pointers& at, const Queries& queries, const QueryRows& rows,
                            std::size_t token, std::size_t count, bool follows) {
  // the number of the distance `token` - `queries.first` - kLanes: one less than the least
  const std::size_t least = at.layout.span + token - queries.first - kLanes;
  if (follows) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      store(at.by_distance + lane * kNear, load(at.by_distance + lane * kNear + kBlock));
    }
  } else {
    multiply_distance_keys(at, rows, least, 0);
  }
  for (std::size_t key = 0; key < count; key += kLanes) {
    multiply_distance_keys(at, rows, least + kLanes + key, kLanes + key);
    Floats turned[kLanes];
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      turned[lane] = load(at.by_distance + lane * kNear + kLanes + key - lane);
    }
    transpose(turned);
    for (std::size_t i = 0; i < kLanes; ++i) {
      store(at.scores + (key + i) * kLanes, turned[i]);
    }
  }
}

// Multiply kStep keys from `token` on with the queries of their distances. The products of a key begin at
// of_keys + key * 2 * kLanes, as many lanes further as the result says, and one less for each key.
inline std::size_t multiply_distance_queries(const Pointers& at, const Queries& queries, std::size_t token) {
  // the number of the distance `queries.first` - `token`
  const std::size_t nearest = at.layout.span + queries.first - token;
  const std::size_t place = (nearest - (kStep - 1)) / kLanes * kLanes;
  const std::uint8_t* keys = at.keys + token * at.layout.units * kUnitBytes;
  for (std::size_t half = 0; half < 2 * kLanes; half += kLanes) {
    multiply_distances(at, at.distance_queries, place + half, keys, at.key_start + token, at.of_keys + half,
                       2 * kLanes);
  }
  return nearest - place;
}

// kNever for as many lanes as a vector has, zeros, and kNever again.
struct Edges {
  constexpr Edges() {
    for (std::size_t i = 0; i < kLanes; ++i) {
      numbers[i] = numbers[2 * kLanes + i] = kNever;
    }
  }
  float numbers[3 * kLanes] = {};
};
constexpr Edges kEdges;

// Return kNever in the lanes of queries that do not see a key, else 0.
inline Floats unseen(const Queries& queries, std::size_t key) {
  // lanes up to the last one see the key if it is not too far in front of them, those from the first one on
  // if it is not too far behind them
  const auto lanes = static_cast<std::ptrdiff_t>(kLanes);
  const auto ahead = static_cast<std::ptrdiff_t>(key) - static_cast<std::ptrdiff_t>(queries.first);
  const std::ptrdiff_t last =
      std::clamp(static_cast<std::ptrdiff_t>(queries.before) + ahead, std::ptrdiff_t{-1}, lanes - 1);
  const std::ptrdiff_t first =
      std::clamp(ahead - static_cast<std::ptrdiff_t>(queries.behind), std::ptrdiff_t{0}, lanes);
  return add(load(kEdges.numbers + (2 * lanes - 1 - last)), load(kEdges.numbers + (lanes - first)));
}

// Return the scores of a key: scaled, with what is added to them, their bias, and kNever for queries that do
// not see it.
inline Floats placed_score(const Queries& queries, std::size_t key, Floats score, Floats added) {
  if (queries.bias != nullptr) {
    added = add(added, load(queries.bias - key, queries.count));
  }
  if (queries.windowed) {
    added = add(added, unseen(queries, key));
  }
  return fused(score, queries.scale, added);
}

// Compute the scores of kStep keys from `token` on, of which `real` exist, and return the largest of
// `largest` and them. With keys of distances, `scores` has their part already.
inline Floats score(const Pointers& at, const Queries& queries, std::size_t token, std::size_t real,
                    float* scores, Floats largest) {
  const std::size_t stride = at.layout.units * kUnitBytes;
  Ints sums[kStep];
  for (std::size_t key = 0; key < kStep; ++key) {
    sums[key] = all(at.key_start[token + key]);
  }
  add_products<kStep>(sums, at.queries, at.keys + token * stride, stride, kUnitBytes, at.layout.units);
  const std::size_t shift = queries.distance_queries ? multiply_distance_queries(at, queries, token) : 0;
  Floats found[kStep];
  for (std::size_t key = 0; key < kStep; ++key) {
    const Floats scale = all(at.key_scale[token + key]);
    found[key] = multiply(to_floats(sums[key]), scale);
    if (queries.placed()) {
      Floats added = queries.distance_keys ? load(scores + key * kLanes) : all(0.0F);
      if (queries.distance_queries) {
        added = fused(load(at.of_keys + key * 2 * kLanes + shift - key), scale, added);
      }
      found[key] = placed_score(queries, token + std::min(key, real - 1), found[key], added);
    }
    if (key >= real) {
      found[key] = all(kNever);
    }
    store(scores + key * kLanes, found[key]);
  }
  for (std::size_t key = 0; key < kStep; ++key) {
    largest = larger(largest, found[key]);
  }
  return largest;
}

// Turn `count` scores of a block into weights, of which the largest is kLargestWeight, and return their sums.
// Keys behind the last token have the score kNever and add nothing.
inline Ints weigh(const Pointers& at, std::size_t count, Floats largest, Floats factor) {
  constexpr float kLog2Weight = 7.99435344F;  // log2(kLargestWeight)
  const Floats offset = fused_minus(largest, factor, all(kLog2Weight));
  Ints sum = all(0);
  for (std::size_t key = 0; key < count; key += kGroup) {
    Ints rows[kGroup];
    for (std::size_t i = 0; i < kGroup; ++i) {
      const Floats score = load(at.scores + (key + i) * kLanes);
      rows[i] = to_ints(power_of_two(fused_minus(score, factor, offset)));
    }
    for (std::size_t i = 0; i < kGroup; ++i) {
      sum = add(sum, rows[i]);
      if (kWeightOffset != 0) {
        rows[i] = add(rows[i], all(-kWeightOffset));
      }
    }
    store(reinterpret_cast<std::int32_t*>(at.weights + key / kGroup * kLanes * kUnitBytes),
          interleaved(rows));
  }
  return sum;
}

// Add the weighted values of a block of `count` keys from `token` on to kLanes channels:
// sums = sums * before + block * now.
inline void mix(const Pointers& at, std::size_t token, std::size_t count, std::size_t channel, Floats before,
                Floats now) {
  Ints block[kLanes];
  for (std::size_t i = 0; i < kLanes; ++i) {
    block[i] =
        all(kWeightOffset == 0 ? 0 : at.value_start[token / kBlock * at.layout.channels + channel + i]);
  }
  const std::size_t stride = at.layout.channels * kUnitBytes;
  const std::uint8_t* values = at.values + token / kGroup * stride + channel * kUnitBytes;
  add_products<kLanes>(block, at.weights, values, kUnitBytes, stride, count / kGroup);
  float* sums = at.sums + channel * kLanes;
  for (std::size_t i = 0; i < kLanes; ++i) {
    const Floats added = multiply(to_floats(block[i]), now);
    store(sums + i * kLanes, fused(load(sums + i * kLanes), before, added));
  }
}

// Running maximum and sum of the softmax of kLanes queries over the blocks so far.
struct Seen {
  Floats largest;  // score
  Floats weights;  // sum, where the largest score weighs kLargestWeight
};

inline void attend_block(const Pointers& at, const Queries& queries, std::size_t token, std::size_t real,
                         Floats factor, Seen& seen) {
  const std::size_t count = std::min(kBlock, at.layout.tokens - token);
  Floats largest = all(kFloor);
  for (std::size_t key = 0; key < real; key += kStep) {
    largest = score(at, queries, token + key, std::min(kStep, real - key), at.scores + key * kLanes, largest);
  }
  const Ints sum = weigh(at, count, largest, factor);
  const Floats most = larger(seen.largest, largest);
  const Floats before = power_of_two(multiply(subtract(seen.largest, most), factor));
  const Floats now = power_of_two(multiply(subtract(largest, most), factor));
  seen.weights = fused(seen.weights, before, multiply(to_floats(sum), now));
  seen.largest = most;
  for (std::size_t channel = 0; channel < at.layout.channels; channel += kLanes) {
    mix(at, token, count, channel, before, now);
  }
}

// Write `count` rows of weighted means to `out`.
inline void write_means(const AttentionShape& shape, const Pointers& at, Floats weights, std::size_t count,
                        float* out) {
  const Floats share = divide(all(1.0F), weights);
  for (std::size_t channel = 0; channel < at.layout.channels; channel += kLanes) {
    Floats rows[kLanes];
    for (std::size_t i = 0; i < kLanes; ++i) {
      rows[i] = multiply(load(at.sums + (channel + i) * kLanes), share);
    }
    transpose(rows);
    const Floats scale = load(at.value_scale + channel);
    for (std::size_t row = 0; row < count; ++row) {
      store(out + row * shape.width() + channel, multiply(rows[row], scale), shape.head_width - channel);
    }
  }
}

inline Queries queries_from(const AttentionInput& input, const Pointers& at, std::size_t head,
                            std::size_t first, std::size_t count) {
  const float* bias =
      input.bias == nullptr ? nullptr : input.bias + head * 2 * input.reach + input.reach - 1 + first;
  return {pack_queries(input, at, head, first, count),
          first,
          count,
          bias,
          input.before,
          input.behind,
          !input.sees_all(),
          input.distance_keys != nullptr,
          input.distance_queries != nullptr};
}

inline void attend_rows(const AttentionInput& input, std::size_t head, std::size_t first, std::size_t last,
                        const std::uint8_t* packed, std::uint8_t* scratch, float* out) {
  const AttentionShape& shape = input.shape;
  const PackedHead layout(shape, kUnits);
  const Pointers at(layout, packed, scratch);
  for (std::size_t row = first; row < last; row += kLanes) {
    const Queries queries = queries_from(input, at, head, row, std::min(kLanes, last - row));
    const Floats factor = queries.placed() ? all(kLog2E) : multiply(queries.scale, all(kLog2E));
    Seen seen{all(kNever), all(0.0F)};
    std::fill(at.sums, at.sums + layout.channels * kLanes, 0.0F);
    const QueryRows rows = queries.distance_keys ? pack_query_rows(input, at, head, queries) : QueryRows{};
    const std::size_t nearest = (row - std::min(row, input.before)) / kBlock * kBlock;
    const std::size_t end = std::min(shape.tokens, row + queries.count + input.behind);
    for (std::size_t token = nearest; token < end; token += kBlock) {
      const std::size_t real = std::min(kBlock, shape.tokens - token);
      if (queries.distance_keys) {
        score_distances(at, queries, rows, token, real, token > nearest);
      }
      attend_block(at, queries, token, real, factor, seen);
    }
    write_means(shape, at, seen.weights, queries.count, out + row * shape.width() + head * shape.head_width);
  }
}

}  // namespace
}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_SHARED_ATTENTION_ROWS_H_
