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
    const Floats factor = all(kLargest / largest);
    Ints sum = all(0);
    for (std::size_t i = 0; i < shape.head_width; i += kLanes) {
      const Ints one = rounded(row + i, shape.head_width - i, factor);
      sum = add(sum, one);
      write_units(one, layout.units - i / kGroup, bytes + i / kGroup * kUnitBytes);
    }
    scales[token] = largest / kLargest;
    starts[token] = -kQueryOffset * sum_of_lanes(sum);
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

inline void pack_head(const AttentionInput& input, std::size_t head, std::uint8_t* packed) {
  const PackedHead layout(input.shape, kUnits);
  pack_keys(input, layout, head, packed);
  pack_values(input.shape, layout, input.value + head * input.shape.head_width, packed);
}

// Pointers into the packed head and the scratch memory of one call.
struct Pointers {
  Pointers(const PackedHead& head, const std::uint8_t* packed, std::uint8_t* memory)
      : layout(head),
        key_scale(reinterpret_cast<const float*>(packed + head.key_scale)),
        key_start(reinterpret_cast<const std::int32_t*>(packed + head.key_start)),
        value_scale(reinterpret_cast<const float*>(packed + head.value_scale)),
        value_start(reinterpret_cast<const std::int32_t*>(packed + head.value_start)),
        keys(packed + head.keys),
        values(packed + head.values) {
    const Scratch scratch(head);
    queries = memory + scratch.queries;
    scores = reinterpret_cast<float*>(memory + scratch.scores);
    weights = memory + scratch.weights;
    sums = reinterpret_cast<float*>(memory + scratch.sums);
    row = reinterpret_cast<float*>(memory + scratch.row);
  }

  const PackedHead& layout;
  const float* key_scale;
  const std::int32_t* key_start;
  const float* value_scale;
  const std::int32_t* value_start;
  const std::uint8_t* keys;
  const std::uint8_t* values;
  std::uint8_t* queries;
  float* scores;
  std::uint8_t* weights;
  float* sums;
  float* row;
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

  // Tell whether scores depend on places: these are scaled before they are compared.
  bool placed() const noexcept { return windowed || bias != nullptr; }
};

// Round `count` queries, at most kLanes, and return their scales; missing ones repeat the last.
inline Floats pack_queries(const AttentionInput& input, const Pointers& at, std::size_t head,
                           std::size_t first_query, std::size_t count) {
  const AttentionShape& shape = input.shape;
  alignas(64) float scales[kLanes];
  alignas(64) std::int32_t units[kUnitsOfLanes];
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const std::size_t token = first_query + std::min(lane, count - 1);
    const float* row = placed_row(input, input.query, token, head, at.row);
    const float largest = std::max(kSmallestQuery, magnitude(row, shape.head_width));
    const Floats factor = all(kLargest / largest);
    scales[lane] = largest / kLargest;
    for (std::size_t i = 0; i < shape.head_width; i += kLanes) {
      to_units(add(rounded(row + i, shape.head_width - i, factor), all(kQueryOffset)), units);
      const std::size_t first = i / kGroup;
      for (std::size_t unit = first; unit < std::min(first + kUnitsOfLanes, at.layout.units); ++unit) {
        std::memcpy(at.queries + (unit * kLanes + lane) * kUnitBytes, &units[unit - first], kUnitBytes);
      }
    }
  }
  return load(scales);
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

// Return the scores of a key: scaled, with their bias, and kNever for queries that do not see it.
inline Floats placed_score(const Queries& queries, std::size_t key, Floats score) {
  Floats added = all(0.0F);
  if (queries.bias != nullptr) {
    added = load(queries.bias - key, queries.count);
  }
  if (queries.windowed) {
    added = add(added, unseen(queries, key));
  }
  return fused(score, queries.scale, added);
}

// Compute the scores of kStep keys from `token` on, of which `real` exist, and return the largest of
// `largest` and them.
inline Floats score(const Pointers& at, const Queries& queries, std::size_t token, std::size_t real,
                    float* scores, Floats largest) {
  const std::size_t stride = at.layout.units * kUnitBytes;
  Ints sums[kStep];
  for (std::size_t key = 0; key < kStep; ++key) {
    sums[key] = all(at.key_start[token + key]);
  }
  add_products<kStep>(sums, at.queries, at.keys + token * stride, stride, kUnitBytes, at.layout.units);
  Floats found[kStep];
  for (std::size_t key = 0; key < kStep; ++key) {
    found[key] = multiply(to_floats(sums[key]), all(at.key_scale[token + key]));
    if (queries.placed()) {
      found[key] = placed_score(queries, token + std::min(key, real - 1), found[key]);
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
          !input.sees_all()};
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
    const std::size_t nearest = row - std::min(row, input.before);
    const std::size_t end = std::min(shape.tokens, row + queries.count + input.behind);
    for (std::size_t token = nearest / kBlock * kBlock; token < end; token += kBlock) {
      attend_block(at, queries, token, std::min(kBlock, shape.tokens - token), factor, seen);
    }
    write_means(shape, at, seen.weights, queries.count, out + row * shape.width() + head * shape.head_width);
  }
}

}  // namespace
}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_SHARED_ATTENTION_ROWS_H_
