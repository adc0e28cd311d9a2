#include "kernels/layer_norm.h"

#include <cmath>

#include "kernels/avx512.h"

namespace linnet::kernels {

void portable_layer_norm(const LayerNormInput& input, std::size_t first, std::size_t last, float* out) {
  const auto width = static_cast<float>(input.width);
  for (std::size_t row = first; row < last; ++row) {
    const std::size_t at = row * input.width;
    float sum = 0.0F;
    for (std::size_t i = 0; i < input.width; ++i) {
      out[at + i] = input.x[at + i] + input.residual[at + i];
      sum += out[at + i];
    }
    const float mean = sum / width;
    float squares = 0.0F;
    for (std::size_t i = 0; i < input.width; ++i) {
      out[at + i] -= mean;
      squares += out[at + i] * out[at + i];
    }
    const float scale = 1.0F / std::sqrt(squares / width + input.epsilon);
    for (std::size_t i = 0; i < input.width; ++i) {
      out[at + i] *= scale * input.weight[i];
    }
  }
}

#if defined(__x86_64__)

namespace {

// Normalize kCount rows at once, because in a single row each addition waits for the one before.
template <std::size_t kCount>
LINNET_AVX512F void normalize_rows(const LayerNormInput& input, std::size_t first, float* out) {
  const std::size_t width = input.width;
  const __m512 share = _mm512_set1_ps(1.0F / static_cast<float>(width));
  const std::size_t start = first * width;
  __m512 sums[kCount];
  __m512 means[kCount];
  for (auto& sum : sums) {
    sum = _mm512_setzero_ps();
  }
  for (std::size_t i = 0; i < width; i += kFloatLanes) {
    const __mmask16 lanes = lanes_below(width - i);
    for (std::size_t row = 0; row < kCount; ++row) {
      const std::size_t at = start + row * width + i;
      const __m512 added = _mm512_add_ps(_mm512_maskz_loadu_ps(lanes, input.x + at),
                                         _mm512_maskz_loadu_ps(lanes, input.residual + at));
      sums[row] = _mm512_add_ps(sums[row], added);
      _mm512_mask_storeu_ps(out + at, lanes, added);
    }
  }
  for (std::size_t row = 0; row < kCount; ++row) {
    means[row] = _mm512_mul_ps(_mm512_set1_ps(_mm512_reduce_add_ps(sums[row])), share);
    sums[row] = _mm512_setzero_ps();
  }
  for (std::size_t i = 0; i < width; i += kFloatLanes) {
    const __mmask16 lanes = lanes_below(width - i);
    for (std::size_t row = 0; row < kCount; ++row) {
      const __m512 summed = _mm512_maskz_loadu_ps(lanes, out + start + row * width + i);
      const __m512 centred = _mm512_maskz_sub_ps(lanes, summed, means[row]);
      sums[row] = _mm512_fmadd_ps(centred, centred, sums[row]);
    }
  }
  for (std::size_t row = 0; row < kCount; ++row) {
    const float variance = _mm512_reduce_add_ps(sums[row]) / static_cast<float>(width);
    sums[row] = _mm512_set1_ps(1.0F / std::sqrt(variance + input.epsilon));
  }
  for (std::size_t i = 0; i < width; i += kFloatLanes) {
    const __mmask16 lanes = lanes_below(width - i);
    const __m512 weight = _mm512_maskz_loadu_ps(lanes, input.weight + i);
    for (std::size_t row = 0; row < kCount; ++row) {
      const std::size_t at = start + row * width + i;
      const __m512 centred = _mm512_sub_ps(_mm512_maskz_loadu_ps(lanes, out + at), means[row]);
      _mm512_mask_storeu_ps(out + at, lanes, _mm512_mul_ps(centred, _mm512_mul_ps(sums[row], weight)));
    }
  }
}

LINNET_AVX512F void avx512_layer_norm(const LayerNormInput& input, std::size_t first, std::size_t last,
                                      float* out) {
  for (; first + 4 <= last; first += 4) {
    normalize_rows<4>(input, first, out);
  }
  for (; first < last; ++first) {
    normalize_rows<1>(input, first, out);
  }
}

}  // namespace

LayerNormKernel fast_layer_norm() noexcept {
  return __builtin_cpu_supports("avx512f") != 0 ? avx512_layer_norm : nullptr;
}

#else

LayerNormKernel fast_layer_norm() noexcept { return nullptr; }

#endif

}  // namespace linnet::kernels
