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

// Add the products of 16 bytes, and of the 16 next ones, to the partial sums of the lower and the upper half.
// Assembly, because GCC otherwise writes sums to memory for want of registers.
inline void add_halves(int32x4_t& low, int32x4_t& high, int8x16_t left, int8x16_t right, int8x16_t next_left,
                       int8x16_t next_right) {
  int16x8_t lower;
  int16x8_t upper;
  asm("smull %2.8h, %4.8b, %5.8b\n\tsmull2 %3.8h, %4.16b, %5.16b\n\t"
      "smlal %2.8h, %6.8b, %7.8b\n\tsmlal2 %3.8h, %6.16b, %7.16b\n\t"
      "sadalp %0.4s, %2.8h\n\tsadalp %1.4s, %3.8h"
      : "+w"(low), "+w"(high), "=&w"(lower), "=&w"(upper)
      : "w"(left), "w"(right), "w"(next_left), "w"(next_right));
}

// Add the products of a unit of each lane with one unit.
inline void add_unit(int32x4_t* pairs, const std::int8_t* left, int8x16_t right) {
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kPairs; ++i) {
    pairs[i] = vpadalq_s16(pairs[i], vmull_s8(vld1_s8(left + i * 8), vget_low_s8(right)));
  }
}

constexpr std::size_t kLeftBytes = kLanes * 4;  // of a unit of all lanes

// Return the sums of the products of `units` units of all lanes with those of one item.
[[gnu::noinline]] inline Ints products_of(const std::int8_t* left, const std::uint8_t* right,
                                          std::size_t step, std::size_t units) {
  int32x4_t pairs[kPairs];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kPairs; ++i) {
    pairs[i] = vdupq_n_s32(0);
  }
  for (std::size_t unit = 0; unit < units; ++unit, left += kLeftBytes, right += step) {
    add_unit(pairs, left, broadcast_unit(right));
  }
  return joined(pairs);
}

// Return the same of two items, so that the lanes are loaded once for both. No product of -128 and -128 may
// be among them.
[[gnu::noinline]] inline void products_of_two(const std::int8_t* left, const std::uint8_t* right,
                                              std::size_t item_step, std::size_t step, std::size_t units,
                                              Ints* sums) {
  int32x4_t first[kPairs];
  int32x4_t second[kPairs];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kPairs; ++i) {
    first[i] = second[i] = vdupq_n_s32(0);
  }
  std::size_t unit = 0;
  for (; unit + 2 <= units; unit += 2, left += 2 * kLeftBytes, right += 2 * step) {
    const int8x16_t a = broadcast_unit(right);
    const int8x16_t b = broadcast_unit(right + step);
    const int8x16_t c = broadcast_unit(right + item_step);
    const int8x16_t d = broadcast_unit(right + item_step + step);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kPairs; i += 2) {
      const int8x16_t now = vld1q_s8(left + i * 8);
      const int8x16_t next = vld1q_s8(left + kLeftBytes + i * 8);
      add_halves(first[i], first[i + 1], now, a, next, b);
      add_halves(second[i], second[i + 1], now, c, next, d);
    }
  }
  if (unit < units) {
    add_unit(first, left, broadcast_unit(right));
    add_unit(second, left, broadcast_unit(right + item_step));
  }
  sums[0] = joined(first);
  sums[1] = joined(second);
}

template <std::size_t kCount>
inline void add_products(Ints* sums, const std::uint8_t* left, const std::uint8_t* right,
                         std::size_t item_step, std::size_t unit_step, std::size_t units) {
  static_assert(kCount % 2 == 0);
  for (std::size_t i = 0; i < kCount; i += 2) {
    Ints two[2];
    products_of_two(reinterpret_cast<const std::int8_t*>(left), right + i * item_step, item_step, unit_step,
                    units, two);
    sums[i] = add(sums[i], two[0]);
    sums[i + 1] = add(sums[i + 1], two[1]);
  }
}

struct Products : ActivationsInBytes<128> {
  static constexpr std::size_t kPanel = 16;
  static constexpr std::size_t kInputs = 4;
  static constexpr std::size_t kRows = 2;
  static constexpr bool kAddsFour = false;

  template <std::size_t kCount>
  static void multiply_tile(const std::uint8_t* bytes, std::size_t stride, const PanelWeights& panel,
                            Ahead /*ahead*/, Ints* sums) {
    if (kCount == 2 && !panel.has_least) {
      products_of_two(panel.weights, bytes, stride, kInputs, panel.groups, sums);
    } else {
      for (std::size_t row = 0; row < kCount; ++row) {
        sums[row] = products_of(panel.weights, bytes + row * stride, kInputs, panel.groups);
      }
    }
    const Ints start = times(to_ints(load(panel.sums)), kActivationOffset);
    for (std::size_t row = 0; row < kCount; ++row) {
      sums[row] = add(sums[row], start);
    }
  }
};

// Products are added in 16 bits, where the sums of a group fit, and widened once.
struct Int4Products : ActivationsInBytes<kInt4ActivationOffset>, Int4 {
  static constexpr std::size_t kPanel = 16;
  static constexpr std::size_t kInputs = 4;
  static constexpr std::size_t kRows = 2;

  // Add the products of 16 bytes, four outputs of a unit. Assembly for the same reason as in add_halves().
  static void add_four(int16x8_t* sums, int8x16_t weights, int8x16_t unit) {
    asm volatile("smlal %0.8h, %2.8b, %3.8b\n\tsmlal2 %1.8h, %2.16b, %3.16b"
                 : "+w"(sums[0]), "+w"(sums[1])
                 : "w"(weights), "w"(unit));
  }

  template <std::size_t kCount>
  [[gnu::noinline]] static void multiply_tile(const std::uint8_t* bytes, std::size_t stride,
                                              const PanelWeights& panel, Ahead /*ahead*/, Floats* values) {
    for (std::size_t row = 0; row < kCount; ++row) {
      values[row] = all(0.0F);
    }
    const std::int8_t* weights = panel.weights;
    for (std::size_t group = 0; group < panel.groups; ++group, weights += kPanel * kInt4GroupBytes) {
      int16x8_t sums[kCount][kPairs];
#pragma GCC unroll 2
      for (std::size_t row = 0; row < kCount; ++row) {
#pragma GCC unroll 8
        for (std::size_t i = 0; i < kPairs; ++i) {
          sums[row][i] = vdupq_n_s16(0);
        }
      }
      const std::uint8_t* tokens = bytes + group * kInt4Group;
      for (std::size_t pair = 0; pair < kInt4Group / kInputs / 2; ++pair, tokens += 2 * kInputs) {
        int8x16_t first[kCount];
        int8x16_t second[kCount];
#pragma GCC unroll 2
        for (std::size_t row = 0; row < kCount; ++row) {
          first[row] = broadcast_unit(tokens + row * stride);
          second[row] = broadcast_unit(tokens + row * stride + kInputs);
        }
#pragma GCC unroll 4
        for (std::size_t i = 0; i < kPairs; i += 2) {
          const Nibbles four = load_nibbles(weights + (pair * kPanel + i * 2) * kInputs);
#pragma GCC unroll 2
          for (std::size_t row = 0; row < kCount; ++row) {
            add_four(sums[row] + i, four.low, first[row]);
            add_four(sums[row] + i, four.high, second[row]);
          }
        }
      }
      const Floats scales = load_bfloat16(weights + kPanel * kInt4WeightBytes);
#pragma GCC unroll 2
      for (std::size_t row = 0; row < kCount; ++row) {
        int32x4_t pairs[kPairs];
#pragma GCC unroll 8
        for (std::size_t i = 0; i < kPairs; ++i) {
          pairs[i] = vpaddlq_s16(sums[row][i]);
        }
        const Ints whole = add(joined(pairs), all(start(bytes + row * stride, panel.groups, group)));
        values[row] = fused(to_floats(whole), scales, values[row]);
      }
    }
  }
};

}  // namespace
}  // namespace linnet::kernels

#include "kernels/shared/table.h"

namespace linnet::kernels {

const Kernels& neon_kernels() noexcept {
  static constexpr Kernels kKernels = table<Products, Int4Products, PlainCacheProducts>("neon");
  return kKernels;
}

}  // namespace linnet::kernels

#endif
