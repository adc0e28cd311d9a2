// AVX-512 with VNNI: one instruction multiplies 64 unsigned bytes with 64 signed ones and adds fours, or 32
// 16-bit numbers and adds twos.
#include "kernels/attention.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cmath>
#include <limits>

#if defined(__GNUC__) && !defined(__clang__)
// GCC's own header makes undefined registers in a way that GCC warns of (bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#define LINNET_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

namespace linnet::kernels {
namespace {

constexpr float kLargest = 127.0F;
// Magnitude of a row of zeros: 127 divided by it must still be a number.
constexpr float kSmallest = 1e-36F;
constexpr float kLog2E = 1.44269504F;

LINNET_AVX512 inline __mmask16 lanes_below(std::size_t count) {
  return static_cast<__mmask16>(count >= kLanes ? 0xffffU : (1U << count) - 1U);
}

LINNET_AVX512 inline __m512i all_bytes(int value) { return _mm512_set1_epi8(static_cast<char>(value)); }

// Largest magnitude of a row.
LINNET_AVX512 float magnitude(const float* row, std::size_t width) {
  __m512 largest = _mm512_set1_ps(kSmallest);
  for (std::size_t i = 0; i < width; i += kLanes) {
    largest = _mm512_max_ps(largest, _mm512_abs_ps(_mm512_maskz_loadu_ps(lanes_below(width - i), row + i)));
  }
  return _mm512_reduce_max_ps(largest);
}

LINNET_AVX512 inline __m512i rounded(const float* row, __mmask16 lanes, __m512 factor) {
  return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, row), factor));
}

LINNET_AVX512 void pack_keys(const AttentionShape& shape, const PackedHead& layout, const float* key,
                             std::uint8_t* packed) {
  auto* scales = reinterpret_cast<float*>(packed + layout.key_scale);
  auto* biases = reinterpret_cast<float*>(packed + layout.key_bias);
  std::uint8_t* keys = packed + layout.keys;
  alignas(16) std::int32_t groups[kLanes / kGroup];
  for (std::size_t token = 0; token < layout.tokens; ++token) {
    const bool real = token < shape.tokens;
    const float* row = key + token * shape.width();
    const float largest = real ? magnitude(row, shape.head_width) : kSmallest;
    scales[token] = real ? largest / kLargest : 0.0F;
    biases[token] = real ? 0.0F : -std::numeric_limits<float>::infinity();
    const __m512 factor = _mm512_set1_ps(kLargest / largest);
    std::uint8_t* column = keys + (token / kKeys * layout.groups * kKeys + token % kKeys) * kGroup;
    for (std::size_t i = 0; i < layout.groups * kGroup; i += kLanes) {
      const std::size_t left = shape.head_width > i ? shape.head_width - i : 0;
      const __mmask16 lanes = real ? lanes_below(left) : __mmask16{0};
      const __m128i bytes = _mm512_cvtepi32_epi8(rounded(row + i, lanes, factor));
      _mm_store_si128(reinterpret_cast<__m128i*>(groups),
                      _mm_xor_si128(bytes, _mm_set1_epi8(static_cast<char>(0x80))));
      for (std::size_t group = 0; group < kLanes / kGroup && i / kGroup + group < layout.groups; ++group) {
        __builtin_memcpy(column + (i / kGroup + group) * kKeys * kGroup, &groups[group], kGroup);
      }
    }
  }
}

LINNET_AVX512 void pack_values(const AttentionShape& shape, const PackedHead& layout, const float* value,
                               std::uint8_t* packed) {
  auto* scales = reinterpret_cast<float*>(packed + layout.value_scale);
  auto* values = reinterpret_cast<std::int16_t*>(packed + layout.values);
  const std::size_t width = shape.width();
  const __m512i low = _mm512_set1_epi32(0xffff);
  for (std::size_t block = 0; block < layout.blocks; ++block) {
    const float* column = value + block * kLanes;
    const __mmask16 lanes = lanes_below(shape.head_width - block * kLanes);
    __m512 largest = _mm512_set1_ps(kSmallest);
    for (std::size_t token = 0; token < shape.tokens; ++token) {
      largest = _mm512_max_ps(largest, _mm512_abs_ps(_mm512_maskz_loadu_ps(lanes, column + token * width)));
    }
    _mm512_storeu_ps(scales + block * kLanes, _mm512_div_ps(largest, _mm512_set1_ps(kLargest)));
    const __m512 factor = _mm512_div_ps(_mm512_set1_ps(kLargest), largest);
    for (std::size_t pair = 0; pair < layout.tokens / kPair; ++pair) {
      __m512i both = _mm512_setzero_si512();
      if (pair * kPair < shape.tokens) {
        both = _mm512_and_si512(rounded(column + pair * kPair * width, lanes, factor), low);
      }
      if (pair * kPair + 1 < shape.tokens) {
        const __m512i second = rounded(column + (pair * kPair + 1) * width, lanes, factor);
        both = _mm512_or_si512(both, _mm512_slli_epi32(second, 16));
      }
      _mm512_storeu_si512(values + (pair * layout.blocks + block) * kLanes * kPair, both);
    }
  }
}

LINNET_AVX512 void pack(const AttentionShape& shape, const float* key, const float* value, std::size_t head,
                        std::uint8_t* packed) {
  const PackedHead layout(shape);
  const std::size_t offset = head * shape.head_width;
  pack_keys(shape, layout, key + offset, packed);
  pack_values(shape, layout, value + offset, packed);
}

// Pointers into the packed head and the scratch memory of one call.
struct Pointers {
  Pointers(const PackedHead& head, const std::uint8_t* packed, std::uint8_t* memory)
      : layout(head),
        key_scale(reinterpret_cast<const float*>(packed + head.key_scale)),
        key_bias(reinterpret_cast<const float*>(packed + head.key_bias)),
        value_scale(reinterpret_cast<const float*>(packed + head.value_scale)),
        keys(packed + head.keys),
        values(reinterpret_cast<const std::int16_t*>(packed + head.values)) {
    const Scratch scratch(head);
    scores = reinterpret_cast<float*>(memory + scratch.scores);
    weights = reinterpret_cast<std::int16_t*>(memory + scratch.weights);
    queries = reinterpret_cast<std::int8_t*>(memory + scratch.queries);
  }

  const PackedHead& layout;
  const float* key_scale;
  const float* key_bias;
  const float* value_scale;
  const std::uint8_t* keys;
  const std::int16_t* values;
  float* scores;
  std::int16_t* weights;
  std::int8_t* queries;
};

inline std::int32_t four_bytes(const void* bytes) {
  std::int32_t value = 0;
  __builtin_memcpy(&value, bytes, sizeof value);
  return value;
}

// Rounds one query to int8; returns its scale, and in `start` what the offset of the keys has to be undone
// by.
LINNET_AVX512 float round_query(const AttentionShape& shape, const PackedHead& layout, const float* query,
                                std::int8_t* out, std::int32_t* start) {
  const float largest = magnitude(query, shape.head_width);
  const __m512 factor = _mm512_set1_ps(kLargest / largest);
  __m512i sum = _mm512_setzero_si512();
  for (std::size_t i = 0; i < layout.groups * kGroup; i += kLanes) {
    const std::size_t left = shape.head_width > i ? shape.head_width - i : 0;
    const __m512i one = rounded(query + i, lanes_below(left), factor);
    sum = _mm512_add_epi32(sum, one);
    _mm512_mask_cvtepi32_storeu_epi8(out + i, lanes_below(layout.groups * kGroup - i), one);
  }
  *start = -128 * _mm512_reduce_add_epi32(sum);
  return largest / kLargest;
}

// Scores of kCount queries against all keys, and the largest score of each.
template <std::size_t kCount>
LINNET_AVX512 void score(const Pointers& at, const std::int32_t* start, __m512* largest) {
  const std::size_t stride = at.layout.groups * kGroup;
  for (std::size_t row = 0; row < kCount; ++row) {
    largest[row] = _mm512_set1_ps(-std::numeric_limits<float>::infinity());
  }
  for (std::size_t token = 0; token < at.layout.tokens; token += kKeys) {
    __m512i sums[kCount];
    for (std::size_t row = 0; row < kCount; ++row) {
      sums[row] = _mm512_set1_epi32(start[row]);
    }
    const std::uint8_t* keys = at.keys + token * stride;
    for (std::size_t group = 0; group < at.layout.groups; ++group) {
      const __m512i key = _mm512_loadu_si512(keys + group * kKeys * kGroup);
      for (std::size_t row = 0; row < kCount; ++row) {
        const std::int32_t query = four_bytes(at.queries + row * stride + group * kGroup);
        sums[row] = _mm512_dpbusd_epi32(sums[row], key, _mm512_set1_epi32(query));
      }
    }
    const __m512 scale = _mm512_loadu_ps(at.key_scale + token);
    const __m512 bias = _mm512_loadu_ps(at.key_bias + token);
    for (std::size_t row = 0; row < kCount; ++row) {
      const __m512 scores = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[row]), scale, bias);
      largest[row] = _mm512_max_ps(largest[row], scores);
      _mm512_storeu_ps(at.scores + row * at.layout.tokens + token, scores);
    }
  }
}

// 2^x. The polynomial is the Taylor series of 2^x around 0 up to the fourth power: on [-0.5, 0.5] its
// relative error is below 5e-5, far less than the rounding of a value to int8.
LINNET_AVX512 inline __m512 power_of_two(__m512 x) {
  x = _mm512_max_ps(x, _mm512_set1_ps(-126.0F));
  const __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 part = _mm512_sub_ps(x, whole);
  __m512 power = _mm512_set1_ps(9.61812911e-3F);
  power = _mm512_fmadd_ps(power, part, _mm512_set1_ps(5.55041087e-2F));
  power = _mm512_fmadd_ps(power, part, _mm512_set1_ps(2.40226507e-1F));
  power = _mm512_fmadd_ps(power, part, _mm512_set1_ps(6.93147181e-1F));
  power = _mm512_fmadd_ps(power, part, _mm512_set1_ps(1.0F));
  return _mm512_scalef_ps(power, whole);
}

// Turns the scores of one query into weights and returns their sum. `most` is the logarithm to base 2 of the
// largest weight.
LINNET_AVX512 std::int32_t weigh(const float* scores, std::size_t tokens, __m512 largest, float scale,
                                 float most, std::int16_t* weights) {
  const __m512 factor = _mm512_set1_ps(scale * kLog2E);
  const __m512 offset =
      _mm512_fmsub_ps(_mm512_set1_ps(_mm512_reduce_max_ps(largest)), factor, _mm512_set1_ps(most));
  __m512i sum = _mm512_setzero_si512();
  for (std::size_t token = 0; token < tokens; token += kLanes) {
    const __m512 x = _mm512_fmsub_ps(_mm512_loadu_ps(scores + token), factor, offset);
    const __m512i weight = _mm512_cvtps_epi32(power_of_two(x));
    sum = _mm512_add_epi32(sum, weight);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(weights + token), _mm512_cvtepi32_epi16(weight));
  }
  return _mm512_reduce_add_epi32(sum);
}

// Weighted values of kCount queries for kBlocks blocks of channels, beginning at `block`.
template <std::size_t kCount, std::size_t kBlocks>
LINNET_AVX512 void mix(const Pointers& at, std::size_t block, const float* share, std::size_t channels,
                       float* out, std::size_t width) {
  const std::size_t step = at.layout.blocks * kLanes * kPair;
  __m512i sums[kCount][kBlocks];
  for (auto& row : sums) {
    for (auto& sum : row) {
      sum = _mm512_setzero_si512();
    }
  }
  const std::int16_t* values = at.values + block * kLanes * kPair;
  for (std::size_t pair = 0; pair < at.layout.tokens / kPair; ++pair) {
    __m512i value[kBlocks];
    for (std::size_t i = 0; i < kBlocks; ++i) {
      value[i] = _mm512_loadu_si512(values + pair * step + i * kLanes * kPair);
    }
    for (std::size_t row = 0; row < kCount; ++row) {
      const __m512i weight =
          _mm512_set1_epi32(four_bytes(at.weights + row * at.layout.tokens + pair * kPair));
      for (std::size_t i = 0; i < kBlocks; ++i) {
        sums[row][i] = _mm512_dpwssd_epi32(sums[row][i], weight, value[i]);
      }
    }
  }
  for (std::size_t i = 0; i < kBlocks; ++i) {
    const std::size_t channel = (block + i) * kLanes;
    const __m512 scale = _mm512_loadu_ps(at.value_scale + channel);
    for (std::size_t row = 0; row < kCount; ++row) {
      const __m512 result =
          _mm512_mul_ps(_mm512_cvtepi32_ps(sums[row][i]), _mm512_mul_ps(scale, _mm512_set1_ps(share[row])));
      _mm512_mask_storeu_ps(out + row * width + channel, lanes_below(channels - channel), result);
    }
  }
}

template <std::size_t kCount>
LINNET_AVX512 void attend_rows(const AttentionShape& shape, const Pointers& at, const float* query,
                               float* out) {
  const std::size_t stride = at.layout.groups * kGroup;
  float scale[kCount];
  float share[kCount];
  std::int32_t start[kCount];
  __m512 largest[kCount];
  for (std::size_t row = 0; row < kCount; ++row) {
    scale[row] =
        round_query(shape, at.layout, query + row * shape.width(), at.queries + row * stride, &start[row]);
  }
  score<kCount>(at, start, largest);
  const float most = std::log2(largest_weight(shape.tokens));
  for (std::size_t row = 0; row < kCount; ++row) {
    const std::int32_t sum = weigh(at.scores + row * at.layout.tokens, at.layout.tokens, largest[row],
                                   scale[row], most, at.weights + row * at.layout.tokens);
    share[row] = 1.0F / static_cast<float>(sum);
  }
  std::size_t block = 0;
  for (; block + 2 <= at.layout.blocks; block += 2) {
    mix<kCount, 2>(at, block, share, shape.head_width, out, shape.width());
  }
  if (block < at.layout.blocks) {
    mix<kCount, 1>(at, block, share, shape.head_width, out, shape.width());
  }
}

LINNET_AVX512 void attend(const AttentionShape& shape, const float* query, std::size_t head,
                          std::size_t first, std::size_t last, const std::uint8_t* packed,
                          std::uint8_t* scratch, float* out) {
  const PackedHead layout(shape);
  const Pointers at(layout, packed, scratch);
  std::size_t token = first;
  while (token < last) {
    const std::size_t offset = token * shape.width() + head * shape.head_width;
    const std::size_t left = last - token;
    if (left >= kRows) {
      attend_rows<kRows>(shape, at, query + offset, out + offset);
      token += kRows;
    } else if (left >= 4) {
      attend_rows<4>(shape, at, query + offset, out + offset);
      token += 4;
    } else if (left >= 2) {
      attend_rows<2>(shape, at, query + offset, out + offset);
      token += 2;
    } else {
      attend_rows<1>(shape, at, query + offset, out + offset);
      token += 1;
    }
  }
}

bool supported() noexcept {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
         __builtin_cpu_supports("avx512vnni") != 0;
}

}  // namespace

AttentionKernel fast_attention() noexcept {
  return supported() ? AttentionKernel{pack, attend} : AttentionKernel{nullptr, nullptr};
}

}  // namespace linnet::kernels

#else

namespace linnet::kernels {

AttentionKernel fast_attention() noexcept { return {nullptr, nullptr}; }

}  // namespace linnet::kernels

#endif
