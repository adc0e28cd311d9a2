// Vectors of NEON, for the sources of the processors of ARM.
#ifndef LINNET_RUNTIME_KERNELS_PROCESSORS_NEON_H_
#define LINNET_RUNTIME_KERNELS_PROCESSORS_NEON_H_

#include <arm_neon.h>

#include "kernels/shared/vectors.h"

namespace linnet::kernels {
namespace {

struct Floats {
  float32x4_t a;
  float32x4_t b;
  float32x4_t c;
  float32x4_t d;
};
struct Ints {
  int32x4_t a;
  int32x4_t b;
  int32x4_t c;
  int32x4_t d;
};

constexpr std::size_t kQuarter = 4;  // lanes of a register

template <typename Function>
inline Floats each(Floats x, const Function& function) {
  return {function(x.a), function(x.b), function(x.c), function(x.d)};
}
template <typename Function>
inline Floats each(Floats x, Floats y, const Function& function) {
  return {function(x.a, y.a), function(x.b, y.b), function(x.c, y.c), function(x.d, y.d)};
}
template <typename Function>
inline Floats each(Floats x, Floats y, Floats z, const Function& function) {
  return {function(x.a, y.a, z.a), function(x.b, y.b, z.b), function(x.c, y.c, z.c), function(x.d, y.d, z.d)};
}
template <typename Function>
inline Ints each(Ints x, const Function& function) {
  return {function(x.a), function(x.b), function(x.c), function(x.d)};
}
template <typename Function>
inline Ints each(Ints x, Ints y, const Function& function) {
  return {function(x.a, y.a), function(x.b, y.b), function(x.c, y.c), function(x.d, y.d)};
}

inline Floats all(float x) {
  const float32x4_t one = vdupq_n_f32(x);
  return {one, one, one, one};
}
inline Ints all(std::int32_t x) {
  const int32x4_t one = vdupq_n_s32(x);
  return {one, one, one, one};
}
inline Floats load(const float* from) {
  return {vld1q_f32(from), vld1q_f32(from + 4), vld1q_f32(from + 8), vld1q_f32(from + 12)};
}
inline Floats load(const float* from, std::size_t count) {
  if (count >= kLanes) {
    return load(from);
  }
  float some[kLanes] = {};
  std::copy(from, from + count, some);
  return load(some);
}
inline void store(float* to, Floats x) {
  vst1q_f32(to, x.a);
  vst1q_f32(to + 4, x.b);
  vst1q_f32(to + 8, x.c);
  vst1q_f32(to + 12, x.d);
}
inline void store(float* to, Floats x, std::size_t count) {
  if (count >= kLanes) {
    store(to, x);
    return;
  }
  float some[kLanes];
  store(some, x);
  std::copy(some, some + count, to);
}
inline void store(std::int32_t* to, Ints x) {
  vst1q_s32(to, x.a);
  vst1q_s32(to + 4, x.b);
  vst1q_s32(to + 8, x.c);
  vst1q_s32(to + 12, x.d);
}
inline Ints load(const std::int32_t* from) {
  return {vld1q_s32(from), vld1q_s32(from + 4), vld1q_s32(from + 8), vld1q_s32(from + 12)};
}
inline Floats first_lanes(Floats x, std::size_t count) {
  if (count >= kLanes) {
    return x;
  }
  float some[kLanes];
  store(some, x);
  return load(some, count);
}

inline Floats add(Floats a, Floats b) {
  return each(a, b, [](float32x4_t x, float32x4_t y) { return vaddq_f32(x, y); });
}
inline Ints add(Ints a, Ints b) {
  return each(a, b, [](int32x4_t x, int32x4_t y) { return vaddq_s32(x, y); });
}
inline Floats subtract(Floats a, Floats b) {
  return each(a, b, [](float32x4_t x, float32x4_t y) { return vsubq_f32(x, y); });
}
inline Floats multiply(Floats a, Floats b) {
  return each(a, b, [](float32x4_t x, float32x4_t y) { return vmulq_f32(x, y); });
}
inline Floats divide(Floats a, Floats b) {
  return each(a, b, [](float32x4_t x, float32x4_t y) { return vdivq_f32(x, y); });
}
inline Floats fused(Floats a, Floats b, Floats c) {
  return each(a, b, c, [](float32x4_t x, float32x4_t y, float32x4_t z) { return vfmaq_f32(z, x, y); });
}
inline Floats fused_minus(Floats a, Floats b, Floats c) {
  return each(a, b, c,
              [](float32x4_t x, float32x4_t y, float32x4_t z) { return vfmaq_f32(vnegq_f32(z), x, y); });
}
inline Floats minus_fused(Floats a, Floats b, Floats c) {
  return each(a, b, c, [](float32x4_t x, float32x4_t y, float32x4_t z) { return vfmsq_f32(z, x, y); });
}
inline Floats smaller(Floats a, Floats b) {
  return each(a, b, [](float32x4_t x, float32x4_t y) { return vminq_f32(x, y); });
}
inline Floats larger(Floats a, Floats b) {
  return each(a, b, [](float32x4_t x, float32x4_t y) { return vmaxq_f32(x, y); });
}
inline Floats absolute(Floats x) {
  return each(x, [](float32x4_t one) { return vabsq_f32(one); });
}

inline float largest_lane(Floats x) {
  return vmaxvq_f32(vmaxq_f32(vmaxq_f32(x.a, x.c), vmaxq_f32(x.b, x.d)));
}
inline float sum_of_lanes(Floats x) {
  const float32x4_t four = vaddq_f32(vaddq_f32(x.a, x.c), vaddq_f32(x.b, x.d));
  return vpadds_f32(vadd_f32(vget_low_f32(four), vget_high_f32(four)));
}
inline std::int32_t sum_of_lanes(Ints x) {
  return vaddvq_s32(vaddq_s32(vaddq_s32(x.a, x.b), vaddq_s32(x.c, x.d)));
}

inline Ints to_ints(Floats x) {
  return {vcvtnq_s32_f32(x.a), vcvtnq_s32_f32(x.b), vcvtnq_s32_f32(x.c), vcvtnq_s32_f32(x.d)};
}
inline Ints to_ints_below(Floats x, float limit) {
  const float32x4_t most = vdupq_n_f32(limit);
  return to_ints(each(x, [most](float32x4_t one) {
    const uint32x4_t kept = vcltq_f32(vabsq_f32(one), most);
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(one), kept));
  }));
}
inline Floats to_floats(Ints x) {
  return {vcvtq_f32_s32(x.a), vcvtq_f32_s32(x.b), vcvtq_f32_s32(x.c), vcvtq_f32_s32(x.d)};
}
// Return the upper halves of 16 float32 numbers as these.
inline Floats load_bfloat16(const std::int8_t* from) {
  const auto* halves = reinterpret_cast<const std::uint16_t*>(from);
  const uint16x8_t low = vld1q_u16(halves);
  const uint16x8_t high = vld1q_u16(halves + 8);
  return {vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(low), 16)),
          vreinterpretq_f32_u32(vshll_high_n_u16(low, 16)),
          vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(high), 16)),
          vreinterpretq_f32_u32(vshll_high_n_u16(high, 16))};
}
inline Ints both(Ints a, Ints b) {
  return each(a, b, [](int32x4_t x, int32x4_t y) { return vandq_s32(x, y); });
}
inline Ints either(Ints a, Ints b) {
  return each(a, b, [](int32x4_t x, int32x4_t y) { return vorrq_s32(x, y); });
}
template <unsigned kBits>
inline Ints shifted_left(Ints x) {
  return each(x, [](int32x4_t one) { return vshlq_n_s32(one, kBits); });
}
inline Ints times(Ints x, std::int32_t number) {
  return each(x, [number](int32x4_t one) { return vmulq_n_s32(one, number); });
}
inline Floats fraction(Floats x) {
  return each(x, [](float32x4_t one) { return vsubq_f32(one, vrndmq_f32(one)); });
}

// Adds to the exponent's bits.
inline Floats times_whole_power(Floats power, Floats x) {
  return each(power, x, [](float32x4_t scale, float32x4_t one) {
    const uint32x4_t inside = vcgeq_f32(one, vdupq_n_f32(-125.0F));
    const float32x4_t kept = vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(one), inside));
    const int32x4_t whole = vcvtq_s32_f32(vrndmq_f32(kept));
    const int32x4_t bits = vaddq_s32(vreinterpretq_s32_f32(scale), vshlq_n_s32(whole, 23));
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_s32(bits), inside));
  });
}

struct Block {
  float32x4_t rows[4];
};

inline Block transposed(float32x4_t a, float32x4_t b, float32x4_t c, float32x4_t d) {
  const float64x2_t low_even = vreinterpretq_f64_f32(vtrn1q_f32(a, b));
  const float64x2_t low_odd = vreinterpretq_f64_f32(vtrn2q_f32(a, b));
  const float64x2_t high_even = vreinterpretq_f64_f32(vtrn1q_f32(c, d));
  const float64x2_t high_odd = vreinterpretq_f64_f32(vtrn2q_f32(c, d));
  return {{vreinterpretq_f32_f64(vtrn1q_f64(low_even, high_even)),
           vreinterpretq_f32_f64(vtrn1q_f64(low_odd, high_odd)),
           vreinterpretq_f32_f64(vtrn2q_f64(low_even, high_even)),
           vreinterpretq_f32_f64(vtrn2q_f64(low_odd, high_odd))}};
}

inline void transpose(Floats* rows) {
  Floats out[kLanes];
  for (std::size_t i = 0; i < kLanes; i += kQuarter) {
    const Floats* from = rows + i;
    const Block parts[4] = {transposed(from[0].a, from[1].a, from[2].a, from[3].a),
                            transposed(from[0].b, from[1].b, from[2].b, from[3].b),
                            transposed(from[0].c, from[1].c, from[2].c, from[3].c),
                            transposed(from[0].d, from[1].d, from[2].d, from[3].d)};
    for (std::size_t row = 0; row < kLanes; ++row) {
      float32x4_t* to = &out[row].a;
      to[i / kQuarter] = parts[row / kQuarter].rows[row % kQuarter];
    }
  }
  std::copy(out, out + kLanes, rows);
}

inline void store_bytes(std::uint8_t* to, Ints x) {
  const int16x8_t low = vcombine_s16(vmovn_s32(x.a), vmovn_s32(x.b));
  const int16x8_t high = vcombine_s16(vmovn_s32(x.c), vmovn_s32(x.d));
  vst1q_s8(reinterpret_cast<std::int8_t*>(to), vcombine_s8(vmovn_s16(low), vmovn_s16(high)));
}
inline void to_units(Ints x, std::int32_t* units) { store_bytes(reinterpret_cast<std::uint8_t*>(units), x); }

// Return the lanes clamped to [0, 255].
inline uint8x16_t to_bytes(Ints x) {
  const uint16x8_t low = vcombine_u16(vqmovun_s32(x.a), vqmovun_s32(x.b));
  const uint16x8_t high = vcombine_u16(vqmovun_s32(x.c), vqmovun_s32(x.d));
  return vcombine_u8(vqmovn_u16(low), vqmovn_u16(high));
}

// How products read rounded activations: as bytes from which kOffset is taken, 0 or 128 (vectors.h).
template <std::int32_t kOffset>
struct ActivationsInBytes {
  static constexpr std::size_t kActivationBytes = 1;
  static constexpr std::int32_t kActivationOffset = kOffset;
  static constexpr std::size_t kRoundedAtOnce = 16;

  static void store_activations(std::uint8_t* to, const Ints* x) {
    const uint8x16_t bytes = to_bytes(*x);
    vst1q_u8(to, kOffset == 0 ? bytes : veorq_u8(bytes, vdupq_n_u8(kOffset)));
  }

  static void store_activations(std::uint8_t* to, Ints x, std::size_t count) {
    std::uint8_t bytes[kLanes];
    store_activations(bytes, &x);
    std::copy(bytes, bytes + count, to);
  }
};

// The lower and the upper nibbles of bytes.
struct Nibbles {
  int8x16_t low;
  int8x16_t high;
};

inline Nibbles load_nibbles(const std::int8_t* from) {
  const uint8x16_t bytes = vreinterpretq_u8_s8(vld1q_s8(from));
  return {vreinterpretq_s8_u8(vandq_u8(bytes, vdupq_n_u8(15))), vreinterpretq_s8_u8(vshrq_n_u8(bytes, 4))};
}

// Return the four bytes at `from`, four times.
inline int8x16_t broadcast_unit(const std::uint8_t* from) {
  std::int32_t unit = 0;
  std::memcpy(&unit, from, sizeof unit);
  return vreinterpretq_s8_s32(vdupq_n_s32(unit));
}

}  // namespace
}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_PROCESSORS_NEON_H_
