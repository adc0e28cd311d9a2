// Vectors and products in plain C++, for every processor, and as what the others are compared with.
#include "kernels/shared/vectors.h"

namespace linnet::kernels {
namespace {

struct Floats {
  float lanes[kLanes];
};
struct Ints {
  std::int32_t lanes[kLanes];
};

constexpr std::size_t kGroup = 4;
constexpr UnitFormat kUnits{kGroup, false};
constexpr std::int32_t kQueryOffset = 128;
constexpr std::int32_t kWeightOffset = 0;

template <typename To, typename Function>
inline To each(const Function& function) {
  To result{};
  for (std::size_t i = 0; i < kLanes; ++i) {
    result.lanes[i] = function(i);
  }
  return result;
}

inline Floats all(float x) {
  return each<Floats>([&](std::size_t) { return x; });
}
inline Ints all(std::int32_t x) {
  return each<Ints>([&](std::size_t) { return x; });
}
inline Floats load(const float* from, std::size_t count) {
  return each<Floats>([&](std::size_t i) { return i < count ? from[i] : 0.0F; });
}
inline Floats load(const float* from) { return load(from, kLanes); }
inline Ints load(const std::int32_t* from) {
  return each<Ints>([&](std::size_t i) { return from[i]; });
}
inline void store(float* to, const Floats& x, std::size_t count) {
  std::copy(x.lanes, x.lanes + std::min(count, kLanes), to);
}
inline void store(float* to, const Floats& x) { store(to, x, kLanes); }
inline void store(std::int32_t* to, const Ints& x) { std::copy(x.lanes, x.lanes + kLanes, to); }
inline Floats first_lanes(const Floats& x, std::size_t count) { return load(x.lanes, count); }
inline Floats add(const Floats& a, const Floats& b) {
  return each<Floats>([&](std::size_t i) { return a.lanes[i] + b.lanes[i]; });
}
inline Ints add(const Ints& a, const Ints& b) {
  return each<Ints>([&](std::size_t i) { return a.lanes[i] + b.lanes[i]; });
}
inline Floats subtract(const Floats& a, const Floats& b) {
  return each<Floats>([&](std::size_t i) { return a.lanes[i] - b.lanes[i]; });
}
inline Floats multiply(const Floats& a, const Floats& b) {
  return each<Floats>([&](std::size_t i) { return a.lanes[i] * b.lanes[i]; });
}
inline Floats divide(const Floats& a, const Floats& b) {
  return each<Floats>([&](std::size_t i) { return a.lanes[i] / b.lanes[i]; });
}
inline Floats fused(const Floats& a, const Floats& b, const Floats& c) {
  return each<Floats>([&](std::size_t i) { return std::fma(a.lanes[i], b.lanes[i], c.lanes[i]); });
}
inline Floats fused_minus(const Floats& a, const Floats& b, const Floats& c) {
  return each<Floats>([&](std::size_t i) { return std::fma(a.lanes[i], b.lanes[i], -c.lanes[i]); });
}
inline Floats minus_fused(const Floats& a, const Floats& b, const Floats& c) {
  return each<Floats>([&](std::size_t i) { return std::fma(-a.lanes[i], b.lanes[i], c.lanes[i]); });
}
inline Floats smaller(const Floats& a, const Floats& b) {
  return each<Floats>([&](std::size_t i) { return a.lanes[i] < b.lanes[i] ? a.lanes[i] : b.lanes[i]; });
}
inline Floats larger(const Floats& a, const Floats& b) {
  return each<Floats>([&](std::size_t i) { return a.lanes[i] > b.lanes[i] ? a.lanes[i] : b.lanes[i]; });
}
inline Floats absolute(const Floats& x) {
  return each<Floats>([&](std::size_t i) { return std::fabs(x.lanes[i]); });
}

inline float largest_lane(Floats x) {
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) {
      x.lanes[i] = x.lanes[i] > x.lanes[i + half] ? x.lanes[i] : x.lanes[i + half];
    }
  }
  return x.lanes[0];
}

inline float sum_of_lanes(Floats x) {
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) {
      x.lanes[i] += x.lanes[i + half];
    }
  }
  return x.lanes[0];
}

inline std::int32_t sum_of_lanes(const Ints& x) {
  std::int32_t sum = 0;
  for (const std::int32_t lane : x.lanes) {
    sum += lane;
  }
  return sum;
}

// The smallest int32 for what is no number or outside its range, as the instruction of x86 gives it; C++ does
// not define that conversion.
inline std::int32_t nearest(float x) {
  return x >= -2147483648.0F && x < 2147483648.0F ? static_cast<std::int32_t>(std::nearbyintf(x)) : INT32_MIN;
}

inline Ints to_ints(const Floats& x) {
  return each<Ints>([&](std::size_t i) { return nearest(x.lanes[i]); });
}
inline Ints to_ints_below(const Floats& x, float limit) {
  return each<Ints>([&](std::size_t i) { return std::fabs(x.lanes[i]) < limit ? nearest(x.lanes[i]) : 0; });
}
inline Floats to_floats(const Ints& x) {
  return each<Floats>([&](std::size_t i) { return static_cast<float>(x.lanes[i]); });
}
// Return the upper halves of 16 float32 numbers as these.
inline Floats load_bfloat16(const std::int8_t* from) {
  return each<Floats>([&](std::size_t i) {
    std::uint16_t upper = 0;
    std::memcpy(&upper, from + i * sizeof upper, sizeof upper);
    const std::uint32_t bits = static_cast<std::uint32_t>(upper) << 16U;
    float value = 0.0F;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  });
}
inline std::uint32_t unsigned_lane(const Ints& x, std::size_t i) {
  return static_cast<std::uint32_t>(x.lanes[i]);
}
inline Ints both(const Ints& a, const Ints& b) {
  return each<Ints>(
      [&](std::size_t i) { return static_cast<std::int32_t>(unsigned_lane(a, i) & unsigned_lane(b, i)); });
}
inline Ints either(const Ints& a, const Ints& b) {
  return each<Ints>(
      [&](std::size_t i) { return static_cast<std::int32_t>(unsigned_lane(a, i) | unsigned_lane(b, i)); });
}
template <unsigned kBits>
inline Ints shifted_left(const Ints& x) {
  return each<Ints>([&](std::size_t i) { return static_cast<std::int32_t>(unsigned_lane(x, i) << kBits); });
}
inline Ints times(const Ints& x, std::int32_t number) {
  return each<Ints>([&](std::size_t i) { return x.lanes[i] * number; });
}
inline Floats fraction(const Floats& x) {
  return each<Floats>([&](std::size_t i) { return x.lanes[i] - std::floor(x.lanes[i]); });
}
inline Floats times_whole_power(const Floats& power, const Floats& x) {
  return each<Floats>([&](std::size_t i) {
    const bool inside = x.lanes[i] >= -125.0F && x.lanes[i] < 129.0F;
    return inside ? std::ldexp(power.lanes[i], static_cast<int>(std::floor(x.lanes[i]))) : 0.0F;
  });
}

inline void transpose(Floats* rows) {
  for (std::size_t row = 0; row < kLanes; ++row) {
    for (std::size_t column = 0; column < row; ++column) {
      std::swap(rows[row].lanes[column], rows[column].lanes[row]);
    }
  }
}

inline void store_bytes(std::uint8_t* to, const Ints& x) {
  for (std::size_t i = 0; i < kLanes; ++i) {
    to[i] = static_cast<std::uint8_t>(x.lanes[i]);
  }
}
inline void to_units(const Ints& x, std::int32_t* units) {
  store_bytes(reinterpret_cast<std::uint8_t*>(units), x);
}

template <std::size_t kCount>
inline void add_products(Ints* sums, const std::uint8_t* left, const std::uint8_t* right,
                         std::size_t item_step, std::size_t unit_step, std::size_t units) {
  for (std::size_t unit = 0; unit < units; ++unit, left += kLanes * kUnitBytes, right += unit_step) {
    for (std::size_t item = 0; item < kCount; ++item) {
      for (std::size_t i = 0; i < kLanes * kUnitBytes; ++i) {
        const auto number = static_cast<std::int8_t>(right[item * item_step + i % kUnitBytes]);
        sums[item].lanes[i / kUnitBytes] += left[i] * number;
      }
    }
  }
}

// How products read rounded activations: as bytes from which kOffset is taken, 0 or 128 (vectors.h).
template <std::int32_t kOffset>
struct ActivationsInBytes {
  static constexpr std::size_t kActivationBytes = 1;
  static constexpr std::int32_t kActivationOffset = kOffset;
  static constexpr std::size_t kRoundedAtOnce = 16;

  static void store_activations(std::uint8_t* to, const Ints& x, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      to[i] = static_cast<std::uint8_t>(std::clamp(x.lanes[i], 0, 255) - kOffset);
    }
  }

  static void store_activations(std::uint8_t* to, const Ints* x) { store_activations(to, *x, kLanes); }
};

struct Products : ActivationsInBytes<0> {
  static constexpr std::size_t kPanel = 16;
  static constexpr std::size_t kInputs = 4;
  static constexpr std::size_t kRows = 4;
  static constexpr bool kAddsFour = false;

  template <std::size_t kCount>
  static void multiply_tile(const std::uint8_t* bytes, std::size_t stride, const PanelWeights& panel,
                            Ahead /*ahead*/, Ints* sums) {
    for (std::size_t row = 0; row < kCount; ++row) {
      sums[row] = all(0);
      for (std::size_t group = 0; group < panel.groups; ++group) {
        for (std::size_t i = 0; i < kPanel * kInputs; ++i) {
          const std::uint8_t number = bytes[row * stride + group * kInputs + i % kInputs];
          sums[row].lanes[i / kInputs] += number * panel.weights[group * kPanel * kInputs + i];
        }
      }
    }
  }
};

struct Int4Products : ActivationsInBytes<kInt4ActivationOffset>, Int4 {
  static constexpr std::size_t kPanel = 16;
  static constexpr std::size_t kInputs = 4;
  static constexpr std::size_t kRows = 4;

  // Return the sums of the products of one group.
  static Ints products_of(const std::int8_t* weights, const std::uint8_t* tokens, std::int32_t start) {
    Ints sums = all(start);
    for (std::size_t i = 0; i < kPanel * kInt4WeightBytes; ++i) {
      const std::size_t at = i / (kPanel * kInputs) * 2 * kInputs + i % kInputs;
      const unsigned two = static_cast<std::uint8_t>(weights[i]);
      std::int32_t& sum = sums.lanes[i / kInputs % kPanel];
      sum += static_cast<std::int32_t>(two & 15U) * static_cast<std::int8_t>(tokens[at]);
      sum += static_cast<std::int32_t>(two >> 4U) * static_cast<std::int8_t>(tokens[at + kInputs]);
    }
    return sums;
  }

  template <std::size_t kCount>
  static void multiply_tile(const std::uint8_t* bytes, std::size_t stride, const PanelWeights& panel,
                            Ahead /*ahead*/, Floats* values) {
    for (std::size_t row = 0; row < kCount; ++row, bytes += stride) {
      values[row] = all(0.0F);
      const std::int8_t* weights = panel.weights;
      for (std::size_t group = 0; group < panel.groups; ++group, weights += kPanel * kInt4GroupBytes) {
        const Ints sums = products_of(weights, bytes + group * kInt4Group, start(bytes, panel.groups, group));
        const Floats scales = load_bfloat16(weights + kPanel * kInt4WeightBytes);
        values[row] = fused(to_floats(sums), scales, values[row]);
      }
    }
  }
};

}  // namespace
}  // namespace linnet::kernels

#include "kernels/shared/table.h"

namespace linnet::kernels {

const Kernels& portable_kernels() noexcept {
  static constexpr Kernels kKernels = table<Products, Int4Products, PlainCacheProducts>("portable");
  return kKernels;
}

}  // namespace linnet::kernels
