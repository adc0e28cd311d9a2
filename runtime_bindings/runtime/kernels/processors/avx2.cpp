// Products of AVX2.
//
// vpmaddubsw adds two products of unsigned and signed bytes to an int16, which saturates. So activations of 8
// bits, and their weights, are widened to 16 bits, and vpmaddwd adds two products to an int32, exactly. With
// 7 bits, two products fit in an int16, and four do in nearly all places of a layer (Packing).
#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/shared/vectors.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

#include "kernels/processors/avx2.h"

namespace linnet::kernels {
namespace {

constexpr std::size_t kGroup = 2;
constexpr UnitFormat kUnits{kGroup, false};
constexpr std::int32_t kQueryOffset = 0;
constexpr std::int32_t kWeightOffset = 0;

inline void to_units(Ints x, std::int32_t* units) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(units), narrow(x));
}

// Add the products of `left` and `right` to `sum`. Assembly, because GCC otherwise keeps products of several
// rows and writes sums to memory for want of registers.
inline void add_pairs(__m256i& sum, __m256i left, __m256i right) {
  __m256i product;
  asm("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(sum), "=&x"(product) : "x"(left), "x"(right));
}

// Four items of two registers each are summed at once. Loops over arrays of registers are unrolled, and no
// other loop surrounds them: GCC would keep the arrays in memory otherwise, which takes twice the time.
constexpr std::size_t kItems = 4;

[[gnu::noinline]] void add_products_of_four(Ints* sums, const std::uint8_t* left, const std::uint8_t* right,
                                            std::size_t item_step, std::size_t unit_step, std::size_t units) {
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
      add_pairs(low[i], left_low, item);
      add_pairs(high[i], left_high, item);
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

struct Products {
  static constexpr std::size_t kPanel = 16;
  static constexpr std::size_t kInputs = 4;
  static constexpr std::size_t kRows = 6;
  static constexpr std::size_t kActivationBytes = 2;
  static constexpr std::int32_t kActivationOffset = 0;
  static constexpr std::size_t kRoundedAtOnce = 16;
  static constexpr bool kAddsFour = false;

  static void store_activations(std::uint8_t* to, const Ints* x) {
    const __m256i clamped =
        _mm256_max_epi16(_mm256_min_epi16(narrow(*x), _mm256_set1_epi16(255)), _mm256_setzero_si256());
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), clamped);
  }

  static void store_activations(std::uint8_t* to, Ints x, std::size_t count) {
    alignas(32) std::uint8_t numbers[kLanes * kActivationBytes];
    store_activations(numbers, &x);
    std::memcpy(to, numbers, count * kActivationBytes);
  }

  // Sum kCount rows and eight outputs: each register has four outputs, with two partial sums of each.
  template <std::size_t kCount>
  static void multiply_strip(const std::uint8_t* bytes, std::size_t stride, const std::int8_t* weights,
                             std::size_t groups, Ahead ahead, __m256i* sums) {
    __m256i low[kCount];
    __m256i high[kCount];
#pragma GCC unroll 8
    for (std::size_t row = 0; row < kCount; ++row) {
      low[row] = high[row] = _mm256_setzero_si256();
    }
    for (std::size_t group = 0; group < groups; ++group, weights += kPanel * kInputs) {
      _mm_prefetch(reinterpret_cast<const char*>(ahead.start + group * ahead.step), _MM_HINT_T0);
      const auto* from = reinterpret_cast<const __m128i*>(weights);
      const __m256i left = _mm256_cvtepi8_epi16(_mm_load_si128(from));
      const __m256i right = _mm256_cvtepi8_epi16(_mm_load_si128(from + 1));
      const std::uint8_t* four = bytes + group * kInputs * kActivationBytes;
#pragma GCC unroll 8
      for (std::size_t row = 0; row < kCount; ++row) {
        std::int64_t numbers = 0;
        std::memcpy(&numbers, four + row * stride, sizeof numbers);
        const __m256i token = _mm256_set1_epi64x(numbers);
        add_pairs(low[row], left, token);
        add_pairs(high[row], right, token);
      }
    }
#pragma GCC unroll 8
    for (std::size_t row = 0; row < kCount; ++row) {
      sums[row] = _mm256_permute4x64_epi64(_mm256_hadd_epi32(low[row], high[row]), 0xd8);
    }
  }

  template <std::size_t kCount>
  static void multiply_tile(const std::uint8_t* bytes, std::size_t stride, const PanelWeights& panel,
                            Ahead ahead, Ints* sums) {
    __m256i halves[2][kCount];
    multiply_strip<kCount>(bytes, stride, panel.weights, panel.groups, ahead, halves[0]);
    multiply_strip<kCount>(bytes, stride, panel.weights + kHalf * kInputs, panel.groups, ahead, halves[1]);
#pragma GCC unroll 8
    for (std::size_t row = 0; row < kCount; ++row) {
      sums[row] = {halves[0][row], halves[1][row]};
    }
  }
};

// Add the products of two units of four bytes with the weights of eight outputs to `sum`. Assembly for the
// same reason as in add_pairs().
inline void add_eights(__m256i& sum, __m256i unit, __m256i next_unit, __m256i weights, __m256i next_weights,
                       __m256i ones) {
  __m256i product;
  __m256i next;
  asm("vpmaddubsw %3, %5, %1\n\tvpmaddubsw %4, %6, %2\n\tvpaddw %2, %1, %1\n\tvpmaddwd %7, %1, %1\n\t"
      "vpaddd %1, %0, %0"
      : "+x"(sum), "=&x"(product), "=&x"(next)
      : "x"(weights), "x"(next_weights), "x"(unit), "x"(next_unit), "x"(ones));
}

struct SevenBitProducts : ActivationsInBytes<0> {
  static constexpr std::size_t kPanel = 16;
  static constexpr std::size_t kInputs = 4;
  static constexpr std::size_t kRows = 3;
  static constexpr bool kAddsFour = true;

  template <std::size_t kCount>
  [[gnu::noinline]] static void multiply_tile(const std::uint8_t* bytes, std::size_t stride,
                                              const PanelWeights& panel, Ahead ahead, Ints* sums) {
    __m256i low[kCount];
    __m256i high[kCount];
    const __m256i ones = _mm256_set1_epi16(1);
#pragma GCC unroll 8
    for (std::size_t row = 0; row < kCount; ++row) {
      low[row] = high[row] = _mm256_setzero_si256();
    }
    const auto* weights = reinterpret_cast<const __m256i*>(panel.weights);
    for (std::size_t group = 0; group < panel.groups; group += 2, weights += 4) {
      _mm_prefetch(reinterpret_cast<const char*>(ahead.start + group * ahead.step), _MM_HINT_T0);
      const __m256i left = _mm256_load_si256(weights);
      const __m256i right = _mm256_load_si256(weights + 1);
      const __m256i next_left = _mm256_load_si256(weights + 2);
      const __m256i next_right = _mm256_load_si256(weights + 3);
      const std::uint8_t* eight = bytes + group * kInputs;
#pragma GCC unroll 8
      for (std::size_t row = 0; row < kCount; ++row) {
        const __m256i unit = broadcast_unit(eight + row * stride);
        const __m256i next_unit = broadcast_unit(eight + row * stride + kInputs);
        add_eights(low[row], unit, next_unit, left, next_left, ones);
        add_eights(high[row], unit, next_unit, right, next_right, ones);
      }
    }
    const auto* moved = reinterpret_cast<const __m256i*>(panel.moved.weights);
    for (std::size_t i = 0; i < panel.moved.count; ++i, moved += 2) {
      const std::uint8_t* four = bytes + panel.moved.groups[i] * kInputs;
      const __m256i left = _mm256_load_si256(moved);
      const __m256i right = _mm256_load_si256(moved + 1);
#pragma GCC unroll 8
      for (std::size_t row = 0; row < kCount; ++row) {
        const __m256i unit = broadcast_unit(four + row * stride);
        low[row] = _mm256_add_epi32(low[row], _mm256_madd_epi16(_mm256_maddubs_epi16(unit, left), ones));
        high[row] = _mm256_add_epi32(high[row], _mm256_madd_epi16(_mm256_maddubs_epi16(unit, right), ones));
      }
    }
#pragma GCC unroll 8
    for (std::size_t row = 0; row < kCount; ++row) {
      sums[row] = {low[row], high[row]};
    }
  }
};

// Add the products of a unit with the nibbles of eight outputs to sums of 16 bits. Assembly for the same
// reason as in add_pairs().
inline void add_nibbles(__m256i& sum, __m256i nibbles, __m256i unit) {
  __m256i product;
  asm("vpmaddubsw %3, %2, %1\n\tvpaddw %1, %0, %0" : "+x"(sum), "=&x"(product) : "x"(nibbles), "x"(unit));
}

// Sums of a group fit in 16 bits, so they are widened once.
struct Int4Products : ActivationsInBytes<kInt4ActivationOffset>, Int4 {
  static constexpr std::size_t kPanel = 16;
  static constexpr std::size_t kInputs = 4;
  static constexpr std::size_t kRows = 4;

  template <std::size_t kCount>
  static void add_unit(__m256i* low, __m256i* high, __m256i left, __m256i right, const std::uint8_t* bytes,
                       std::size_t stride) {
#pragma GCC unroll 8
    for (std::size_t row = 0; row < kCount; ++row) {
      const __m256i unit = broadcast_unit(bytes + row * stride);
      add_nibbles(low[row], left, unit);
      add_nibbles(high[row], right, unit);
    }
  }

  template <std::size_t kCount>
  [[gnu::noinline]] static void multiply_tile(const std::uint8_t* bytes, std::size_t stride,
                                              const PanelWeights& panel, Ahead ahead, Floats* values) {
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i ones = _mm256_set1_epi16(1);
#pragma GCC unroll 8
    for (std::size_t row = 0; row < kCount; ++row) {
      values[row] = all(0.0F);
    }
    const std::int8_t* weights = panel.weights;
    for (std::size_t group = 0; group < panel.groups; ++group, weights += kPanel * kInt4GroupBytes) {
      load_ahead(ahead, group);
      __m256i low[kCount];
      __m256i high[kCount];
#pragma GCC unroll 8
      for (std::size_t row = 0; row < kCount; ++row) {
        low[row] = high[row] = _mm256_setzero_si256();
      }
      const std::uint8_t* tokens = bytes + group * kInt4Group;
#pragma GCC unroll 4
      for (std::size_t pair = 0; pair < kInt4Group / kInputs / 2; ++pair) {
        const auto* from = reinterpret_cast<const __m256i*>(weights + pair * kPanel * kInputs);
        const __m256i left = _mm256_load_si256(from);
        const __m256i right = _mm256_load_si256(from + 1);
        const std::uint8_t* units = tokens + pair * 2 * kInputs;
        add_unit<kCount>(low, high, _mm256_and_si256(left, nibble), _mm256_and_si256(right, nibble), units,
                         stride);
        add_unit<kCount>(low, high, _mm256_and_si256(_mm256_srli_epi16(left, 4), nibble),
                         _mm256_and_si256(_mm256_srli_epi16(right, 4), nibble), units + kInputs, stride);
      }
      const Floats scales = load_bfloat16(weights + kPanel * kInt4WeightBytes);
#pragma GCC unroll 8
      for (std::size_t row = 0; row < kCount; ++row) {
        const __m256i first = _mm256_set1_epi32(start(bytes + row * stride, panel.groups, group));
        const Ints sums{_mm256_add_epi32(first, _mm256_madd_epi16(low[row], ones)),
                        _mm256_add_epi32(first, _mm256_madd_epi16(high[row], ones))};
        values[row] = fused(to_floats(sums), scales, values[row]);
      }
    }
  }
};

}  // namespace
}  // namespace linnet::kernels

#include "kernels/processors/avx2_cache.h"
#include "kernels/shared/table.h"

namespace linnet::kernels {

const Kernels& avx2_kernels() noexcept {
  static constexpr Kernels kKernels =
      table<Products, Int4Products, AvxCacheProducts<Avx2RowProducts>, SevenBitProducts>("avx2");
  return kKernels;
}

}  // namespace linnet::kernels

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
