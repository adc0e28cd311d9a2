// Int8 attention kernel for AVX-512 with VNNI, whose instruction vpdpbusd multiplies 64 unsigned by 64 signed
// bytes and adds each four products to an int32.
//
// Each lane holds a query. So the largest score and the sum of weights of a query need no step across lanes,
// and a key or value is broadcast from memory by the instruction itself.
#include "kernels/attention.h"

#if defined(__x86_64__)

#include <algorithm>

#include "kernels/avx512.h"

namespace linnet::kernels {
namespace {

constexpr float kLargest = 127.0F;
// Least magnitude of a row, also for a row of zeros: 127 divided by it must still be finite.
constexpr float kSmallest = 1e-36F;
constexpr float kLog2E = 1.44269504F;
// Score of a missing key: 2 to the power of it is 0, and its difference to a score is still finite.
constexpr float kNever = -1e30F;

// Return the lanes of a row of `width` numbers from `at` on. `at` is below `width`, so the mask is never
// empty: a load with an empty mask from an address that is not mapped costs hundreds of cycles.
LINNET_AVX512_VNNI inline __mmask16 lanes_of(std::size_t width, std::size_t at) {
  return lanes_below(width - at);
}

LINNET_AVX512_VNNI float magnitude(const float* row, std::size_t width) {
  __m512 largest = _mm512_set1_ps(kSmallest);
  for (std::size_t i = 0; i < width; i += kLanes) {
    largest = _mm512_max_ps(largest, _mm512_abs_ps(_mm512_maskz_loadu_ps(lanes_of(width, i), row + i)));
  }
  return _mm512_reduce_max_ps(largest);
}

// Return zero for what is no number, or none that a row of finite numbers gives: the instruction's result for
// these is the smallest int32, and two of them overflow a sum.
LINNET_AVX512_VNNI inline __m512i rounded(const float* row, __mmask16 lanes, __m512 factor) {
  constexpr float kBeyond = 512.0F;
  const __m512 scaled = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, row), factor);
  const __mmask16 numbers = _mm512_cmp_ps_mask(_mm512_abs_ps(scaled), _mm512_set1_ps(kBeyond), _CMP_LT_OQ);
  return _mm512_maskz_cvtps_epi32(numbers, scaled);
}

LINNET_AVX512_VNNI void pack_keys(const AttentionShape& shape, const PackedHead& layout, const float* key,
                                  std::uint8_t* packed) {
  auto* scales = reinterpret_cast<float*>(packed + layout.key_scale);
  auto* starts = reinterpret_cast<std::int32_t*>(packed + layout.key_start);
  const std::size_t stride = layout.groups * kGroup;
  std::uint8_t* bytes = packed + layout.keys;
  for (std::size_t token = 0; token < shape.tokens; ++token, bytes += stride) {
    const float* row = key + token * shape.width();
    const float largest = magnitude(row, shape.head_width);
    const __m512 factor = _mm512_set1_ps(kLargest / largest);
    __m512i sum = _mm512_setzero_si512();
    for (std::size_t i = 0; i < shape.head_width; i += kLanes) {
      const __m512i one = rounded(row + i, lanes_of(shape.head_width, i), factor);
      sum = _mm512_add_epi32(sum, one);
      _mm512_mask_cvtepi32_storeu_epi8(bytes + i, lanes_of(stride, i), one);
    }
    scales[token] = largest / kLargest;
    starts[token] = -128 * _mm512_reduce_add_epi32(sum);
  }
  std::fill(bytes, packed + layout.keys + layout.tokens * stride, std::uint8_t{0});
  std::fill(scales + shape.tokens, scales + layout.tokens, 0.0F);
  std::fill(starts + shape.tokens, starts + layout.tokens, 0);
}

// Return four rows of 16 values as 16 groups of four bytes.
LINNET_AVX512_VNNI inline __m512i interleaved(const __m512i* rows) {
  const __m512i low = _mm512_set1_epi32(0xff);
  const __m512i first = _mm512_and_si512(rows[0], low);
  const __m512i second = _mm512_slli_epi32(_mm512_and_si512(rows[1], low), 8);
  const __m512i third = _mm512_slli_epi32(_mm512_and_si512(rows[2], low), 16);
  const __m512i fourth = _mm512_slli_epi32(rows[3], 24);
  return _mm512_or_si512(_mm512_or_si512(first, second), _mm512_or_si512(third, fourth));
}

LINNET_AVX512_VNNI void pack_values(const AttentionShape& shape, const PackedHead& layout, const float* value,
                                    std::uint8_t* packed) {
  auto* scales = reinterpret_cast<float*>(packed + layout.value_scale);
  const std::size_t width = shape.width();
  for (std::size_t channel = 0; channel < layout.channels; channel += kLanes) {
    const float* column = value + channel;
    const __mmask16 lanes = lanes_of(shape.head_width, channel);
    __m512 largest = _mm512_set1_ps(kSmallest);
    for (std::size_t token = 0; token < shape.tokens; ++token) {
      largest = _mm512_max_ps(largest, _mm512_abs_ps(_mm512_maskz_loadu_ps(lanes, column + token * width)));
    }
    _mm512_storeu_ps(scales + channel, _mm512_div_ps(largest, _mm512_set1_ps(kLargest)));
    const __m512 factor = _mm512_div_ps(_mm512_set1_ps(kLargest), largest);
    std::uint8_t* out = packed + layout.values + channel * kGroup;
    for (std::size_t token = 0; token < layout.tokens; token += kGroup, out += layout.channels * kGroup) {
      __m512i rows[kGroup];
      for (std::size_t i = 0; i < kGroup; ++i) {
        rows[i] = token + i < shape.tokens ? rounded(column + (token + i) * width, lanes, factor)
                                           : _mm512_setzero_si512();
      }
      _mm512_storeu_si512(out, interleaved(rows));
    }
  }
}

LINNET_AVX512_VNNI void pack(const AttentionShape& shape, const float* key, const float* value,
                             std::size_t head, std::uint8_t* packed) {
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
        key_start(reinterpret_cast<const std::int32_t*>(packed + head.key_start)),
        value_scale(reinterpret_cast<const float*>(packed + head.value_scale)),
        keys(packed + head.keys),
        values(packed + head.values) {
    const Scratch scratch(head);
    queries = memory + scratch.queries;
    scores = reinterpret_cast<float*>(memory + scratch.scores);
    weights = memory + scratch.weights;
    sums = reinterpret_cast<float*>(memory + scratch.sums);
  }

  const PackedHead& layout;
  const float* key_scale;
  const std::int32_t* key_start;
  const float* value_scale;
  const std::uint8_t* keys;
  const std::uint8_t* values;
  std::uint8_t* queries;
  float* scores;
  std::uint8_t* weights;
  float* sums;
};

// Return `sums` plus, in each lane, the products of its four bytes of `left` with the four bytes at `right`.
LINNET_AVX512_VNNI inline __m512i add_products(__m512i sums, __m512i left, const std::uint8_t* right) {
  // assembly, because with the intrinsic GCC copies every sum to another register and back
  asm("vpdpbusd %2%{1to16%}, %1, %0"
      : "+v"(sums)
      : "v"(left), "m"(*reinterpret_cast<const std::uint8_t (*)[kGroup]>(right)));
  return sums;
}

// Round `count` queries, at most kLanes, and return their scales; missing ones repeat the last.
LINNET_AVX512_VNNI __m512 pack_queries(const AttentionShape& shape, const Pointers& at, const float* query,
                                       std::size_t count) {
  alignas(64) float scales[kLanes];
  alignas(16) std::int32_t groups[kLanes / kGroup];
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const float* row = query + std::min(lane, count - 1) * shape.width();
    const float largest = magnitude(row, shape.head_width);
    const __m512 factor = _mm512_set1_ps(kLargest / largest);
    scales[lane] = largest / kLargest;
    for (std::size_t i = 0; i < shape.head_width; i += kLanes) {
      const __m128i bytes = _mm512_cvtepi32_epi8(rounded(row + i, lanes_of(shape.head_width, i), factor));
      _mm_store_si128(reinterpret_cast<__m128i*>(groups),
                      _mm_xor_si128(bytes, _mm_set1_epi8(static_cast<char>(0x80))));
      const std::size_t first = i / kGroup;
      for (std::size_t group = first; group < std::min(first + kLanes / kGroup, at.layout.groups); ++group) {
        __builtin_memcpy(at.queries + (group * kLanes + lane) * kGroup, &groups[group - first], kGroup);
      }
    }
  }
  return _mm512_load_ps(scales);
}

// Compute the scores of kStep keys from `token` on, of which `real` exist, and return the largest of
// `largest` and them.
LINNET_AVX512_VNNI inline __m512 score(const Pointers& at, std::size_t token, std::size_t real, float* scores,
                                       __m512 largest) {
  const std::size_t stride = at.layout.groups * kGroup;
  const std::uint8_t* keys = at.keys + token * stride;
  __m512i sums[kStep];
  for (std::size_t key = 0; key < kStep; ++key) {
    sums[key] = _mm512_set1_epi32(at.key_start[token + key]);
  }
  for (std::size_t group = 0; group < at.layout.groups; ++group) {
    const __m512i query = _mm512_load_si512(at.queries + group * kLanes * kGroup);
    for (std::size_t key = 0; key < kStep; ++key) {
      sums[key] = add_products(sums[key], query, keys + key * stride + group * kGroup);
    }
  }
  __m512 found[kStep];
  for (std::size_t key = 0; key < kStep; ++key) {
    found[key] = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[key]), _mm512_set1_ps(at.key_scale[token + key]));
    if (key >= real) {
      found[key] = _mm512_set1_ps(kNever);
    }
    _mm512_store_ps(scores + key * kLanes, found[key]);
  }
  for (std::size_t key = 0; key < kStep; ++key) {
    largest = _mm512_max_ps(largest, found[key]);
  }
  return largest;
}

// Return 2^x for x below 128. The minimax polynomial of degree 3 has a relative error below 7.5e-5 on [0, 1),
// far less than the rounding of a weight.
LINNET_AVX512_VNNI inline __m512 power_of_two(__m512 x) {
  const __m512 part = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  __m512 power = _mm512_set1_ps(7.8024521e-2F);
  power = _mm512_fmadd_ps(power, part, _mm512_set1_ps(2.2606716e-1F));
  power = _mm512_fmadd_ps(power, part, _mm512_set1_ps(6.9583354e-1F));
  power = _mm512_fmadd_ps(power, part, _mm512_set1_ps(9.9992522e-1F));
  return _mm512_scalef_ps(power, x);
}

// Turn `count` scores of a block into weights, of which the largest is kLargestWeight, and return their sums.
// Keys behind the last token have the score kNever and add nothing.
LINNET_AVX512_VNNI __m512i weigh(const Pointers& at, std::size_t count, __m512 largest, __m512 factor) {
  constexpr float kLog2Weight = 7.99435344F;  // log2(kLargestWeight)
  const __m512 offset = _mm512_fmsub_ps(largest, factor, _mm512_set1_ps(kLog2Weight));
  const __m512i ones = _mm512_set1_epi8(1);
  __m512i sum = _mm512_setzero_si512();
  for (std::size_t key = 0; key < count; key += kGroup) {
    __m512i rows[kGroup];
    for (std::size_t i = 0; i < kGroup; ++i) {
      const __m512 score = _mm512_load_ps(at.scores + (key + i) * kLanes);
      rows[i] = _mm512_cvtps_epi32(power_of_two(_mm512_fmsub_ps(score, factor, offset)));
    }
    const __m512i low = _mm512_or_si512(rows[0], _mm512_slli_epi32(rows[1], 8));
    const __m512i high = _mm512_or_si512(_mm512_slli_epi32(rows[2], 16), _mm512_slli_epi32(rows[3], 24));
    const __m512i bytes = _mm512_or_si512(low, high);
    sum = _mm512_dpbusd_epi32(sum, bytes, ones);
    _mm512_store_si512(at.weights + key * kLanes, bytes);
  }
  return sum;
}

// Add the weighted values of a block of `count` keys from `token` on to kLanes channels:
// sums = sums * before + block * now.
LINNET_AVX512_VNNI void mix(const Pointers& at, std::size_t token, std::size_t count, std::size_t channel,
                            __m512 before, __m512 now) {
  __m512i block[kLanes];
  for (auto& sum : block) {
    sum = _mm512_setzero_si512();
  }
  const std::size_t stride = at.layout.channels * kGroup;
  const std::uint8_t* values = at.values + token / kGroup * stride + channel * kGroup;
  for (std::size_t key = 0; key < count; key += kGroup, values += stride) {
    const __m512i weights = _mm512_load_si512(at.weights + key * kLanes);
    for (std::size_t i = 0; i < kLanes; ++i) {
      block[i] = add_products(block[i], weights, values + i * kGroup);
    }
  }
  float* sums = at.sums + channel * kLanes;
  for (std::size_t i = 0; i < kLanes; ++i) {
    const __m512 added = _mm512_mul_ps(_mm512_cvtepi32_ps(block[i]), now);
    _mm512_store_ps(sums + i * kLanes, _mm512_fmadd_ps(_mm512_load_ps(sums + i * kLanes), before, added));
  }
}

// Running maximum and sum of the softmax of kLanes queries over the blocks so far.
struct Seen {
  __m512 largest;  // score
  __m512 weights;  // sum, where the largest score weighs kLargestWeight
};

LINNET_AVX512_VNNI void attend_block(const Pointers& at, std::size_t token, std::size_t real, __m512 factor,
                                     Seen& seen) {
  const std::size_t count = std::min(kBlock, at.layout.tokens - token);
  __m512 largest = _mm512_set1_ps(kNever);
  std::size_t key = 0;
  for (; key + kStep <= real; key += kStep) {
    largest = score(at, token + key, kStep, at.scores + key * kLanes, largest);
  }
  if (key < real) {
    largest = score(at, token + key, real - key, at.scores + key * kLanes, largest);
  }
  const __m512i sum = weigh(at, count, largest, factor);
  const __m512 most = _mm512_max_ps(seen.largest, largest);
  const __m512 before = power_of_two(_mm512_mul_ps(_mm512_sub_ps(seen.largest, most), factor));
  const __m512 now = power_of_two(_mm512_mul_ps(_mm512_sub_ps(largest, most), factor));
  seen.weights = _mm512_fmadd_ps(seen.weights, before, _mm512_mul_ps(_mm512_cvtepi32_ps(sum), now));
  seen.largest = most;
  for (std::size_t channel = 0; channel < at.layout.channels; channel += kLanes) {
    mix(at, token, count, channel, before, now);
  }
}

// Transpose a matrix of 16 x 16.
LINNET_AVX512_VNNI void transpose(__m512* rows) {
  __m512 twos[kLanes];
  for (std::size_t i = 0; i < kLanes; i += 2) {
    twos[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
    twos[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
  }
  for (std::size_t i = 0; i < kLanes; i += 4) {
    for (std::size_t half = 0; half < 2; ++half) {
      const __m512 left = twos[i + half];
      const __m512 right = twos[i + half + 2];
      rows[i + 2 * half] = _mm512_shuffle_ps(left, right, 0x44);
      rows[i + 2 * half + 1] = _mm512_shuffle_ps(left, right, 0xee);
    }
  }
  // rows[4 * b + c] has column c of each quarter for the rows 4 * b to 4 * b + 3
  for (std::size_t column = 0; column < 4; ++column) {
    const __m512 low = _mm512_shuffle_f32x4(rows[column], rows[4 + column], 0x88);
    const __m512 low_odd = _mm512_shuffle_f32x4(rows[column], rows[4 + column], 0xdd);
    const __m512 high = _mm512_shuffle_f32x4(rows[8 + column], rows[12 + column], 0x88);
    const __m512 high_odd = _mm512_shuffle_f32x4(rows[8 + column], rows[12 + column], 0xdd);
    twos[column] = _mm512_shuffle_f32x4(low, high, 0x88);
    twos[8 + column] = _mm512_shuffle_f32x4(low, high, 0xdd);
    twos[4 + column] = _mm512_shuffle_f32x4(low_odd, high_odd, 0x88);
    twos[12 + column] = _mm512_shuffle_f32x4(low_odd, high_odd, 0xdd);
  }
  std::copy(twos, twos + kLanes, rows);
}

// Write `count` rows of weighted means to `out`.
LINNET_AVX512_VNNI void write(const AttentionShape& shape, const Pointers& at, __m512 weights,
                              std::size_t count, float* out) {
  const __m512 share = _mm512_div_ps(_mm512_set1_ps(1.0F), weights);
  for (std::size_t channel = 0; channel < at.layout.channels; channel += kLanes) {
    __m512 rows[kLanes];
    for (std::size_t i = 0; i < kLanes; ++i) {
      rows[i] = _mm512_mul_ps(_mm512_load_ps(at.sums + (channel + i) * kLanes), share);
    }
    transpose(rows);
    const __m512 scale = _mm512_loadu_ps(at.value_scale + channel);
    const __mmask16 lanes = lanes_of(shape.head_width, channel);
    for (std::size_t row = 0; row < count; ++row) {
      _mm512_mask_storeu_ps(out + row * shape.width() + channel, lanes, _mm512_mul_ps(rows[row], scale));
    }
  }
}

LINNET_AVX512_VNNI void attend(const AttentionShape& shape, const float* query, std::size_t head,
                               std::size_t first, std::size_t last, const std::uint8_t* packed,
                               std::uint8_t* scratch, float* out) {
  const PackedHead layout(shape);
  const Pointers at(layout, packed, scratch);
  for (std::size_t row = first; row < last; row += kLanes) {
    const std::size_t offset = row * shape.width() + head * shape.head_width;
    const std::size_t count = std::min(kLanes, last - row);
    const __m512 factor =
        _mm512_mul_ps(pack_queries(shape, at, query + offset, count), _mm512_set1_ps(kLog2E));
    Seen seen{_mm512_set1_ps(kNever), _mm512_setzero_ps()};
    std::fill(at.sums, at.sums + layout.channels * kLanes, 0.0F);
    for (std::size_t token = 0; token < shape.tokens; token += kBlock) {
      attend_block(at, token, std::min(kBlock, shape.tokens - token), factor, seen);
    }
    write(shape, at, seen.weights, count, out + offset);
  }
}

}  // namespace

AttentionKernel fast_attention() noexcept {
  return has_avx512_vnni() ? AttentionKernel{pack, attend} : AttentionKernel{nullptr, nullptr};
}

}  // namespace linnet::kernels

#else

namespace linnet::kernels {

AttentionKernel fast_attention() noexcept { return {nullptr, nullptr}; }

}  // namespace linnet::kernels

#endif
