// Vectors of AVX2 with FMA, for the sources of the processors that have 256-bit registers.
#ifndef LINNET_RUNTIME_KERNELS_PROCESSORS_AVX2_H_
#define LINNET_RUNTIME_KERNELS_PROCESSORS_AVX2_H_

#include <immintrin.h>

#include "kernels/shared/vectors.h"

namespace linnet::kernels {
namespace {

struct Floats {
  __m256 low;
  __m256 high;
};
struct Ints {
  __m256i low;
  __m256i high;
};

constexpr std::size_t kHalf = 8;  // lanes of a register
// Return a mask of the first `count` lanes of a register; all of them if `count` is kHalf or more.
inline __m256i lanes_below(std::size_t count) {
  const __m256i numbers = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<std::int32_t>(std::min(count, kHalf))), numbers);
}
inline std::size_t behind_half(std::size_t count) { return count - std::min(count, kHalf); }

inline Floats all(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
inline Ints all(std::int32_t x) { return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }
inline Floats load(const float* from) { return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + kHalf)}; }

inline Floats load(const float* from, std::size_t count) {
  if (count >= kLanes) {
    return load(from);
  }
  return {_mm256_maskload_ps(from, lanes_below(count)),
          count <= kHalf ? _mm256_setzero_ps()
                         : _mm256_maskload_ps(from + kHalf, lanes_below(behind_half(count)))};
}

inline Ints load(const std::int32_t* from) {
  const auto* halves = reinterpret_cast<const __m256i*>(from);
  return {_mm256_loadu_si256(halves), _mm256_loadu_si256(halves + 1)};
}

inline void store(float* to, Floats x) {
  _mm256_storeu_ps(to, x.low);
  _mm256_storeu_ps(to + kHalf, x.high);
}

inline void store(float* to, Floats x, std::size_t count) {
  if (count >= kLanes) {
    store(to, x);
    return;
  }
  _mm256_maskstore_ps(to, lanes_below(count), x.low);
  if (count > kHalf) {
    _mm256_maskstore_ps(to + kHalf, lanes_below(behind_half(count)), x.high);
  }
}

inline void store(std::int32_t* to, Ints x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), x.low);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + kHalf), x.high);
}

inline Floats first_lanes(Floats x, std::size_t count) {
  if (count >= kLanes) {
    return x;
  }
  return {_mm256_and_ps(x.low, _mm256_castsi256_ps(lanes_below(count))),
          _mm256_and_ps(x.high, _mm256_castsi256_ps(lanes_below(behind_half(count))))};
}

inline Floats add(Floats a, Floats b) { return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)}; }
inline Ints add(Ints a, Ints b) { return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)}; }
inline Floats subtract(Floats a, Floats b) {
  return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
}
inline Floats multiply(Floats a, Floats b) {
  return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
inline Floats divide(Floats a, Floats b) {
  return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
}
inline Floats fused(Floats a, Floats b, Floats c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
inline Floats fused_minus(Floats a, Floats b, Floats c) {
  return {_mm256_fmsub_ps(a.low, b.low, c.low), _mm256_fmsub_ps(a.high, b.high, c.high)};
}
inline Floats minus_fused(Floats a, Floats b, Floats c) {
  return {_mm256_fnmadd_ps(a.low, b.low, c.low), _mm256_fnmadd_ps(a.high, b.high, c.high)};
}
inline Floats smaller(Floats a, Floats b) {
  return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)};
}
inline Floats larger(Floats a, Floats b) {
  return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
}
inline Floats absolute(Floats x) {
  const __m256 sign = _mm256_set1_ps(-0.0F);
  return {_mm256_andnot_ps(sign, x.low), _mm256_andnot_ps(sign, x.high)};
}

inline float largest_lane(Floats x) {
  const __m256 eight = _mm256_max_ps(x.low, x.high);
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

inline float sum_of_lanes(Floats x) {
  const __m256 eight = _mm256_add_ps(x.low, x.high);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

inline std::int32_t sum_of_lanes(Ints x) {
  const __m256i eight = _mm256_add_epi32(x.low, x.high);
  const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 1)));
}

inline Ints to_ints(Floats x) { return {_mm256_cvtps_epi32(x.low), _mm256_cvtps_epi32(x.high)}; }

inline Ints to_ints_below(Floats x, float limit) {
  const Floats size = absolute(x);
  const __m256 most = _mm256_set1_ps(limit);
  const Floats kept{_mm256_and_ps(x.low, _mm256_cmp_ps(size.low, most, _CMP_LT_OQ)),
                    _mm256_and_ps(x.high, _mm256_cmp_ps(size.high, most, _CMP_LT_OQ))};
  return to_ints(kept);
}

inline Floats to_floats(Ints x) { return {_mm256_cvtepi32_ps(x.low), _mm256_cvtepi32_ps(x.high)}; }
// Return the upper halves of 16 float32 numbers as these.
inline Floats load_bfloat16(const std::int8_t* from) {
  const auto* halves = reinterpret_cast<const __m128i*>(from);
  const __m256i low = _mm256_cvtepu16_epi32(_mm_loadu_si128(halves));
  const __m256i high = _mm256_cvtepu16_epi32(_mm_loadu_si128(halves + 1));
  return {_mm256_castsi256_ps(_mm256_slli_epi32(low, 16)), _mm256_castsi256_ps(_mm256_slli_epi32(high, 16))};
}
inline Ints both(Ints a, Ints b) {
  return {_mm256_and_si256(a.low, b.low), _mm256_and_si256(a.high, b.high)};
}
inline Ints either(Ints a, Ints b) {
  return {_mm256_or_si256(a.low, b.low), _mm256_or_si256(a.high, b.high)};
}
template <unsigned kBits>
inline Ints shifted_left(Ints x) {
  return {_mm256_slli_epi32(x.low, kBits), _mm256_slli_epi32(x.high, kBits)};
}
inline Ints times(Ints x, std::int32_t number) {
  const __m256i factor = _mm256_set1_epi32(number);
  return {_mm256_mullo_epi32(x.low, factor), _mm256_mullo_epi32(x.high, factor)};
}

inline Floats fraction(Floats x) {
  return {_mm256_sub_ps(x.low, _mm256_floor_ps(x.low)), _mm256_sub_ps(x.high, _mm256_floor_ps(x.high))};
}

// Adds to the exponent's bits.
inline __m256 times_whole_power(__m256 power, __m256 x) {
  const __m256 inside = _mm256_cmp_ps(x, _mm256_set1_ps(-125.0F), _CMP_GE_OQ);
  const __m256i whole = _mm256_cvtps_epi32(_mm256_floor_ps(_mm256_and_ps(x, inside)));
  const __m256i bits = _mm256_add_epi32(_mm256_castps_si256(power), _mm256_slli_epi32(whole, 23));
  return _mm256_and_ps(_mm256_castsi256_ps(bits), inside);
}

inline Floats times_whole_power(Floats power, Floats x) {
  return {times_whole_power(power.low, x.low), times_whole_power(power.high, x.high)};
}

// Transpose the 8 x 8 numbers in eight registers.
inline void transpose(__m256* rows) {
  __m256 twos[kHalf];
  for (std::size_t i = 0; i < kHalf; i += 2) {
    twos[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
    twos[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
  }
  __m256 fours[kHalf];
  for (std::size_t i = 0; i < kHalf; i += 4) {
    for (std::size_t half = 0; half < 2; ++half) {
      fours[i + 2 * half] = _mm256_shuffle_ps(twos[i + half], twos[i + half + 2], 0x44);
      fours[i + 2 * half + 1] = _mm256_shuffle_ps(twos[i + half], twos[i + half + 2], 0xee);
    }
  }
  for (std::size_t i = 0; i < 4; ++i) {
    rows[i] = _mm256_permute2f128_ps(fours[i], fours[4 + i], 0x20);
    rows[4 + i] = _mm256_permute2f128_ps(fours[i], fours[4 + i], 0x31);
  }
}

inline void transpose(Floats* rows) {
  __m256 parts[4][kHalf];
  for (std::size_t i = 0; i < kHalf; ++i) {
    parts[0][i] = rows[i].low;
    parts[1][i] = rows[i].high;
    parts[2][i] = rows[kHalf + i].low;
    parts[3][i] = rows[kHalf + i].high;
  }
  for (auto& part : parts) {
    transpose(part);
  }
  for (std::size_t i = 0; i < kHalf; ++i) {
    rows[i] = {parts[0][i], parts[2][i]};
    rows[kHalf + i] = {parts[1][i], parts[3][i]};
  }
}

// Return the lanes as 16 numbers of 16 bits, saturated.
inline __m256i narrow(Ints x) { return _mm256_permute4x64_epi64(_mm256_packs_epi32(x.low, x.high), 0xd8); }

// Return the lanes as bytes, clamped to [0, 255].
inline __m128i to_bytes(Ints x) {
  const __m256i wide = narrow(x);
  return _mm_packus_epi16(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
}

inline void store_bytes(std::uint8_t* to, Ints x) {
  const __m256i low = _mm256_set1_epi32(0xff);
  const Ints bytes{_mm256_and_si256(x.low, low), _mm256_and_si256(x.high, low)};
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), to_bytes(bytes));
}

// How products read rounded activations: as bytes from which kOffset is taken, 0 or 128 (vectors.h).
template <std::int32_t kOffset>
struct ActivationsInBytes {
  static constexpr std::size_t kActivationBytes = 1;
  static constexpr std::int32_t kActivationOffset = kOffset;
  static constexpr std::size_t kRoundedAtOnce = 16;

  static void store_activations(std::uint8_t* to, const Ints* x) {
    const __m128i offset = _mm_set1_epi8(static_cast<char>(kOffset));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_xor_si128(to_bytes(*x), offset));
  }

  static void store_activations(std::uint8_t* to, Ints x, std::size_t count) {
    alignas(16) std::uint8_t bytes[kLanes];
    store_activations(bytes, &x);
    std::memcpy(to, bytes, count);
  }
};

// Load the share of a group of int4 weights ahead: with a single token, that is as much as it reads.
inline void load_ahead(Ahead ahead, std::size_t group) {
  const auto* from = reinterpret_cast<const char*>(ahead.start + group * ahead.step);
  for (std::size_t line = 0; line < ahead.step; line += kLineBytes) {
    _mm_prefetch(from + line, _MM_HINT_T0);
  }
}

// Return the four bytes at `from` in each lane of a register.
inline __m256i broadcast_unit(const std::uint8_t* from) {
  std::int32_t unit = 0;
  std::memcpy(&unit, from, sizeof unit);
  return _mm256_set1_epi32(unit);
}

}  // namespace
}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_PROCESSORS_AVX2_H_
