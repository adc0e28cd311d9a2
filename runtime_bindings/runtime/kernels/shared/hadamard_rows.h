// Hadamard transform of blocks of 16 to 64 numbers, for the vectors of the processor whose source includes
// this (see linear_rows.h).
#ifndef LINNET_RUNTIME_KERNELS_SHARED_HADAMARD_ROWS_H_
#define LINNET_RUNTIME_KERNELS_SHARED_HADAMARD_ROWS_H_

#include <algorithm>
#include <cstddef>

#include "kernels/hadamard.h"

namespace linnet::kernels {
namespace {

static_assert(kSmallestBlock == kLanes, "a block is one vector, two or four");

// Put the sums and the differences of vectors whose numbers differ in the bit `step` in their places.
template <std::size_t kStep>
inline void sums_and_differences(Floats* vectors) {
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kLanes; ++i) {
    if ((i & kStep) == 0) {
      const Floats left = vectors[i];
      const Floats right = vectors[i + kStep];
      vectors[i] = add(left, right);
      vectors[i + kStep] = subtract(left, right);
    }
  }
}

// Transform kLanes vectors, blocks of kVectors each.
template <std::size_t kVectors>
inline void transform_vectors(Floats* vectors) {
  // the numbers of a vector stand below each other after a transposition
  transpose(vectors);
  sums_and_differences<1>(vectors);
  sums_and_differences<2>(vectors);
  sums_and_differences<4>(vectors);
  sums_and_differences<8>(vectors);
  transpose(vectors);
  if constexpr (kVectors > 1) {
    sums_and_differences<1>(vectors);
  }
  if constexpr (kVectors > 2) {
    sums_and_differences<2>(vectors);
  }
}

template <std::size_t kVectors>
inline void hadamard_row(const float* x, std::size_t width, float* out) {
  // 1 / sqrt(block)
  constexpr float kScale = kVectors == 1 ? 0.25F : kVectors == 2 ? 0.176776695F : 0.125F;
  for (std::size_t start = 0; start < width; start += kLanes * kLanes) {
    const std::size_t count = std::min(kLanes, (width - start) / kLanes);
    Floats vectors[kLanes];
    for (std::size_t i = 0; i < kLanes; ++i) {
      vectors[i] = i < count ? load(x + start + i * kLanes) : all(0.0F);
    }
    transform_vectors<kVectors>(vectors);
    for (std::size_t i = 0; i < count; ++i) {
      store(out + start + i * kLanes, multiply(vectors[i], all(kScale)));
    }
  }
}

inline void hadamard_rows(const float* x, std::size_t width, std::size_t block, std::size_t first,
                          std::size_t last, float* out) {
  const auto transform = block == kLanes       ? hadamard_row<1>
                         : block == 2 * kLanes ? hadamard_row<2>
                                               : hadamard_row<4>;
  for (std::size_t row = first; row < last; ++row) {
    transform(x + row * width, width, out + row * width);
  }
}

}  // namespace
}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_SHARED_HADAMARD_ROWS_H_
