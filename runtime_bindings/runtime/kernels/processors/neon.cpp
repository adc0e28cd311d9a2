// Products of NEON without dot products (Cortex-A53, A72): smull and smlal add two products of signed bytes
// to an int16, which cannot overflow, and sadalp adds pairs of these to an int32.
#if defined(__aarch64__)

#include "kernels/processors/neon.h"

namespace linnet::kernels {
namespace {

constexpr std::size_t kGroup = 4;
constexpr UnitFormat kUnits{kGroup, true};
constexpr std::int32_t kQueryOffset = 0;
constexpr std::int32_t kWeightOffset = 128;
constexpr std::size_t kPairs = kLanes / 2;  // registers with two partial sums of two lanes each

// Return the sums of both partial sums.
inline Ints joined(const int32x4_t* pairs) {
  return {vpaddq_s32(pairs[0], pairs[1]), vpaddq_s32(pairs[2], pairs[3]), vpaddq_s32(pairs[4], pairs[5]),
          vpaddq_s32(pairs[6], pairs[7])};
}

// Add the products of a unit of each lane with one unit, and of the next ones.
inline void add_two_units(int32x4_t* pairs, const std::int8_t* left, const std::int8_t* next_left,
                          int8x8_t right, int8x8_t next_right) {
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kPairs; ++i) {
    int16x8_t products = vmull_s8(vld1_s8(left + i * 8), right);
    products = vmlal_s8(products, vld1_s8(next_left + i * 8), next_right);
    pairs[i] = vpadalq_s16(pairs[i], products);
  }
}

inline void add_unit(int32x4_t* pairs, const std::int8_t* left, int8x8_t right) {
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kPairs; ++i) {
    pairs[i] = vpadalq_s16(pairs[i], vmull_s8(vld1_s8(left + i * 8), right));
  }
}

inline int8x8_t unit_at(const std::uint8_t* from) { return vget_low_s8(broadcast_unit(from)); }

[[gnu::noinline]] inline Ints products_of(const std::int8_t* left, std::size_t left_step,
                                          const std::uint8_t* right, std::size_t right_step,
                                          std::size_t units, bool one_at_a_time) {
  int32x4_t pairs[kPairs];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kPairs; ++i) {
    pairs[i] = vdupq_n_s32(0);
  }
  std::size_t unit = 0;
  for (; !one_at_a_time && unit + 2 <= units; unit += 2) {
    add_two_units(pairs, left, left + left_step, unit_at(right), unit_at(right + right_step));
    left += 2 * left_step;
    right += 2 * right_step;
  }
  for (; unit < units; ++unit, left += left_step, right += right_step) {
    add_unit(pairs, left, unit_at(right));
  }
  return joined(pairs);
}

template <std::size_t kCount>
inline void add_products(Ints* sums, const std::uint8_t* left, const std::uint8_t* right,
                         std::size_t item_step, std::size_t unit_step, std::size_t units) {
  for (std::size_t i = 0; i < kCount; ++i) {
    sums[i] = add(sums[i], products_of(reinterpret_cast<const std::int8_t*>(left), kLanes * kUnitBytes,
                                       right + i * item_step, unit_step, units, false));
  }
}

struct Products {
  static constexpr std::size_t kPanel = 16;
  static constexpr std::size_t kRows = 2;
  static constexpr std::size_t kActivationBytes = 1;
  static constexpr std::int32_t kActivationOffset = 128;
  static constexpr std::size_t kRoundedAtOnce = 16;
  static constexpr bool kAddsFour = false;

  static void store_activations(std::uint8_t* to, const Ints* x) {
    vst1q_u8(to, veorq_u8(to_bytes(*x), vdupq_n_u8(128)));
  }

  static void store_activations(std::uint8_t* to, Ints x, std::size_t count) {
    std::uint8_t bytes[kLanes];
    store_activations(bytes, &x);
    std::copy(bytes, bytes + count, to);
  }

  // Two rows at once, so that weights are loaded once for both.
  [[gnu::noinline]] static void multiply_two(const std::uint8_t* bytes, std::size_t stride,
                                             const std::int8_t* weights, std::size_t groups, Ints* sums) {
    int32x4_t first[kPairs];
    int32x4_t second[kPairs];
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kPairs; ++i) {
      first[i] = second[i] = vdupq_n_s32(0);
    }
    constexpr std::size_t kStepBytes = kPanel * kInputs;
    std::size_t group = 0;
    for (; group + 2 <= groups; group += 2, weights += 2 * kStepBytes, bytes += 2 * kInputs) {
      const int8x8_t a = unit_at(bytes);
      const int8x8_t b = unit_at(bytes + kInputs);
      const int8x8_t c = unit_at(bytes + stride);
      const int8x8_t d = unit_at(bytes + stride + kInputs);
#pragma GCC unroll 8
      for (std::size_t i = 0; i < kPairs; ++i) {
        const int8x8_t left = vld1_s8(weights + i * 8);
        const int8x8_t right = vld1_s8(weights + kStepBytes + i * 8);
        first[i] = vpadalq_s16(first[i], vmlal_s8(vmull_s8(left, a), right, b));
        second[i] = vpadalq_s16(second[i], vmlal_s8(vmull_s8(left, c), right, d));
      }
    }
    if (group < groups) {
      add_unit(first, weights, unit_at(bytes));
      add_unit(second, weights, unit_at(bytes + stride));
    }
    sums[0] = joined(first);
    sums[1] = joined(second);
  }

  template <std::size_t kCount>
  static void multiply_tile(const std::uint8_t* bytes, std::size_t stride, const PanelWeights& panel,
                            Ahead /*ahead*/, Ints* sums) {
    if (kCount == 2 && !panel.has_least) {
      multiply_two(bytes, stride, panel.weights, panel.groups, sums);
    } else {
      for (std::size_t row = 0; row < kCount; ++row) {
        sums[row] = products_of(panel.weights, kPanel * kInputs, bytes + row * stride, kInputs, panel.groups,
                                panel.has_least);
      }
    }
    const Ints start = times(to_ints(load(panel.sums)), kActivationOffset);
    for (std::size_t row = 0; row < kCount; ++row) {
      sums[row] = add(sums[row], start);
    }
  }
};

}  // namespace
}  // namespace linnet::kernels

#include "kernels/shared/table.h"

namespace linnet::kernels {

const Kernels& neon_kernels() noexcept {
  static constexpr Kernels kKernels = table<Products>("neon");
  return kKernels;
}

}  // namespace linnet::kernels

#endif
