// Products of AVX2 with rows of a cache, widened to 16 bits (see avx2.cpp).
#ifndef LINNET_RUNTIME_KERNELS_PROCESSORS_AVX2_CACHE_H_
#define LINNET_RUNTIME_KERNELS_PROCESSORS_AVX2_CACHE_H_

#include "kernels/processors/avx2.h"
#include "kernels/processors/avx_cache.h"

namespace linnet::kernels {
namespace {

struct Avx2RowProducts {
  static __m256i widened(const std::int8_t* from) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }

  // A query of up to 64 numbers, in kParts registers.
  template <std::size_t kParts>
  struct Query {
    explicit Query(const std::int8_t* query) {
#pragma GCC unroll 4
      for (std::size_t i = 0; i < kParts; ++i) {
        parts[i] = widened(query + i * kLanes);
      }
    }

    __m256i product(const std::int8_t* row) const {
      __m256i sum = _mm256_madd_epi16(widened(row), parts[0]);
#pragma GCC unroll 4
      for (std::size_t i = 1; i < kParts; ++i) {
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(widened(row + i * kLanes), parts[i]));
      }
      return sum;
    }

    // Return what is added to all products: nothing.
    static __m256i start() { return _mm256_setzero_si256(); }

    __m256i parts[kParts];
  };

  static constexpr std::size_t kRowsOfUnit = 2;
  static constexpr std::size_t kWeightBytes = 2;

  // Sums of one head: a register has the channels 0 to 3 and 8 to 11, the other one the rest.
  struct Sums {
    Sums() : first(_mm256_setzero_si256()), second(_mm256_setzero_si256()) {}

    void store(std::int32_t* to) const {
      const Ints ordered{_mm256_permute2x128_si256(first, second, 0x20),
                         _mm256_permute2x128_si256(first, second, 0x31)};
      linnet::kernels::store(to, ordered);
    }

    __m256i first;
    __m256i second;
  };

  // The values of two rows, side by side for each channel.
  struct Unit {
    explicit Unit(const std::int8_t* const* rows) {
      const __m256i a = widened(rows[0]);
      const __m256i b = widened(rows[1]);
      first = _mm256_unpacklo_epi16(a, b);
      second = _mm256_unpackhi_epi16(a, b);
    }

    void add_to(Sums& sums, const std::uint8_t* weights) const {
      const __m256i two = broadcast_unit(weights);
      sums.first = _mm256_add_epi32(sums.first, _mm256_madd_epi16(first, two));
      sums.second = _mm256_add_epi32(sums.second, _mm256_madd_epi16(second, two));
    }

    __m256i first;
    __m256i second;
  };

  // Write kBlock weights as numbers of kWeightBytes.
  static void widen_weights(const std::uint8_t* weights, std::uint8_t* to) {
    const auto* from = reinterpret_cast<const __m128i*>(weights);
    auto* words = reinterpret_cast<__m256i*>(to);
    _mm256_storeu_si256(words, _mm256_cvtepu8_epi16(_mm_loadu_si128(from)));
    _mm256_storeu_si256(words + 1, _mm256_cvtepu8_epi16(_mm_loadu_si128(from + 1)));
  }
};

}  // namespace
}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_PROCESSORS_AVX2_CACHE_H_
