// Products of VNNI on 256-bit registers, for the sources that define LINNET_VPDPBUSD, the instruction in the
// encoding of AVX-VNNI or of AVX-512. It multiplies 32 unsigned by 32 signed bytes and adds each four
// products to an int32.
#ifndef LINNET_RUNTIME_KERNELS_PROCESSORS_AVX_VNNI_H_
#define LINNET_RUNTIME_KERNELS_PROCESSORS_AVX_VNNI_H_

#include "kernels/processors/avx2.h"

namespace linnet::kernels {
namespace {

constexpr std::size_t kGroup = 4;
constexpr UnitFormat kUnits{kGroup, false};
constexpr std::int32_t kQueryOffset = 128;
constexpr std::int32_t kWeightOffset = 0;

inline void to_units(Ints x, std::int32_t* units) { store_bytes(reinterpret_cast<std::uint8_t*>(units), x); }

// Assembly, because with the intrinsic GCC copies every sum to another register and back.
inline void add_fours(__m256i& sum, __m256i left, __m256i right) {
  asm(LINNET_VPDPBUSD " %2, %1, %0" : "+x"(sum) : "x"(left), "x"(right));
}

// Loops over arrays of registers are unrolled, and no other loop surrounds them: GCC would keep the arrays in
// memory otherwise, which takes twice the time.
constexpr std::size_t kItems = 4;

[[gnu::noinline]] inline void add_products_of_four(Ints* sums, const std::uint8_t* left,
                                                   const std::uint8_t* right, std::size_t item_step,
                                                   std::size_t unit_step, std::size_t units) {
  __m256i low[kItems];
  __m256i high[kItems];
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kItems; ++i) {
    low[i] = sums[i].low;
    high[i] = sums[i].high;
  }
  const auto* lanes = reinterpret_cast<const __m256i*>(left);
  for (std::size_t unit = 0; unit < units; ++unit, right += unit_step, lanes += 2) {
    const __m256i left_low = _mm256_load_si256(lanes);
    const __m256i left_high = _mm256_load_si256(lanes + 1);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kItems; ++i) {
      const __m256i item = broadcast_unit(right + i * item_step);
      add_fours(low[i], left_low, item);
      add_fours(high[i], left_high, item);
    }
  }
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kItems; ++i) {
    sums[i] = {low[i], high[i]};
  }
}

template <std::size_t kCount>
inline void add_products(Ints* sums, const std::uint8_t* left, const std::uint8_t* right,
                         std::size_t item_step, std::size_t unit_step, std::size_t units) {
  static_assert(kCount % kItems == 0);
  for (std::size_t i = 0; i < kCount; i += kItems) {
    add_products_of_four(sums + i, left, right + i * item_step, item_step, unit_step, units);
  }
}

struct Products : ActivationsInBytes<0> {
  static constexpr std::size_t kPanel = 16;
  static constexpr std::size_t kInputs = 4;
  static constexpr std::size_t kRows = 6;
  static constexpr bool kAddsFour = false;

  template <std::size_t kCount>
  static void multiply_tile(const std::uint8_t* bytes, std::size_t stride, const PanelWeights& panel,
                            Ahead ahead, Ints* sums) {
    __m256i low[kCount];
    __m256i high[kCount];
#pragma GCC unroll 8
    for (std::size_t row = 0; row < kCount; ++row) {
      low[row] = high[row] = _mm256_setzero_si256();
    }
    const auto* weights = reinterpret_cast<const __m256i*>(panel.weights);
    for (std::size_t group = 0; group < panel.groups; ++group, weights += 2) {
      _mm_prefetch(reinterpret_cast<const char*>(ahead.start + group * ahead.step), _MM_HINT_T0);
      const __m256i left = _mm256_load_si256(weights);
      const __m256i right = _mm256_load_si256(weights + 1);
#pragma GCC unroll 8
      for (std::size_t row = 0; row < kCount; ++row) {
        const __m256i token = broadcast_unit(bytes + row * stride + group * kInputs);
        add_fours(low[row], token, left);
        add_fours(high[row], token, right);
      }
    }
#pragma GCC unroll 8
    for (std::size_t row = 0; row < kCount; ++row) {
      sums[row] = {low[row], high[row]};
    }
  }
};

struct Int4Products : ActivationsInBytes<kInt4ActivationOffset>, Int4 {
  static constexpr std::size_t kPanel = 16;
  static constexpr std::size_t kInputs = 4;
  static constexpr std::size_t kRows = 4;

  template <std::size_t kCount>
  static void add_unit(Ints* sums, __m256i left, __m256i right, const std::uint8_t* bytes,
                       std::size_t stride) {
#pragma GCC unroll 8
    for (std::size_t row = 0; row < kCount; ++row) {
      const __m256i unit = broadcast_unit(bytes + row * stride);
      add_fours(sums[row].low, left, unit);
      add_fours(sums[row].high, right, unit);
    }
  }

  template <std::size_t kCount>
  [[gnu::noinline]] static void multiply_tile(const std::uint8_t* bytes, std::size_t stride,
                                              const PanelWeights& panel, Ahead ahead, Floats* values) {
    const __m256i nibble = _mm256_set1_epi8(15);
#pragma GCC unroll 8
    for (std::size_t row = 0; row < kCount; ++row) {
      values[row] = all(0.0F);
    }
    const std::int8_t* weights = panel.weights;
    for (std::size_t group = 0; group < panel.groups; ++group, weights += kPanel * kInt4GroupBytes) {
      load_ahead(ahead, group);
      Ints sums[kCount];
#pragma GCC unroll 8
      for (std::size_t row = 0; row < kCount; ++row) {
        sums[row] = all(start(bytes + row * stride, panel.groups, group));
      }
      const std::uint8_t* tokens = bytes + group * kInt4Group;
#pragma GCC unroll 4
      for (std::size_t pair = 0; pair < kInt4Group / kInputs / 2; ++pair) {
        const auto* from = reinterpret_cast<const __m256i*>(weights + pair * kPanel * kInputs);
        const __m256i left = _mm256_load_si256(from);
        const __m256i right = _mm256_load_si256(from + 1);
        const std::uint8_t* units = tokens + pair * 2 * kInputs;
        add_unit<kCount>(sums, _mm256_and_si256(left, nibble), _mm256_and_si256(right, nibble), units,
                         stride);
        add_unit<kCount>(sums, _mm256_and_si256(_mm256_srli_epi16(left, 4), nibble),
                         _mm256_and_si256(_mm256_srli_epi16(right, 4), nibble), units + kInputs, stride);
      }
      const Floats scales = load_bfloat16(weights + kPanel * kInt4WeightBytes);
#pragma GCC unroll 8
      for (std::size_t row = 0; row < kCount; ++row) {
        values[row] = fused(to_floats(sums[row]), scales, values[row]);
      }
    }
  }
};

}  // namespace
}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_PROCESSORS_AVX_VNNI_H_
