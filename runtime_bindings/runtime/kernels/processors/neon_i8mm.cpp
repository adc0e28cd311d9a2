// Products of NEON with the matrix multiplication of bytes (i8mm: Cortex-A510, A710, X2, Neoverse V1 and N2,
// Apple M2): usmmla multiplies 2 x 8 unsigned with 8 x 2 signed bytes, usdot adds four products to each
// int32.
#if defined(__aarch64__)

#include <arm_neon.h>

#include "kernels/shared/vectors.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("dotprod,i8mm"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("arch=armv8.2-a+dotprod+i8mm")
#endif

#include "kernels/processors/neon.h"

namespace linnet::kernels {
namespace {

constexpr std::size_t kGroup = 4;
constexpr UnitFormat kUnits{kGroup, false};
constexpr std::int32_t kQueryOffset = 128;
constexpr std::int32_t kWeightOffset = 0;

constexpr std::size_t kItems = 4;

[[gnu::noinline]] inline void add_products_of_four(Ints* sums, const std::uint8_t* left,
                                                   const std::uint8_t* right, std::size_t item_step,
                                                   std::size_t unit_step, std::size_t units) {
  Ints inner[kItems];
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kItems; ++i) {
    inner[i] = sums[i];
  }
  for (std::size_t unit = 0; unit < units; ++unit, right += unit_step, left += kLanes * kUnitBytes) {
    const uint8x16_t a = vld1q_u8(left);
    const uint8x16_t b = vld1q_u8(left + 16);
    const uint8x16_t c = vld1q_u8(left + 32);
    const uint8x16_t d = vld1q_u8(left + 48);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kItems; ++i) {
      const int8x16_t item = broadcast_unit(right + i * item_step);
      inner[i].a = vusdotq_s32(inner[i].a, a, item);
      inner[i].b = vusdotq_s32(inner[i].b, b, item);
      inner[i].c = vusdotq_s32(inner[i].c, c, item);
      inner[i].d = vusdotq_s32(inner[i].d, d, item);
    }
  }
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kItems; ++i) {
    sums[i] = inner[i];
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

// Return eight bytes of a row and of the next one; zeros for a row that is not there.
inline uint8x16_t two_rows(const std::uint8_t* row, std::size_t stride, bool second) {
  return vcombine_u8(vld1_u8(row), second ? vld1_u8(row + stride) : vdup_n_u8(0));
}
// Return the first or second row of two registers with two rows of two outputs each.
template <int kRow>
inline int32x4_t row_of(int32x4_t left, int32x4_t right) {
  const int64x2_t a = vreinterpretq_s64_s32(left);
  const int64x2_t b = vreinterpretq_s64_s32(right);
  return vreinterpretq_s32_s64(kRow == 0 ? vtrn1q_s64(a, b) : vtrn2q_s64(a, b));
}

struct Products : ActivationsInBytes<0> {
  static constexpr std::size_t kPanel = 16;
  static constexpr std::size_t kInputs = 8;
  static constexpr std::size_t kRows = 6;
  static constexpr bool kAddsFour = false;

  // A register of sums has two rows of two outputs. Eight inputs of two outputs lie together, as the
  // instruction wants them.
  template <std::size_t kCount>
  [[gnu::noinline]] static void multiply_tile(const std::uint8_t* bytes, std::size_t stride,
                                              const PanelWeights& panel, Ahead /*ahead*/, Ints* sums) {
    constexpr std::size_t kTwos = (kCount + 1) / 2;
    constexpr std::size_t kColumns = kPanel / 2;
    int32x4_t inner[kTwos][kColumns];
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kTwos; ++i) {
#pragma GCC unroll 8
      for (std::size_t column = 0; column < kColumns; ++column) {
        inner[i][column] = vdupq_n_s32(0);
      }
    }
    const std::int8_t* weights = panel.weights;
    for (std::size_t group = 0; group < panel.groups; ++group, bytes += kInputs) {
      uint8x16_t tokens[kTwos];
#pragma GCC unroll 4
      for (std::size_t i = 0; i < kTwos; ++i) {
        tokens[i] = two_rows(bytes + 2 * i * stride, stride, 2 * i + 1 < kCount);
      }
#pragma GCC unroll 8
      for (std::size_t column = 0; column < kColumns; ++column, weights += 2 * kInputs) {
        const int8x16_t two = vld1q_s8(weights);
#pragma GCC unroll 4
        for (std::size_t i = 0; i < kTwos; ++i) {
          inner[i][column] = vusmmlaq_s32(inner[i][column], tokens[i], two);
        }
      }
    }
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kTwos; ++i) {
      sums[2 * i] = {row_of<0>(inner[i][0], inner[i][1]), row_of<0>(inner[i][2], inner[i][3]),
                     row_of<0>(inner[i][4], inner[i][5]), row_of<0>(inner[i][6], inner[i][7])};
      if (2 * i + 1 < kCount) {
        sums[2 * i + 1] = {row_of<1>(inner[i][0], inner[i][1]), row_of<1>(inner[i][2], inner[i][3]),
                           row_of<1>(inner[i][4], inner[i][5]), row_of<1>(inner[i][6], inner[i][7])};
      }
    }
  }
};

// Sums stay in the order of the instruction until all groups are added.
struct Int4Products : ActivationsInBytes<kInt4ActivationOffset>, Int4 {
  static constexpr std::size_t kPanel = 16;
  static constexpr std::size_t kInputs = 8;
  static constexpr std::size_t kRows = 4;
  static constexpr std::size_t kColumns = kPanel / 2;

  // Assembly, because GCC otherwise loads weights too early, and writes sums to memory for want of registers.
  static void add_products(int32x4_t& sums, int8x16_t tokens, int8x16_t weights) {
    asm volatile("smmla %0.4s, %1.16b, %2.16b" : "+w"(sums) : "w"(tokens), "w"(weights));
  }

  // Return the numbers of two outputs for two rows, from those of 16 outputs.
  static void spread(Floats x, float32x4_t* columns) {
    const float32x4_t fours[] = {x.a, x.b, x.c, x.d};
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kColumns / 2; ++i) {
      const float64x2_t four = vreinterpretq_f64_f32(fours[i]);
      columns[2 * i] = vreinterpretq_f32_f64(vtrn1q_f64(four, four));
      columns[2 * i + 1] = vreinterpretq_f32_f64(vtrn2q_f64(four, four));
    }
  }

  template <int kRow>
  static float32x4_t values_of(float32x4_t left, float32x4_t right) {
    return vreinterpretq_f32_s32(row_of<kRow>(vreinterpretq_s32_f32(left), vreinterpretq_s32_f32(right)));
  }

  template <std::size_t kCount>
  [[gnu::noinline]] static void multiply_tile(const std::uint8_t* bytes, std::size_t stride,
                                              const PanelWeights& panel, Ahead /*ahead*/, Floats* values) {
    constexpr std::size_t kTwos = (kCount + 1) / 2;
    float32x4_t inner[kTwos][kColumns];
#pragma GCC unroll 2
    for (std::size_t i = 0; i < kTwos; ++i) {
#pragma GCC unroll 8
      for (std::size_t column = 0; column < kColumns; ++column) {
        inner[i][column] = vdupq_n_f32(0.0F);
      }
    }
    const std::int8_t* weights = panel.weights;
    for (std::size_t group = 0; group < panel.groups; ++group, weights += kPanel * kInt4GroupBytes) {
      int32x4_t sums[kTwos][kColumns];
#pragma GCC unroll 2
      for (std::size_t i = 0; i < kTwos; ++i) {
        const std::uint8_t* row = bytes + 2 * i * stride;
        const int32x2_t first = vdup_n_s32(start(row, panel.groups, group));
        const int32x2_t second =
            2 * i + 1 < kCount ? vdup_n_s32(start(row + stride, panel.groups, group)) : vdup_n_s32(0);
#pragma GCC unroll 8
        for (std::size_t column = 0; column < kColumns; ++column) {
          sums[i][column] = vcombine_s32(first, second);
        }
      }
      const std::uint8_t* tokens = bytes + group * kInt4Group;
#pragma GCC unroll 2
      for (std::size_t pair = 0; pair < kInt4Group / kInputs / 2; ++pair, tokens += 2 * kInputs) {
        int8x16_t units[kTwos][2];
#pragma GCC unroll 2
        for (std::size_t i = 0; i < kTwos; ++i) {
          const bool second = 2 * i + 1 < kCount;
          units[i][0] = vreinterpretq_s8_u8(two_rows(tokens + 2 * i * stride, stride, second));
          units[i][1] = vreinterpretq_s8_u8(two_rows(tokens + 2 * i * stride + kInputs, stride, second));
        }
#pragma GCC unroll 8
        for (std::size_t column = 0; column < kColumns; ++column) {
          const Nibbles two = load_nibbles(weights + (pair * kPanel + column * 2) * kInputs);
#pragma GCC unroll 2
          for (std::size_t i = 0; i < kTwos; ++i) {
            add_products(sums[i][column], units[i][0], two.low);
          }
#pragma GCC unroll 2
          for (std::size_t i = 0; i < kTwos; ++i) {
            add_products(sums[i][column], units[i][1], two.high);
          }
        }
      }
      float32x4_t scales[kColumns];
      spread(load_bfloat16(weights + kPanel * kInt4WeightBytes), scales);
#pragma GCC unroll 2
      for (std::size_t i = 0; i < kTwos; ++i) {
#pragma GCC unroll 8
        for (std::size_t column = 0; column < kColumns; ++column) {
          inner[i][column] = vfmaq_f32(inner[i][column], vcvtq_f32_s32(sums[i][column]), scales[column]);
        }
      }
    }
#pragma GCC unroll 2
    for (std::size_t i = 0; i < kTwos; ++i) {
      const float32x4_t* row = inner[i];
      values[2 * i] = {values_of<0>(row[0], row[1]), values_of<0>(row[2], row[3]),
                       values_of<0>(row[4], row[5]), values_of<0>(row[6], row[7])};
      if (2 * i + 1 < kCount) {
        values[2 * i + 1] = {values_of<1>(row[0], row[1]), values_of<1>(row[2], row[3]),
                             values_of<1>(row[4], row[5]), values_of<1>(row[6], row[7])};
      }
    }
  }
};

}  // namespace
}  // namespace linnet::kernels

#include "kernels/shared/table.h"

namespace linnet::kernels {

const Kernels& neon_i8mm_kernels() noexcept {
  static constexpr Kernels kKernels = table<Products, Int4Products, PlainCacheProducts>("i8mm");
  return kKernels;
}

}  // namespace linnet::kernels

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
