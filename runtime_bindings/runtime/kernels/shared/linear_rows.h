// Rounding of activations, and blocking and tails of linear layers, for the vectors of the processor whose
// source includes this, and for its products (vectors.h).
//
// Everything here has internal linkage: each processor's source compiles its own copy for its instructions.
// Float operations and their order are the same for all, so that answers are the same to the last bit.
#ifndef LINNET_RUNTIME_KERNELS_SHARED_LINEAR_ROWS_H_
#define LINNET_RUNTIME_KERNELS_SHARED_LINEAR_ROWS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/linear.h"
#include "kernels/shared/power_of_two.h"

namespace linnet::kernels {
namespace {

// The largest value of a row and zero, and the largest of its negated values and zero.
struct Range {
  float largest;
  float minus_least;
};

inline Range range_of(const float* row, std::size_t inputs) {
  constexpr std::size_t kAtOnce = 4;  // independent vectors, because a single one would wait for itself
  Floats least[kAtOnce];
  Floats largest[kAtOnce];
  for (std::size_t i = 0; i < kAtOnce; ++i) {
    least[i] = largest[i] = all(0.0F);
  }
  std::size_t at = 0;
  for (; at + kAtOnce * kLanes <= inputs; at += kAtOnce * kLanes) {
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      const Floats part = load(row + at + i * kLanes);
      least[i] = smaller(least[i], part);
      largest[i] = larger(largest[i], part);
    }
  }
  for (; at < inputs; at += kLanes) {
    const Floats part = load(row + at, inputs - at);
    least[0] = smaller(least[0], part);
    largest[0] = larger(largest[0], part);
  }
  for (std::size_t i = 0; i < kAtOnce; i += 2) {
    least[i] = smaller(least[i], least[i + 1]);
    largest[i] = larger(largest[i], largest[i + 1]);
  }
  return {largest_lane(larger(largest[0], largest[2])),
          largest_lane(subtract(all(0.0F), smaller(least[0], least[2])))};
}

// Return the nearest whole numbers; below 8 bits they are at most the largest one, and products clamp the
// others when they store them.
template <int kBits>
inline Ints rounded(Floats x, Floats factor, Floats zero) {
  const Floats number = fused(x, factor, zero);
  return to_ints(kBits == 8 ? number : smaller(all(steps_of(kBits)), number));
}

template <typename Products, int kBits>
inline void round_row(const float* row, std::size_t inputs, float scale, float row_zero,
                      std::uint8_t* bytes) {
  constexpr std::size_t kAtOnce = Products::kRoundedAtOnce;
  const Floats factor = all(1.0F / scale);
  const Floats zero = all(row_zero);
  std::size_t i = 0;
  for (; i + kAtOnce <= inputs; i += kAtOnce) {
    Ints whole[kAtOnce / kLanes];
    for (std::size_t part = 0; part < kAtOnce / kLanes; ++part) {
      whole[part] = rounded<kBits>(load(row + i + part * kLanes), factor, zero);
    }
    Products::store_activations(bytes + i * Products::kActivationBytes, whole);
  }
  for (; i < inputs; i += kLanes) {
    const std::size_t count = std::min(kLanes, inputs - i);
    Products::store_activations(bytes + i * Products::kActivationBytes,
                                rounded<kBits>(load(row + i, count), factor, zero), count);
  }
}

// Choose the scales and zero points of `count` rows, at most kLanes, at once: a single row would wait for its
// divisions.
template <int kBits>
inline void choose_steps(const float* x, std::size_t inputs, std::size_t first, std::size_t count,
                         const RoundedRows& out) {
  alignas(64) float largest[kLanes] = {};
  alignas(64) float minus_least[kLanes] = {};
  for (std::size_t i = 0; i < count; ++i) {
    const Range range = range_of(x + (first + i) * inputs, inputs);
    largest[i] = range.largest;
    minus_least[i] = range.minus_least;
  }
  const Floats steps = all(steps_of(kBits));
  const Floats below = load(minus_least);
  const Floats scale = larger(divide(add(load(largest), below), steps), all(kSmallestScale));
  const Floats zero = to_floats(to_ints(smaller(divide(below, scale), steps)));
  store(out.scales + first, scale, count);
  store(out.zeros + first, zero, count);
}

template <typename Products>
constexpr bool kIsInt4 = std::is_base_of_v<Int4, Products>;

// Write what the sums of a row with int4 weights start with, behind its numbers.
inline void write_starts(std::uint8_t* row, std::size_t inputs) {
  const std::size_t groups = inputs / kInt4Group;
  for (std::size_t group = 0; group < groups; ++group) {
    const std::uint8_t* from = row + group * kInt4Group;
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < kInt4Group; ++i) {
      sum += static_cast<std::int8_t>(from[i]);
    }
    sum *= -kInt4Offset;
    std::memcpy(row + inputs + group * sizeof sum, &sum, sizeof sum);
  }
}

template <typename Products, int kBits>
inline void round_rows(const float* x, std::size_t inputs, std::size_t first, std::size_t last,
                       const RoundedRows& out) {
  for (std::size_t start = first; start < last; start += kLanes) {
    const std::size_t end = std::min(start + kLanes, last);
    choose_steps<kBits>(x, inputs, start, end - start, out);
    for (std::size_t row = start; row < end; ++row) {
      std::uint8_t* bytes = out.bytes + row * out.stride;
      round_row<Products, kBits>(x + row * inputs, inputs, out.scales[row], out.zeros[row], bytes);
      if constexpr (kIsInt4<Products>) {
        write_starts(bytes, inputs);
      } else {
        std::fill(bytes + inputs * Products::kActivationBytes, bytes + out.stride, std::uint8_t{0});
      }
    }
  }
}

// Return GELU(x) = x times the normal distribution function of x (https://arxiv.org/abs/1606.08415). On
// [-4.6, 4.6] that function minus one half is approximated by x times a minimax polynomial of x^2. The error
// of the result is below 6e-5; the next layer rounds it to 8 bits anyway.
inline Floats gelu(Floats x) {
  constexpr float kEnd = 4.6F;
  constexpr float kTerms[] = {1.485386813548928e-10F, -8.328022715886618e-09F, 2.7643739031191217e-07F,
                              -6.10328470429522e-06F, 9.571122791385278e-05F,  -0.0011119975242763758F,
                              0.009803557768464088F,  -0.06629715859889984F,   0.3988654911518097F};
  const Floats near = larger(smaller(x, all(kEnd)), all(-kEnd));
  const Floats square = multiply(near, near);
  Floats sum = all(-1.1807856125159444e-12F);
  for (const float term : kTerms) {
    sum = fused(sum, square, all(term));
  }
  return multiply(x, fused(near, sum, all(0.5F)));
}

// Return x times the logistic function of z. Beyond 2^64 the function is as good as 0.
inline Floats times_logistic(Floats x, Floats z) {
  const Floats power = power_of_two(smaller(multiply(z, all(-kLog2E)), all(64.0F)));
  return divide(x, add(all(1.0F), power));
}

// Return 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), the approximation of the GELU paper (section 2);
// the bracket is a logistic function.
inline Floats gelu_tanh(Floats x) {
  constexpr float kTwice = 1.59576912F;  // 2 sqrt(2 / pi)
  const Floats factor = fused(multiply(x, x), all(0.044715F * kTwice), all(kTwice));
  return times_logistic(x, multiply(x, factor));
}

template <Tail kTail>
inline Floats finished(Floats value) {
  if constexpr (kTail == Tail::kGelu) {
    return gelu(value);
  }
  if constexpr (kTail == Tail::kGeluTanh) {
    return gelu_tanh(value);
  }
  if constexpr (kTail == Tail::kSilu) {
    return times_logistic(value, value);
  }
  return kTail == Tail::kRelu ? larger(value, all(0.0F)) : value;
}

// A panel of outputs with its numbers, borrowed from the layer.
struct Panel {
  PanelWeights products;
  const float* scales;
  const float* biases;
  const float* residual_scales;
  const float* residual;  // of the first output of the panel
  std::size_t outputs;    // of the layer
  std::size_t width;      // outputs of the panel that are there
};

// The type of a processor's sums of products.
template <bool kInt4>
struct SumOf {
  using Type = Ints;
};
template <>
struct SumOf<true> {
  using Type = Floats;
};
inline Floats value_of(Ints sum) { return to_floats(sum); }
inline Floats value_of(Floats sum) { return sum; }

template <typename Products, std::size_t kCount, Tail kTail>
inline void multiply_rows(const Panel& panel, const RoundedRows& rows, std::size_t first, Ahead ahead,
                          float* out) {
  constexpr std::size_t kParts = Products::kPanel / kLanes;  // vectors of a panel
  typename SumOf<kIsInt4<Products>>::Type sums[kCount * kParts];
  Products::template multiply_tile<kCount>(rows.bytes + first * rows.stride, rows.stride, panel.products,
                                           ahead, sums);
  // copies, because the compiler cannot know that `out` does not overlap their memory, and would load them
  // again
  Floats minus[kParts];
  Floats scales[kParts];
  Floats biases[kParts];
  std::size_t widths[kParts];
  for (std::size_t part = 0; part < kParts; ++part) {
    minus[part] = load(panel.products.sums + part * kLanes);
    scales[part] = load(panel.scales + part * kLanes);
    biases[part] = load(panel.biases + part * kLanes);
    widths[part] = std::min(kLanes, panel.width - std::min(panel.width, part * kLanes));
  }
  const float* row_scales = rows.scales + first;
  const float* row_zeros = rows.zeros + first;
  const std::size_t stride = panel.outputs;
  out += first * stride;
#pragma GCC unroll 8
  for (std::size_t row = 0; row < kCount; ++row, out += stride) {
    const Floats zero = all(kIsInt4<Products> ? row_zeros[row] - kInt4ActivationOffset : row_zeros[row]);
    const Floats scale = all(row_scales[row]);
#pragma GCC unroll 2
    for (std::size_t part = 0; part < kParts; ++part) {
      if (part > 0 && widths[part] == 0) {
        continue;  // a load with an empty mask from an address that is not mapped costs hundreds of cycles
      }
      const Floats sum = minus_fused(zero, minus[part], value_of(sums[row * kParts + part]));
      Floats value = fused(sum, multiply(scale, scales[part]), biases[part]);
      if constexpr (kTail == Tail::kResidual) {
        const float* other = panel.residual + (first + row) * stride + part * kLanes;
        value = fused(load(other, widths[part]), load(panel.residual_scales + part * kLanes), value);
      }
      store(out + part * kLanes, finished<kTail>(value), widths[part]);
    }
  }
}

using MultiplyRows = void (*)(const Panel&, const RoundedRows&, std::size_t, Ahead, float*);

template <typename Products, Tail kTail>
inline MultiplyRows rows_kernel(std::size_t count) {
  constexpr std::size_t kRows = Products::kRows;
  static_assert(kRows <= 8, "the table below has a function for each number of rows up to 8");
  static constexpr MultiplyRows kKernels[] = {multiply_rows<Products, 1, kTail>,
                                              multiply_rows<Products, std::min<std::size_t>(kRows, 2), kTail>,
                                              multiply_rows<Products, std::min<std::size_t>(kRows, 3), kTail>,
                                              multiply_rows<Products, std::min<std::size_t>(kRows, 4), kTail>,
                                              multiply_rows<Products, std::min<std::size_t>(kRows, 5), kTail>,
                                              multiply_rows<Products, std::min<std::size_t>(kRows, 6), kTail>,
                                              multiply_rows<Products, std::min<std::size_t>(kRows, 7), kTail>,
                                              multiply_rows<Products, kRows, kTail>};
  return kKernels[count - 1];
}

template <typename Products>
inline MultiplyRows rows_kernel(Tail tail, std::size_t count) {
  switch (tail) {
    case Tail::kGelu:
      return rows_kernel<Products, Tail::kGelu>(count);
    case Tail::kRelu:
      return rows_kernel<Products, Tail::kRelu>(count);
    case Tail::kResidual:
      return rows_kernel<Products, Tail::kResidual>(count);
    case Tail::kGeluTanh:
      return rows_kernel<Products, Tail::kGeluTanh>(count);
    case Tail::kSilu:
      return rows_kernel<Products, Tail::kSilu>(count);
    case Tail::kNone:
      break;
  }
  return rows_kernel<Products, Tail::kNone>(count);
}

template <typename Products>
constexpr Packing packing_of() noexcept {
  return {Products::kPanel, Products::kInputs, Products::kAddsFour, kIsInt4<Products>};
}

template <typename Products>
inline void multiply_panels(const PackedLinear& layer, Tail tail, const RoundedRows& rows, std::size_t count,
                            const float* residual, std::size_t first, std::size_t last, float* out) {
  constexpr std::size_t kPanel = Products::kPanel;
  constexpr std::size_t kRows = Products::kRows;
  constexpr std::size_t kGroupBytes = packing_of<Products>().group_bytes();
  const std::size_t size = layer.groups() * kGroupBytes;
  const MultiplyRows whole = rows_kernel<Products>(tail, kRows);
  const MultiplyRows last_rows = rows_kernel<Products>(tail, count % kRows == 0 ? kRows : count % kRows);
  for (std::size_t number = first; number < last; ++number) {
    const Panel panel{
        {layer.panel(number), layer.groups(), layer.moved(number), layer.sums(number), layer.has_least()},
        layer.scales(number),
        layer.biases(number),
        layer.residual_scales(number),
        residual == nullptr ? nullptr : residual + number * kPanel,
        layer.outputs(),
        std::min(kPanel, layer.outputs() - number * kPanel)};
    const std::int8_t* next = panel.products.weights + (number + 1 < layer.panels() ? size : 0);
    for (std::size_t row = 0; row < count; row += kRows) {
      const std::size_t block = std::min(kRows, count - row);
      const Ahead ahead{next + size * row / count, kGroupBytes * block / count};
      (block == kRows ? whole : last_rows)(panel, rows, row, ahead, out + number * kPanel);
    }
  }
}

template <typename Products, int kBits>
constexpr LinearKernel linear_kernel() noexcept {
  return {packing_of<Products>(), Products::kActivationBytes, Products::kActivationOffset,
          round_rows<Products, kBits>, multiply_panels<Products>};
}

}  // namespace
}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_SHARED_LINEAR_ROWS_H_
