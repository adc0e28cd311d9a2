// Products of NEON with dot products (Cortex-A55, A76: Raspberry Pi 5, most phones): sdot adds four products
// of signed bytes to each int32.
#if defined(__aarch64__)

#include <arm_neon.h>

#include "kernels/shared/vectors.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("arch=armv8.2-a+dotprod")
#endif

#include "kernels/processors/neon.h"

namespace linnet::kernels {
namespace {

constexpr std::size_t kGroup = 4;
constexpr UnitFormat kUnits{kGroup, true};
constexpr std::int32_t kQueryOffset = 0;
constexpr std::int32_t kWeightOffset = 128;

constexpr std::size_t kItems = 4;

[[gnu::noinline]] inline void add_products_of_four(Ints* sums, const std::uint8_t* left,
                                                   const std::uint8_t* right, std::size_t item_step,
                                                   std::size_t unit_step, std::size_t units) {
  Ints inner[kItems];
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kItems; ++i) {
    inner[i] = sums[i];
  }
  const auto* lanes = reinterpret_cast<const std::int8_t*>(left);
  for (std::size_t unit = 0; unit < units; ++unit, right += unit_step, lanes += kLanes * kUnitBytes) {
    const int8x16_t a = vld1q_s8(lanes);
    const int8x16_t b = vld1q_s8(lanes + 16);
    const int8x16_t c = vld1q_s8(lanes + 32);
    const int8x16_t d = vld1q_s8(lanes + 48);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kItems; ++i) {
      const int8x16_t item = broadcast_unit(right + i * item_step);
      inner[i].a = vdotq_s32(inner[i].a, a, item);
      inner[i].b = vdotq_s32(inner[i].b, b, item);
      inner[i].c = vdotq_s32(inner[i].c, c, item);
      inner[i].d = vdotq_s32(inner[i].d, d, item);
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

struct Products : ActivationsInBytes<128> {
  static constexpr std::size_t kPanel = 16;
  static constexpr std::size_t kInputs = 4;
  static constexpr std::size_t kRows = 4;
  static constexpr bool kAddsFour = false;

  // Add the products of one group of each row, whose number in `tokens` is kGroupOfFour.
  template <std::size_t kCount, int kGroupOfFour>
  static void add_group(Ints* sums, const std::int8_t* weights, const int8x16_t* tokens) {
    const int8x16_t a = vld1q_s8(weights);
    const int8x16_t b = vld1q_s8(weights + 16);
    const int8x16_t c = vld1q_s8(weights + 32);
    const int8x16_t d = vld1q_s8(weights + 48);
#pragma GCC unroll 4
    for (std::size_t row = 0; row < kCount; ++row) {
      sums[row].a = vdotq_laneq_s32(sums[row].a, a, tokens[row], kGroupOfFour);
      sums[row].b = vdotq_laneq_s32(sums[row].b, b, tokens[row], kGroupOfFour);
      sums[row].c = vdotq_laneq_s32(sums[row].c, c, tokens[row], kGroupOfFour);
      sums[row].d = vdotq_laneq_s32(sums[row].d, d, tokens[row], kGroupOfFour);
    }
  }

  template <std::size_t kCount>
  [[gnu::noinline]] static void multiply_tile(const std::uint8_t* bytes, std::size_t stride,
                                              const PanelWeights& panel, Ahead /*ahead*/, Ints* sums) {
    constexpr std::size_t kStepBytes = kPanel * kInputs;
    Ints inner[kCount];
    int8x16_t tokens[kCount];
    const Ints start = times(to_ints(load(panel.sums)), kActivationOffset);
#pragma GCC unroll 4
    for (std::size_t row = 0; row < kCount; ++row) {
      inner[row] = start;
    }
    const std::int8_t* weights = panel.weights;
    std::size_t group = 0;
    for (; group + 4 <= panel.groups; group += 4, weights += 4 * kStepBytes, bytes += 4 * kInputs) {
#pragma GCC unroll 4
      for (std::size_t row = 0; row < kCount; ++row) {
        tokens[row] = vld1q_s8(reinterpret_cast<const std::int8_t*>(bytes + row * stride));
      }
      add_group<kCount, 0>(inner, weights, tokens);
      add_group<kCount, 1>(inner, weights + kStepBytes, tokens);
      add_group<kCount, 2>(inner, weights + 2 * kStepBytes, tokens);
      add_group<kCount, 3>(inner, weights + 3 * kStepBytes, tokens);
    }
    for (; group < panel.groups; ++group, weights += kStepBytes, bytes += kInputs) {
#pragma GCC unroll 4
      for (std::size_t row = 0; row < kCount; ++row) {
        tokens[row] = broadcast_unit(bytes + row * stride);
      }
      add_group<kCount, 0>(inner, weights, tokens);
    }
#pragma GCC unroll 4
    for (std::size_t row = 0; row < kCount; ++row) {
      sums[row] = inner[row];
    }
  }
};

// Add the products of 16 bytes with the unit of that number in `tokens`. Assembly, because GCC otherwise
// loads weights too early, and writes sums to memory for want of registers.
template <int kUnit>
inline void add_dots(int32x4_t& sums, int8x16_t weights, int8x16_t tokens) {
  asm volatile("sdot %0.4s, %1.16b, %2.4b[%3]" : "+w"(sums) : "w"(weights), "w"(tokens), "i"(kUnit));
}

struct Int4Products : ActivationsInBytes<kInt4ActivationOffset>, Int4 {
  static constexpr std::size_t kPanel = 16;
  static constexpr std::size_t kInputs = 4;
  static constexpr std::size_t kRows = 4;
  static constexpr std::size_t kUnits = 4;  // whose numbers one register has

  // Add the products of two units and four outputs. The units' numbers in `tokens` are
  // kPair and the next.
  template <std::size_t kCount, int kPair>
  static void add_column(Ints* sums, int32x4_t Ints::* column, const std::int8_t* weights,
                         const int8x16_t* tokens) {
    const Nibbles four = load_nibbles(weights);
#pragma GCC unroll 4
    for (std::size_t row = 0; row < kCount; ++row) {
      add_dots<kPair>(sums[row].*column, four.low, tokens[row]);
    }
#pragma GCC unroll 4
    for (std::size_t row = 0; row < kCount; ++row) {
      add_dots<kPair + 1>(sums[row].*column, four.high, tokens[row]);
    }
  }

  template <std::size_t kCount, int kPair>
  static void add_pair(Ints* sums, const std::int8_t* weights, const int8x16_t* tokens) {
    add_column<kCount, kPair>(sums, &Ints::a, weights, tokens);
    add_column<kCount, kPair>(sums, &Ints::b, weights + 16, tokens);
    add_column<kCount, kPair>(sums, &Ints::c, weights + 32, tokens);
    add_column<kCount, kPair>(sums, &Ints::d, weights + 48, tokens);
  }

  template <std::size_t kCount>
  [[gnu::noinline]] static void multiply_tile(const std::uint8_t* bytes, std::size_t stride,
                                              const PanelWeights& panel, Ahead /*ahead*/, Floats* values) {
    constexpr std::size_t kPairBytes = kPanel * kInputs;
#pragma GCC unroll 4
    for (std::size_t row = 0; row < kCount; ++row) {
      values[row] = all(0.0F);
    }
    const std::int8_t* weights = panel.weights;
    for (std::size_t group = 0; group < panel.groups; ++group, weights += kPanel * kInt4GroupBytes) {
      Ints sums[kCount];
#pragma GCC unroll 4
      for (std::size_t row = 0; row < kCount; ++row) {
        sums[row] = all(start(bytes + row * stride, panel.groups, group));
      }
#pragma GCC unroll 2
      for (std::size_t unit = 0; unit < kInt4Group / kInputs; unit += kUnits) {
        const std::uint8_t* from = bytes + group * kInt4Group + unit * kInputs;
        int8x16_t tokens[kCount];
#pragma GCC unroll 4
        for (std::size_t row = 0; row < kCount; ++row) {
          tokens[row] = vld1q_s8(reinterpret_cast<const std::int8_t*>(from + row * stride));
        }
        add_pair<kCount, 0>(sums, weights + unit / 2 * kPairBytes, tokens);
        add_pair<kCount, 2>(sums, weights + (unit / 2 + 1) * kPairBytes, tokens);
      }
      const Floats scales = load_bfloat16(weights + kPanel * kInt4WeightBytes);
#pragma GCC unroll 4
      for (std::size_t row = 0; row < kCount; ++row) {
        values[row] = fused(to_floats(sums[row]), scales, values[row]);
      }
    }
  }
};

}  // namespace
}  // namespace linnet::kernels

#include "kernels/shared/table.h"

namespace linnet::kernels {

const Kernels& neon_dotprod_kernels() noexcept {
  static constexpr Kernels kKernels = table<Products, Int4Products, PlainCacheProducts>("dotprod");
  return kKernels;
}

}  // namespace linnet::kernels

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
