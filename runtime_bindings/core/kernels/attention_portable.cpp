#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/attention.h"

namespace linnet::kernels {
namespace {

constexpr float kLargest = 127.0F;
constexpr int kKeyOffset = 128;
// Magnitude of a row of zeros: 127 divided by it must still be a number.
constexpr float kSmallest = 1e-36F;

float magnitude(const float* values, std::size_t count, std::size_t stride) {
  float largest = kSmallest;
  for (std::size_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::fabs(values[i * stride]));
  }
  return largest;
}

int rounded(float value) { return static_cast<int>(std::nearbyintf(value)); }

void pack_keys(const AttentionShape& shape, const PackedHead& layout, const float* key,
               std::uint8_t* packed) {
  auto* scales = reinterpret_cast<float*>(packed + layout.key_scale);
  auto* biases = reinterpret_cast<float*>(packed + layout.key_bias);
  std::uint8_t* keys = packed + layout.keys;
  std::fill(keys, keys + layout.tokens * layout.groups * kGroup, static_cast<std::uint8_t>(kKeyOffset));
  for (std::size_t token = 0; token < layout.tokens; ++token) {
    const bool real = token < shape.tokens;
    biases[token] = real ? 0.0F : -std::numeric_limits<float>::infinity();
    scales[token] = 0.0F;
    if (!real) {
      continue;
    }
    const float* row = key + token * shape.width();
    const float largest = magnitude(row, shape.head_width, 1);
    scales[token] = largest / kLargest;
    for (std::size_t i = 0; i < shape.head_width; ++i) {
      const std::size_t at =
          ((token / kKeys * layout.groups + i / kGroup) * kKeys + token % kKeys) * kGroup + i % kGroup;
      keys[at] = static_cast<std::uint8_t>(rounded(row[i] * (kLargest / largest)) + kKeyOffset);
    }
  }
}

void pack_values(const AttentionShape& shape, const PackedHead& layout, const float* value,
                 std::uint8_t* packed) {
  auto* scales = reinterpret_cast<float*>(packed + layout.value_scale);
  auto* values = reinterpret_cast<std::int16_t*>(packed + layout.values);
  std::fill(values, values + layout.tokens * layout.blocks * kLanes, std::int16_t{0});
  for (std::size_t i = 0; i < layout.blocks * kLanes; ++i) {
    scales[i] = 0.0F;
    if (i >= shape.head_width) {
      continue;
    }
    const float largest = magnitude(value + i, shape.tokens, shape.width());
    scales[i] = largest / kLargest;
    for (std::size_t token = 0; token < shape.tokens; ++token) {
      const std::size_t at =
          ((token / kPair * layout.blocks + i / kLanes) * kLanes + i % kLanes) * kPair + token % kPair;
      values[at] =
          static_cast<std::int16_t>(rounded(value[token * shape.width() + i] * (kLargest / largest)));
    }
  }
}

void pack(const AttentionShape& shape, const float* key, const float* value, std::size_t head,
          std::uint8_t* packed) {
  const PackedHead layout(shape);
  const std::size_t offset = head * shape.head_width;
  pack_keys(shape, layout, key + offset, packed);
  pack_values(shape, layout, value + offset, packed);
}

std::int32_t key_product(const PackedHead& layout, const std::uint8_t* keys, const std::int8_t* query,
                         std::size_t token) {
  std::int32_t sum = 0;
  for (std::size_t group = 0; group < layout.groups; ++group) {
    const std::uint8_t* key =
        keys + ((token / kKeys * layout.groups + group) * kKeys + token % kKeys) * kGroup;
    for (std::size_t i = 0; i < kGroup; ++i) {
      sum += (key[i] - kKeyOffset) * query[group * kGroup + i];
    }
  }
  return sum;
}

// Rounds one query and returns its scale.
float round_query(const AttentionShape& shape, const PackedHead& layout, const float* query,
                  std::int8_t* rounded_query) {
  const float largest = magnitude(query, shape.head_width, 1);
  std::fill(rounded_query, rounded_query + layout.groups * kGroup, std::int8_t{0});
  for (std::size_t i = 0; i < shape.head_width; ++i) {
    rounded_query[i] = static_cast<std::int8_t>(rounded(query[i] * (kLargest / largest)));
  }
  return largest / kLargest;
}

// Turns scores into weights and returns their sum.
std::int32_t weigh(const PackedHead& layout, const float* scores, float scale, float most,
                   std::int16_t* weights) {
  const float largest = *std::max_element(scores, scores + layout.tokens);
  std::int32_t sum = 0;
  for (std::size_t token = 0; token < layout.tokens; ++token) {
    const float weight = std::exp((scores[token] - largest) * scale);
    weights[token] = static_cast<std::int16_t>(rounded(weight * most));
    sum += weights[token];
  }
  return sum;
}

void attend_one(const AttentionShape& shape, const PackedHead& layout, const float* query,
                const std::uint8_t* packed, std::uint8_t* memory, float* out) {
  const Scratch scratch(layout);
  auto* scores = reinterpret_cast<float*>(memory + scratch.scores);
  auto* weights = reinterpret_cast<std::int16_t*>(memory + scratch.weights);
  auto* rounded_query = reinterpret_cast<std::int8_t*>(memory + scratch.queries);
  const auto* key_scale = reinterpret_cast<const float*>(packed + layout.key_scale);
  const auto* key_bias = reinterpret_cast<const float*>(packed + layout.key_bias);
  const auto* value_scale = reinterpret_cast<const float*>(packed + layout.value_scale);
  const auto* values = reinterpret_cast<const std::int16_t*>(packed + layout.values);

  const float scale = round_query(shape, layout, query, rounded_query);
  for (std::size_t token = 0; token < layout.tokens; ++token) {
    const std::int32_t product = key_product(layout, packed + layout.keys, rounded_query, token);
    scores[token] = static_cast<float>(product) * key_scale[token] + key_bias[token];
  }
  const std::int32_t sum = weigh(layout, scores, scale, largest_weight(shape.tokens), weights);
  for (std::size_t i = 0; i < shape.head_width; ++i) {
    std::int32_t total = 0;
    for (std::size_t token = 0; token < layout.tokens; ++token) {
      const std::size_t at =
          ((token / kPair * layout.blocks + i / kLanes) * kLanes + i % kLanes) * kPair + token % kPair;
      total += weights[token] * values[at];
    }
    out[i] = static_cast<float>(total) * (value_scale[i] / static_cast<float>(sum));
  }
}

void attend(const AttentionShape& shape, const float* query, std::size_t head, std::size_t first,
            std::size_t last, const std::uint8_t* packed, std::uint8_t* scratch, float* out) {
  const PackedHead layout(shape);
  for (std::size_t token = first; token < last; ++token) {
    const std::size_t at = token * shape.width() + head * shape.head_width;
    attend_one(shape, layout, query + at, packed, scratch, out + at);
  }
}

}  // namespace

AttentionKernel portable_attention() noexcept { return {pack, attend}; }

}  // namespace linnet::kernels
