// Products of AVX2 with rows of a cache.
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

  // Up to 64 numbers of a query, in registers of 32. vpmaddubsw wants one side unsigned: that are the
  // magnitudes of the query, whose signs the row's numbers take. No number is -128, so two products fit in an
  // int16.
  template <std::size_t kParts>
  struct Query {
    static constexpr std::size_t kRegisters = (kParts + 1) / 2;

    explicit Query(const std::int8_t* query) {
#pragma GCC unroll 2
      for (std::size_t i = 0; i < kRegisters; ++i) {
        signs[i] = load_parts<kParts>(query, i);
        sizes[i] = _mm256_abs_epi8(signs[i]);
      }
    }

    __m256i product(const std::int8_t* row) const {
      const __m256i ones = _mm256_set1_epi16(1);
      __m256i sum = _mm256_setzero_si256();
#pragma GCC unroll 2
      for (std::size_t i = 0; i < kRegisters; ++i) {
        const __m256i signed_row = _mm256_sign_epi8(load_parts<kParts>(row, i), signs[i]);
        const __m256i fours = _mm256_madd_epi16(_mm256_maddubs_epi16(sizes[i], signed_row), ones);
        sum = i == 0 ? fours : _mm256_add_epi32(sum, fours);
      }
      return sum;
    }

    // Return what is added to all products: nothing.
    static __m256i start() { return _mm256_setzero_si256(); }

    __m256i signs[kRegisters];
    __m256i sizes[kRegisters];
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
