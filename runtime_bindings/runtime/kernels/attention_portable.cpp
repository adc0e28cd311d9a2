// Int8 attention kernel in plain C++, for every processor.
#include <algorithm>
#include <cmath>

#include "kernels/attention.h"

namespace linnet::kernels {
namespace {

constexpr float kLargest = 127.0F;
// Least magnitude of a row, also for a row of zeros: 127 divided by it must still be finite.
constexpr float kSmallest = 1e-36F;
constexpr float kLog2E = 1.44269504F;

float magnitude(const float* values, std::size_t count, std::size_t stride) {
  float largest = kSmallest;
  for (std::size_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::fabs(values[i * stride]));
  }
  return largest;
}

// Zero for what is no number, or none that a row of finite numbers gives.
int rounded(float value) {
  constexpr float kBeyond = 512.0F;
  return value > -kBeyond && value < kBeyond ? static_cast<int>(std::nearbyintf(value)) : 0;
}

// Round one row of a head to `out`, fill up to `size` with zeros, and return the scale.
float round_row(const float* row, std::size_t width, std::int8_t* out, std::size_t size) {
  const float largest = magnitude(row, width, 1);
  for (std::size_t i = 0; i < width; ++i) {
    out[i] = static_cast<std::int8_t>(rounded(row[i] * (kLargest / largest)));
  }
  std::fill(out + width, out + size, std::int8_t{0});
  return largest / kLargest;
}

// Return the position of the value of a token and channel in PackedHead::values.
std::size_t value_index(const PackedHead& layout, std::size_t token, std::size_t channel) {
  return (token / kGroup * layout.channels + channel) * kGroup + token % kGroup;
}

void pack(const AttentionShape& shape, const float* key, const float* value, std::size_t head,
          std::uint8_t* packed) {
  const PackedHead layout(shape);
  const std::size_t offset = head * shape.head_width;
  const std::size_t stride = layout.groups * kGroup;
  auto* key_scales = reinterpret_cast<float*>(packed + layout.key_scale);
  auto* keys = reinterpret_cast<std::int8_t*>(packed + layout.keys);
  for (std::size_t token = 0; token < shape.tokens; ++token) {
    key_scales[token] =
        round_row(key + token * shape.width() + offset, shape.head_width, keys + token * stride, stride);
  }
  auto* value_scales = reinterpret_cast<float*>(packed + layout.value_scale);
  auto* values = reinterpret_cast<std::int8_t*>(packed + layout.values);
  for (std::size_t channel = 0; channel < shape.head_width; ++channel) {
    const float* column = value + offset + channel;
    const float largest = magnitude(column, shape.tokens, shape.width());
    value_scales[channel] = largest / kLargest;
    for (std::size_t token = 0; token < shape.tokens; ++token) {
      values[value_index(layout, token, channel)] =
          static_cast<std::int8_t>(rounded(column[token * shape.width()] * (kLargest / largest)));
    }
  }
}

// One query of one head.
struct Query {
  const AttentionShape& shape;
  const PackedHead& layout;
  const std::uint8_t* packed;
  const std::int8_t* numbers;
  float factor;  // from a score to an exponent of 2
};

float score(const Query& query, std::size_t token) {
  const std::size_t stride = query.layout.groups * kGroup;
  const auto* key = reinterpret_cast<const std::int8_t*>(query.packed + query.layout.keys) + token * stride;
  const auto* scale = reinterpret_cast<const float*>(query.packed + query.layout.key_scale);
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < stride; ++i) {
    sum += key[i] * query.numbers[i];
  }
  return static_cast<float>(sum) * scale[token];
}

// 2^x, with the polynomial of the other kernels, so that they round alike. Zero if x is no number, or one
// that no score of finite numbers gives.
float power_of_two(float x) {
  if (!(x >= -126.0F && x < 128.0F)) {
    return 0.0F;
  }
  const float whole = std::floor(x);
  const float part = x - whole;
  const float power = ((7.8024521e-2F * part + 2.2606716e-1F) * part + 6.9583354e-1F) * part + 9.9992522e-1F;
  return std::ldexp(power, static_cast<int>(whole));
}

// Add the weighted values of the tokens [first, last) to `sums`, and scale all to the largest score so far.
void add_block(const Query& query, std::size_t first, std::size_t last, float* sums, float& largest,
               float& total) {
  float scores[kBlock];
  float block_largest = score(query, first);
  for (std::size_t token = first; token < last; ++token) {
    scores[token - first] = score(query, token);
    block_largest = std::max(block_largest, scores[token - first]);
  }
  std::int32_t weights[kBlock];
  std::int32_t sum = 0;
  const float offset = block_largest * query.factor - std::log2(kLargestWeight);
  for (std::size_t i = 0; i < last - first; ++i) {
    weights[i] = rounded(power_of_two(scores[i] * query.factor - offset));
    sum += weights[i];
  }
  const float most = std::max(largest, block_largest);
  const float before = power_of_two((largest - most) * query.factor);
  const float now = power_of_two((block_largest - most) * query.factor);
  largest = most;
  total = total * before + static_cast<float>(sum) * now;
  const auto* values = reinterpret_cast<const std::int8_t*>(query.packed + query.layout.values);
  for (std::size_t channel = 0; channel < query.shape.head_width; ++channel) {
    std::int32_t block = 0;
    for (std::size_t token = first; token < last; ++token) {
      block += weights[token - first] * values[value_index(query.layout, token, channel)];
    }
    sums[channel] = sums[channel] * before + static_cast<float>(block) * now;
  }
}

void attend_one(const AttentionShape& shape, const PackedHead& layout, const float* query,
                const std::uint8_t* packed, std::uint8_t* memory, float* out) {
  const Scratch scratch(layout);
  auto* numbers = reinterpret_cast<std::int8_t*>(memory + scratch.queries);
  auto* sums = reinterpret_cast<float*>(memory + scratch.sums);
  const float scale = round_row(query, shape.head_width, numbers, layout.groups * kGroup);
  const Query rounded_query{shape, layout, packed, numbers, scale * kLog2E};
  std::fill(sums, sums + shape.head_width, 0.0F);
  float largest = score(rounded_query, 0);
  float total = 0.0F;
  for (std::size_t token = 0; token < shape.tokens; token += kBlock) {
    add_block(rounded_query, token, std::min(token + kBlock, shape.tokens), sums, largest, total);
  }
  const auto* value_scale = reinterpret_cast<const float*>(packed + layout.value_scale);
  for (std::size_t i = 0; i < shape.head_width; ++i) {
    out[i] = sums[i] * (1.0F / total) * value_scale[i];
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
