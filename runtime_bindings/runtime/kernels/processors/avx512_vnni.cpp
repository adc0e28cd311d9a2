// Vectors and products of AVX-512 with VNNI, whose instruction vpdpbusd multiplies 64 unsigned by 64 signed
// bytes and adds each four products to an int32.
//
// Eight tokens and two registers of outputs are summed at once: 16 registers hold the sums, two the weights,
// and the bytes of a token are loaded once for both. On Zen 5, whose level-1 cache delivers two loads a
// cycle, that keeps both of its multipliers busy.
#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/shared/vectors.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")
// GCC warns about undefined registers in its own header (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

namespace linnet::kernels {
namespace {

using Floats = __m512;
using Ints = __m512i;

constexpr std::size_t kGroup = 4;
constexpr UnitFormat kUnits{kGroup, false};
constexpr std::int32_t kQueryOffset = 128;
constexpr std::int32_t kWeightOffset = 0;

inline __mmask16 lanes_below(std::size_t count) {
  return static_cast<__mmask16>(count >= kLanes ? 0xffffU : (1U << count) - 1U);
}

inline Floats all(float x) { return _mm512_set1_ps(x); }
inline Ints all(std::int32_t x) { return _mm512_set1_epi32(x); }
inline Floats load(const float* from) { return _mm512_loadu_ps(from); }
inline Floats load(const float* from, std::size_t count) {
  return _mm512_maskz_loadu_ps(lanes_below(count), from);
}
inline Ints load(const std::int32_t* from) { return _mm512_loadu_si512(from); }
inline void store(float* to, Floats x) { _mm512_storeu_ps(to, x); }
inline void store(float* to, Floats x, std::size_t count) {
  _mm512_mask_storeu_ps(to, lanes_below(count), x);
}
inline void store(std::int32_t* to, Ints x) { _mm512_storeu_si512(to, x); }
inline Floats first_lanes(Floats x, std::size_t count) { return _mm512_maskz_mov_ps(lanes_below(count), x); }
inline Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
inline Ints add(Ints a, Ints b) { return _mm512_add_epi32(a, b); }
inline Floats subtract(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
inline Floats multiply(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
inline Floats divide(Floats a, Floats b) { return _mm512_div_ps(a, b); }
inline Floats fused(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
inline Floats fused_minus(Floats a, Floats b, Floats c) { return _mm512_fmsub_ps(a, b, c); }
inline Floats minus_fused(Floats a, Floats b, Floats c) { return _mm512_fnmadd_ps(a, b, c); }
inline Floats smaller(Floats a, Floats b) { return _mm512_min_ps(a, b); }
inline Floats larger(Floats a, Floats b) { return _mm512_max_ps(a, b); }
inline Floats absolute(Floats x) { return _mm512_abs_ps(x); }

inline float largest_lane(Floats x) { return _mm512_reduce_max_ps(x); }

inline float sum_of_lanes(Floats x) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

inline std::int32_t sum_of_lanes(Ints x) { return _mm512_reduce_add_epi32(x); }
inline Ints to_ints(Floats x) { return _mm512_cvtps_epi32(x); }

inline Ints to_ints_below(Floats x, float limit) {
  return _mm512_maskz_cvtps_epi32(_mm512_cmp_ps_mask(_mm512_abs_ps(x), all(limit), _CMP_LT_OQ), x);
}

inline Floats to_floats(Ints x) { return _mm512_cvtepi32_ps(x); }
// Return the upper halves of 16 float32 numbers as these.
inline Floats load_bfloat16(const std::int8_t* from) {
  const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}
inline Ints both(Ints a, Ints b) { return _mm512_and_si512(a, b); }
inline Ints either(Ints a, Ints b) { return _mm512_or_si512(a, b); }
template <unsigned kBits>
inline Ints shifted_left(Ints x) {
  return _mm512_slli_epi32(x, kBits);
}
inline Ints times(Ints x, std::int32_t number) { return _mm512_mullo_epi32(x, all(number)); }
// Not _mm512_reduce_ps, which does not round the difference to the nearest for small negative numbers.
inline Floats fraction(Floats x) {
  return _mm512_sub_ps(x, _mm512_roundscale_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC));
}

inline Floats times_whole_power(Floats power, Floats x) {
  return _mm512_maskz_scalef_ps(_mm512_cmp_ps_mask(x, all(-125.0F), _CMP_GE_OQ), power, x);
}

inline void transpose(Floats* rows) {
  Floats twos[kLanes];
  for (std::size_t i = 0; i < kLanes; i += 2) {
    twos[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
    twos[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
  }
  for (std::size_t i = 0; i < kLanes; i += 4) {
    for (std::size_t half = 0; half < 2; ++half) {
      const Floats left = twos[i + half];
      const Floats right = twos[i + half + 2];
      rows[i + 2 * half] = _mm512_shuffle_ps(left, right, 0x44);
      rows[i + 2 * half + 1] = _mm512_shuffle_ps(left, right, 0xee);
    }
  }
  // rows[4 * b + c] has column c of each quarter for the rows 4 * b to 4 * b + 3
  for (std::size_t column = 0; column < 4; ++column) {
    const Floats low = _mm512_shuffle_f32x4(rows[column], rows[4 + column], 0x88);
    const Floats low_odd = _mm512_shuffle_f32x4(rows[column], rows[4 + column], 0xdd);
    const Floats high = _mm512_shuffle_f32x4(rows[8 + column], rows[12 + column], 0x88);
    const Floats high_odd = _mm512_shuffle_f32x4(rows[8 + column], rows[12 + column], 0xdd);
    twos[column] = _mm512_shuffle_f32x4(low, high, 0x88);
    twos[8 + column] = _mm512_shuffle_f32x4(low, high, 0xdd);
    twos[4 + column] = _mm512_shuffle_f32x4(low_odd, high_odd, 0x88);
    twos[12 + column] = _mm512_shuffle_f32x4(low_odd, high_odd, 0xdd);
  }
  std::copy(twos, twos + kLanes, rows);
}

inline void store_bytes(std::uint8_t* to, Ints x) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(x));
}
inline void to_units(Ints x, std::int32_t* units) { store_bytes(reinterpret_cast<std::uint8_t*>(units), x); }

// Assembly, because with the intrinsic GCC copies every sum to another register and back.
inline Ints add_products(Ints sums, Ints left, Ints right) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(left), "v"(right));
  return sums;
}

inline Ints add_products(Ints sums, Ints left, const std::uint8_t* right) {
  asm("vpdpbusd %2%{1to16%}, %1, %0"
      : "+v"(sums)
      : "v"(left), "m"(*reinterpret_cast<const std::uint8_t (*)[kUnitBytes]>(right)));
  return sums;
}

template <std::size_t kCount>
inline void add_products(Ints* sums, const std::uint8_t* left, const std::uint8_t* right,
                         std::size_t item_step, std::size_t unit_step, std::size_t units) {
  Ints inner[kCount];
  std::copy(sums, sums + kCount, inner);
  for (std::size_t unit = 0; unit < units; ++unit, right += unit_step) {
    const Ints lanes = _mm512_load_si512(left + unit * kLanes * kUnitBytes);
    for (std::size_t i = 0; i < kCount; ++i) {
      inner[i] = add_products(inner[i], lanes, right + i * item_step);
    }
  }
  std::copy(inner, inner + kCount, sums);
}

// How products read rounded activations: as bytes from which kOffset is taken, 0 or 128 (vectors.h).
template <std::int32_t kOffset>
struct ActivationsInBytes {
  static constexpr std::size_t kActivationBytes = 1;
  static constexpr std::int32_t kActivationOffset = kOffset;
  static constexpr std::size_t kRoundedAtOnce = 64;

  static void store_activations(std::uint8_t* to, Ints x, std::size_t count) {
    const __m128i bytes = _mm512_cvtusepi32_epi8(_mm512_max_epi32(x, all(0)));
    const __m128i offset = _mm_set1_epi8(static_cast<char>(kOffset));
    _mm_mask_storeu_epi8(to, lanes_below(count), _mm_xor_si128(bytes, offset));
  }

  // The packing instructions clamp to [0, 255], but work within quarters of a register, so the bytes are put
  // in order afterwards.
  static void store_activations(std::uint8_t* to, const Ints* x) {
    const Ints low = _mm512_packs_epi32(x[0], x[1]);
    const Ints high = _mm512_packs_epi32(x[2], x[3]);
    const Ints order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const Ints bytes = _mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high));
    _mm512_storeu_si512(to, _mm512_xor_si512(bytes, _mm512_set1_epi8(static_cast<char>(kOffset))));
  }
};

// Load the share of a group of weights ahead: with a single token, that is as much as it reads.
inline void load_ahead(Ahead ahead, std::size_t group) {
  const auto* from = reinterpret_cast<const char*>(ahead.start + group * ahead.step);
  for (std::size_t line = 0; line < ahead.step; line += kLineBytes) {
    _mm_prefetch(from + line, _MM_HINT_T0);
  }
}

struct Products : ActivationsInBytes<0> {
  static constexpr std::size_t kPanel = 32;
  static constexpr std::size_t kInputs = 4;
  static constexpr std::size_t kRows = 8;
  static constexpr bool kAddsFour = false;

  template <std::size_t kCount>
  static void multiply_tile(const std::uint8_t* bytes, std::size_t stride, const PanelWeights& panel,
                            Ahead ahead, Ints* sums) {
    Ints inner[kCount * 2];
    for (auto& sum : inner) {
      sum = all(0);
    }
    const std::int8_t* weights = panel.weights;
    for (std::size_t group = 0; group < panel.groups; ++group, weights += kPanel * kInputs) {
      load_ahead(ahead, group);
      const Ints left = _mm512_load_si512(weights);
      const Ints right = _mm512_load_si512(weights + kLanes * kInputs);
      for (std::size_t row = 0; row < kCount; ++row) {
        std::int32_t four = 0;
        std::memcpy(&four, bytes + row * stride + group * kInputs, kInputs);
        const Ints token = all(four);
        inner[row * 2] = add_products(inner[row * 2], token, left);
        inner[row * 2 + 1] = add_products(inner[row * 2 + 1], token, right);
      }
    }
    std::copy(inner, inner + kCount * 2, sums);
  }
};

// Six tokens at once, because a sum in float32 stands beside each in int32.
struct Int4Products : ActivationsInBytes<kInt4ActivationOffset>, Int4 {
  static constexpr std::size_t kPanel = 32;
  static constexpr std::size_t kInputs = 4;
  static constexpr std::size_t kRows = 6;

  // Add the products of a unit of each row.
  template <std::size_t kCount>
  static void add_unit(Ints* sums, Ints left, Ints right, const std::uint8_t* bytes, std::size_t stride) {
#pragma GCC unroll 8
    for (std::size_t row = 0; row < kCount; ++row) {
      std::int32_t four = 0;
      std::memcpy(&four, bytes + row * stride, kInputs);
      const Ints token = all(four);
      sums[row * 2] = add_products(sums[row * 2], left, token);
      sums[row * 2 + 1] = add_products(sums[row * 2 + 1], right, token);
    }
  }

  template <std::size_t kCount>
  [[gnu::noinline]] static void multiply_tile(const std::uint8_t* bytes, std::size_t stride,
                                              const PanelWeights& panel, Ahead ahead, Floats* values) {
    Floats inner[kCount * 2];
#pragma GCC unroll 16
    for (auto& value : inner) {
      value = all(0.0F);
    }
    const Ints nibble = all(0x0f0f0f0f);
    const std::int8_t* weights = panel.weights;
    for (std::size_t group = 0; group < panel.groups; ++group, weights += kPanel * kInt4GroupBytes) {
      load_ahead(ahead, group);
      Ints sums[kCount * 2];
#pragma GCC unroll 8
      for (std::size_t row = 0; row < kCount; ++row) {
        sums[row * 2] = sums[row * 2 + 1] = all(start(bytes + row * stride, panel.groups, group));
      }
      const std::uint8_t* tokens = bytes + group * kInt4Group;
#pragma GCC unroll 4
      for (std::size_t pair = 0; pair < kInt4Group / kInputs / 2; ++pair) {
        const std::int8_t* from = weights + pair * kPanel * kInputs;
        const Ints left = _mm512_load_si512(from);
        const Ints right = _mm512_load_si512(from + kLanes * kInputs);
        const std::uint8_t* units = tokens + pair * 2 * kInputs;
        add_unit<kCount>(sums, both(left, nibble), both(right, nibble), units, stride);
        add_unit<kCount>(sums, both(_mm512_srli_epi16(left, 4), nibble),
                         both(_mm512_srli_epi16(right, 4), nibble), units + kInputs, stride);
      }
      const Floats left_scale = load_bfloat16(weights + kPanel * kInt4WeightBytes);
      const Floats right_scale = load_bfloat16(weights + kPanel * kInt4WeightBytes + 2 * kLanes);
#pragma GCC unroll 8
      for (std::size_t row = 0; row < kCount; ++row) {
        inner[row * 2] = fused(to_floats(sums[row * 2]), left_scale, inner[row * 2]);
        inner[row * 2 + 1] = fused(to_floats(sums[row * 2 + 1]), right_scale, inner[row * 2 + 1]);
      }
    }
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kCount * 2; ++i) {
      values[i] = inner[i];
    }
  }
};

// The same on 256-bit registers, which rows of a cache fill.
inline void add_fours(__m256i& sum, __m256i left, __m256i right) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(left), "v"(right));
}

}  // namespace
}  // namespace linnet::kernels

#include "kernels/processors/vnni_cache.h"
#include "kernels/shared/table.h"

namespace linnet::kernels {

const Kernels& avx512_vnni_kernels() noexcept {
  static constexpr Kernels kKernels =
      table<Products, Int4Products, AvxCacheProducts<VnniRowProducts>>("avx512_vnni");
  return kKernels;
}

}  // namespace linnet::kernels

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
