// Int8 linear kernel for AVX-512 with VNNI, whose instruction vpdpbusd multiplies 64 unsigned by 64 signed
// bytes and adds each four products to an int32.
//
// Each lane holds an output. Eight tokens and two registers of outputs are summed at once: 16 registers hold
// the sums, two the weights, and the bytes of a token are loaded once for both. On Zen 5, whose level-1 cache
// delivers two loads a cycle, that keeps both of its multipliers busy.
#include "kernels/linear.h"

#if defined(__x86_64__)

#include <algorithm>

#include "kernels/avx512.h"

namespace linnet::kernels {
namespace {

constexpr std::size_t kRows = 8;                       // tokens computed at once
constexpr std::size_t kHalves = kPanel / kFloatLanes;  // registers of a panel
// The largest value of a row and zero, and the largest of its negated values and zero.
struct Range {
  float largest;
  float minus_least;
};

// Return the largest and the least over all lanes. Both are reduced together, eight lanes of each in one
// register.
LINNET_AVX512_VNNI inline Range reduced(__m512 largest, __m512 least) {
  const __m512 minus_least = _mm512_sub_ps(_mm512_setzero_ps(), least);
  __m512 both = _mm512_max_ps(_mm512_shuffle_f32x4(largest, minus_least, 0x44),
                              _mm512_shuffle_f32x4(largest, minus_least, 0xEE));
  both = _mm512_max_ps(both, _mm512_shuffle_f32x4(both, both, 0xB1));
  both = _mm512_max_ps(both, _mm512_permute_ps(both, 0x4E));
  both = _mm512_max_ps(both, _mm512_permute_ps(both, 0xB1));
  return {_mm512_cvtss_f32(both), _mm_cvtss_f32(_mm512_extractf32x4_ps(both, 2))};
}

LINNET_AVX512_VNNI Range range_of(const float* row, std::size_t inputs) {
  constexpr std::size_t kAtOnce = 4;  // independent registers, because a single one would wait for itself
  __m512 least[kAtOnce];
  __m512 largest[kAtOnce];
  for (std::size_t i = 0; i < kAtOnce; ++i) {
    least[i] = largest[i] = _mm512_setzero_ps();
  }
  std::size_t at = 0;
  for (; at + kAtOnce * kFloatLanes <= inputs; at += kAtOnce * kFloatLanes) {
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      const __m512 part = _mm512_loadu_ps(row + at + i * kFloatLanes);
      least[i] = _mm512_min_ps(least[i], part);
      largest[i] = _mm512_max_ps(largest[i], part);
    }
  }
  for (; at < inputs; at += kFloatLanes) {
    const __m512 part = _mm512_maskz_loadu_ps(lanes_below(inputs - at), row + at);
    least[0] = _mm512_min_ps(least[0], part);
    largest[0] = _mm512_max_ps(largest[0], part);
  }
  for (std::size_t i = 0; i < kAtOnce; i += 2) {
    least[i] = _mm512_min_ps(least[i], least[i + 1]);
    largest[i] = _mm512_max_ps(largest[i], largest[i + 1]);
  }
  return reduced(_mm512_max_ps(largest[0], largest[2]), _mm512_min_ps(least[0], least[2]));
}

LINNET_AVX512_VNNI inline __m128i to_bytes(__m512 x, __m512 factor, __m512 zero) {
  const __m512i whole = _mm512_cvtps_epi32(_mm512_fmadd_ps(x, factor, zero));
  return _mm512_cvtusepi32_epi8(_mm512_max_epi32(whole, _mm512_setzero_si512()));
}

// Round 64 numbers as to_bytes() does 16. The packing instructions clamp to 0 to 255, but work within
// quarters of a register, so the bytes are put in order afterwards.
LINNET_AVX512_VNNI inline __m512i to_64_bytes(const float* x, __m512 factor, __m512 zero) {
  __m512i whole[4];
  for (std::size_t i = 0; i < 4; ++i) {
    whole[i] = _mm512_cvtps_epi32(_mm512_fmadd_ps(_mm512_loadu_ps(x + i * kFloatLanes), factor, zero));
  }
  const __m512i low = _mm512_packs_epi32(whole[0], whole[1]);
  const __m512i high = _mm512_packs_epi32(whole[2], whole[3]);
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high));
}

LINNET_AVX512_VNNI void to_row(const float* row, std::size_t inputs, float scale, float row_zero,
                               std::uint8_t* bytes) {
  const __m512 factor = _mm512_set1_ps(1.0F / scale);
  const __m512 zero = _mm512_set1_ps(row_zero);
  std::size_t i = 0;
  for (; i + 4 * kFloatLanes <= inputs; i += 4 * kFloatLanes) {
    _mm512_storeu_si512(bytes + i, to_64_bytes(row + i, factor, zero));
  }
  for (; i + kFloatLanes <= inputs; i += kFloatLanes) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes + i), to_bytes(_mm512_loadu_ps(row + i), factor, zero));
  }
  if (i < inputs) {
    const __mmask16 lanes = lanes_below(inputs - i);
    _mm_mask_storeu_epi8(bytes + i, lanes, to_bytes(_mm512_maskz_loadu_ps(lanes, row + i), factor, zero));
  }
}

// Choose the scales and zero points of `count` rows, at most kFloatLanes, at once: a single row would wait
// for its divisions.
LINNET_AVX512_VNNI void choose_steps(const float* x, std::size_t inputs, std::size_t first, std::size_t count,
                                     const RoundedRows& out) {
  alignas(64) float largest[kFloatLanes] = {};
  alignas(64) float minus_least[kFloatLanes] = {};
  for (std::size_t i = 0; i < count; ++i) {
    const Range range = range_of(x + (first + i) * inputs, inputs);
    largest[i] = range.largest;
    minus_least[i] = range.minus_least;
  }
  const __m512 steps = _mm512_set1_ps(kSteps);
  const __m512 below = _mm512_load_ps(minus_least);
  const __m512 scale = _mm512_max_ps(_mm512_div_ps(_mm512_add_ps(_mm512_load_ps(largest), below), steps),
                                     _mm512_set1_ps(kSmallestScale));
  const __m512 zero =
      _mm512_cvtepi32_ps(_mm512_cvtps_epi32(_mm512_min_ps(_mm512_div_ps(below, scale), steps)));
  const __mmask16 lanes = lanes_below(count);
  _mm512_mask_storeu_ps(out.scales + first, lanes, scale);
  _mm512_mask_storeu_ps(out.zeros + first, lanes, zero);
}

LINNET_AVX512_VNNI void round_rows(const float* x, std::size_t inputs, std::size_t first, std::size_t last,
                                   const RoundedRows& out) {
  for (std::size_t start = first; start < last; start += kFloatLanes) {
    const std::size_t end = std::min(start + kFloatLanes, last);
    choose_steps(x, inputs, start, end - start, out);
    for (std::size_t row = start; row < end; ++row) {
      std::uint8_t* bytes = out.bytes + row * out.stride;
      to_row(x + row * inputs, inputs, out.scales[row], out.zeros[row], bytes);
      for (std::size_t i = inputs; i < out.stride; ++i) {
        bytes[i] = 0;
      }
    }
  }
}

LINNET_AVX512_VNNI inline __m512i add_products(__m512i sums, __m512i left, __m512i right) {
  // assembly, because with the intrinsic GCC copies every sum to another register and back
  asm("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(left), "v"(right));
  return sums;
}

// Return GELU(x) = x times the normal distribution function of x (https://arxiv.org/abs/1606.08415). On
// [-4.6, 4.6] that function minus one half is approximated by x times a minimax polynomial of x^2. The error
// of the result is below 6e-5; the next layer rounds it to 8 bits anyway.
LINNET_AVX512_VNNI inline __m512 gelu(__m512 x) {
  constexpr float kEnd = 4.6F;
  constexpr float kTerms[] = {1.485386813548928e-10F, -8.328022715886618e-09F, 2.7643739031191217e-07F,
                              -6.10328470429522e-06F, 9.571122791385278e-05F,  -0.0011119975242763758F,
                              0.009803557768464088F,  -0.06629715859889984F,   0.3988654911518097F};
  const __m512 near = _mm512_max_ps(_mm512_min_ps(x, _mm512_set1_ps(kEnd)), _mm512_set1_ps(-kEnd));
  const __m512 square = _mm512_mul_ps(near, near);
  __m512 sum = _mm512_set1_ps(-1.1807856125159444e-12F);
  for (const float term : kTerms) {
    sum = _mm512_fmadd_ps(sum, square, _mm512_set1_ps(term));
  }
  return _mm512_mul_ps(x, _mm512_fmadd_ps(near, sum, _mm512_set1_ps(0.5F)));
}

template <Tail kTail>
LINNET_AVX512_VNNI inline __m512 finished(__m512 value) {
  if constexpr (kTail == Tail::kGelu) {
    return gelu(value);
  }
  return kTail == Tail::kRelu ? _mm512_max_ps(value, _mm512_setzero_ps()) : value;
}

// A panel of outputs with its numbers, borrowed from the layer.
struct Panel {
  const std::int8_t* weights;
  std::size_t groups;
  const float* sums;
  const float* scales;
  const float* biases;
  const float* residual_scales;
  const float* residual;  // of the first output of the panel
  std::size_t outputs;    // of the layer
  std::size_t width;      // outputs of the panel that are there
};

// What is loaded into the cache while a block of tokens is computed: its share of the next panel. The weights
// of all layers together are larger than the level-2 cache; for 128 tokens of MiniLM-L6, loading them ahead
// saves a tenth of the time.
struct Ahead {
  const std::int8_t* start;
  std::size_t step;  // bytes for each group of inputs
};

// Load some lanes, or zeros without a load: an empty mask on an address that is not mapped costs hundreds of
// cycles.
LINNET_AVX512_VNNI inline __m512 load_some(const float* from, __mmask16 lanes) {
  return lanes == 0 ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(lanes, from);
}

template <std::size_t kCount, Tail kTail>
LINNET_AVX512_VNNI void multiply_rows(const Panel& panel, const RoundedRows& rows, std::size_t first,
                                      Ahead ahead, float* out) {
  __m512i sums[kCount * kHalves];
  for (auto& sum : sums) {
    sum = _mm512_setzero_si512();
  }
  const std::uint8_t* bytes = rows.bytes + first * rows.stride;
  const std::int8_t* weights = panel.weights;
  for (std::size_t group = 0; group < panel.groups; ++group, weights += kPanel * kInputs) {
    _mm_prefetch(reinterpret_cast<const char*>(ahead.start + group * ahead.step), _MM_HINT_T0);
    const __m512i left = _mm512_load_si512(weights);
    const __m512i right = _mm512_load_si512(weights + kFloatLanes * kInputs);
    for (std::size_t row = 0; row < kCount; ++row) {
      std::int32_t four = 0;
      __builtin_memcpy(&four, bytes + row * rows.stride + group * kInputs, kInputs);
      const __m512i token = _mm512_set1_epi32(four);
      sums[row * kHalves] = add_products(sums[row * kHalves], token, left);
      sums[row * kHalves + 1] = add_products(sums[row * kHalves + 1], token, right);
    }
  }
  // copies, because the compiler cannot know that `out` does not overlap their memory, and would load them
  // again
  const __m512 minus[kHalves] = {_mm512_load_ps(panel.sums), _mm512_load_ps(panel.sums + kFloatLanes)};
  const __m512 scales[kHalves] = {_mm512_load_ps(panel.scales), _mm512_load_ps(panel.scales + kFloatLanes)};
  const __m512 biases[kHalves] = {_mm512_load_ps(panel.biases), _mm512_load_ps(panel.biases + kFloatLanes)};
  const __mmask16 lanes[kHalves] = {lanes_below(panel.width),
                                    lanes_below(panel.width - std::min(panel.width, kFloatLanes))};
  const float* row_scales = rows.scales + first;
  const float* row_zeros = rows.zeros + first;
  const std::size_t stride = panel.outputs;
  out += first * stride;
#pragma GCC unroll 8
  for (std::size_t row = 0; row < kCount; ++row, out += stride) {
    const __m512 zero = _mm512_set1_ps(row_zeros[row]);
    const __m512 scale = _mm512_set1_ps(row_scales[row]);
#pragma GCC unroll 2
    for (std::size_t half = 0; half < kHalves; ++half) {
      const __m512 sum = _mm512_fnmadd_ps(zero, minus[half], _mm512_cvtepi32_ps(sums[row * kHalves + half]));
      __m512 value = _mm512_fmadd_ps(sum, _mm512_mul_ps(scale, scales[half]), biases[half]);
      if constexpr (kTail == Tail::kResidual) {
        const float* other = panel.residual + (first + row) * stride + half * kFloatLanes;
        const __m512 factor = _mm512_load_ps(panel.residual_scales + half * kFloatLanes);
        value = _mm512_fmadd_ps(load_some(other, lanes[half]), factor, value);
      }
      _mm512_mask_storeu_ps(out + half * kFloatLanes, lanes[half], finished<kTail>(value));
    }
  }
}

using MultiplyRows = void (*)(const Panel&, const RoundedRows&, std::size_t, Ahead, float*);

template <Tail kTail>
MultiplyRows rows_kernel(std::size_t count) {
  static constexpr MultiplyRows kKernels[kRows] = {
      multiply_rows<1, kTail>, multiply_rows<2, kTail>, multiply_rows<3, kTail>, multiply_rows<4, kTail>,
      multiply_rows<5, kTail>, multiply_rows<6, kTail>, multiply_rows<7, kTail>, multiply_rows<8, kTail>};
  return kKernels[count - 1];
}

MultiplyRows rows_kernel(Tail tail, std::size_t count) {
  switch (tail) {
    case Tail::kGelu:
      return rows_kernel<Tail::kGelu>(count);
    case Tail::kRelu:
      return rows_kernel<Tail::kRelu>(count);
    case Tail::kResidual:
      return rows_kernel<Tail::kResidual>(count);
    case Tail::kNone:
      break;
  }
  return rows_kernel<Tail::kNone>(count);
}

LINNET_AVX512_VNNI void multiply(const PackedLinear& layer, Tail tail, const RoundedRows& rows,
                                 std::size_t count, const float* residual, std::size_t first,
                                 std::size_t last, float* out) {
  const std::size_t size = layer.groups() * kPanel * kInputs;
  const MultiplyRows whole = rows_kernel(tail, kRows);
  const MultiplyRows last_rows = rows_kernel(tail, count % kRows == 0 ? kRows : count % kRows);
  for (std::size_t number = first; number < last; ++number) {
    const Panel panel{layer.panel(number),
                      layer.groups(),
                      layer.sums(number),
                      layer.scales(number),
                      layer.biases(number),
                      layer.residual_scales(number),
                      residual == nullptr ? nullptr : residual + number * kPanel,
                      layer.outputs(),
                      std::min(kPanel, layer.outputs() - number * kPanel)};
    const std::int8_t* next = panel.weights + (number + 1 < layer.panels() ? size : 0);
    for (std::size_t row = 0; row < count; row += kRows) {
      const std::size_t block = std::min(kRows, count - row);
      const Ahead ahead{next + size * row / count, kPanel * kInputs * block / count};
      (block == kRows ? whole : last_rows)(panel, rows, row, ahead, out + number * kPanel);
    }
  }
}

}  // namespace

LinearKernel fast_linear() noexcept {
  return has_avx512_vnni() ? LinearKernel{round_rows, multiply} : LinearKernel{nullptr, nullptr};
}

}  // namespace linnet::kernels

#else

namespace linnet::kernels {

LinearKernel fast_linear() noexcept { return {nullptr, nullptr}; }

}  // namespace linnet::kernels

#endif
