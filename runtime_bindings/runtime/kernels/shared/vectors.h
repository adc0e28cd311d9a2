// What the source of a processor defines before it includes the shared kernels.
//
// A vector has kLanes float32 or int32 lanes on every processor, in as many registers as that takes:
//   Floats, Ints
//   all(x)                              the same number in each lane
//   load(from), load(from, count)       zeros behind the first `count` lanes, which are at least one
//   load(ints)                          of int32
//   store(to, x), store(to, x, count)   nothing behind the first `count` lanes
//   store_bytes(to, x)                  the lowest byte of each lane
//   first_lanes(x, count)               zeros behind the first `count` lanes
//   add, subtract, multiply, divide     of Floats; add also of Ints
//   fused(a, b, c)                      a * b + c, rounded once
//   fused_minus(a, b, c)                a * b - c, rounded once
//   minus_fused(a, b, c)                c - a * b, rounded once
//   smaller(a, b), larger(a, b), absolute(x)
//   largest_lane(x)
//   sum_of_lanes(x)                     halves are added until one lane is left: i and i + 8, i and i + 4,
//   ... to_ints(x)                          the nearest whole numbers, of two equally near the even one
//   to_ints_below(x, limit)             zero where the magnitude is not below the limit
//   to_floats(x)
//   load_bfloat16(from)                 16 numbers of 16 bits, not aligned
//   both, either, shifted_left<bits>, times(x, number)   of Ints
//   fraction(x)                         x - floor(x)
//   times_whole_power(power, x)         power * 2^floor(x); 0 where x is not at least -125
//   transpose(rows)                     16 x 16
//
// Products of 8-bit numbers are computed in units of 32 bits, which hold kGroup numbers:
//   kGroup, kUnits                      4 bytes or 2 numbers of 16 bits
//   kQueryOffset                        what is added to a query's numbers, because an instruction wants them
//                                       unsigned; the sums of keys undo it
//   kWeightOffset                       what is taken from softmax weights, because it wants them signed; the
//                                       sums of values undo it
//   to_units(x, units)                  the lanes of Ints as kLanes / kGroup units
//   add_products<count>(sums, left, right, item_step, unit_step, units)
//                                       sums[i] += products of left's units [units][kLanes] with those at
//                                       right + i * item_step + unit * unit_step, the same for all lanes
//
// Linear layers, as static members of a struct `Products`, and of a second one if the processor multiplies
// activations of 7 bits faster:
//   kPanel, kRows                       outputs and tokens that are computed at once
//   kInputs                             inputs whose weights lie together
//   kAddsFour                           four products are added in 16 bits (Packing)
//   kActivationBytes, kActivationOffset  of a rounded activation in memory: its size, and what is taken from
//                                       it because an instruction wants it signed
//   kRoundedAtOnce, store_activations   clamped to [0, 255], with the format of this processor
//   multiply_tile<count>(bytes, stride, panel, ahead, sums)
//                                       sums[row][part] of `count` rows, at most kRows, and a panel
//
// Linear layers with int4 weights, as static members of a struct `Int4Products`, which derives from Int4: the
// same, with kActivationOffset 128; kInputs is the width of a unit, and two of them share their bytes. Sums
// are Floats here: from zero, for one group after the other, fused(to_floats(products of the group), its
// scales, sum). Nibbles are unsigned and activations signed, so sixteen of their products fit in an int16.
#ifndef LINNET_RUNTIME_KERNELS_SHARED_VECTORS_H_
#define LINNET_RUNTIME_KERNELS_SHARED_VECTORS_H_

// The standard library's headers come before the processor's instructions are allowed.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/attention.h"
#include "kernels/cached_attention.h"
#include "kernels/dispatch.h"
#include "kernels/layer_norm.h"
#include "kernels/linear.h"
#include "kernels/rms_norm.h"

namespace linnet::kernels {

constexpr std::size_t kLineBytes = 64;  // of a cache line

// What is loaded into the cache while a block of tokens is computed: its share of the next panel. The weights
// of all layers together are larger than the level-2 cache; for 128 tokens of MiniLM-L6, loading them ahead
// saves a tenth of the time.
struct Ahead {
  const std::int8_t* start;
  std::size_t step;  // bytes for each group of inputs
};

// The part of a panel that products read.
struct PanelWeights {
  const std::int8_t* weights;  // PackedLinear::panel()
  std::size_t groups;
  MovedGroups moved;
  const float* sums;  // of each output's weights
  bool has_least;  // some weight of the layer is -128, whose products with -128 do not fit twice in an int16
};

// What products of int4 weights have in common.
struct Int4 {
  static constexpr bool kAddsFour = false;

  // Return what the sum of a row's products starts with in a group (RoundedRows).
  static std::int32_t start(const std::uint8_t* row, std::size_t groups, std::size_t group) {
    std::int32_t value = 0;
    std::memcpy(&value, row + groups * kInt4Group + group * sizeof value, sizeof value);
    return value;
  }
};

}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_SHARED_VECTORS_H_
