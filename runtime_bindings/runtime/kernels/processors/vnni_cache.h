// Products of VNNI on 256-bit registers with rows of a cache, for the sources that define add_fours() and
// include this.
#ifndef LINNET_RUNTIME_KERNELS_PROCESSORS_VNNI_CACHE_H_
#define LINNET_RUNTIME_KERNELS_PROCESSORS_VNNI_CACHE_H_

#include "kernels/processors/avx_cache.h"

namespace linnet::kernels {
namespace {

struct VnniRowProducts {
  // Up to 64 numbers of a query, in registers of 32. The instruction wants one side unsigned: that is the
  // row, plus 128, because what undoes it is then the same for all rows.
  template <std::size_t kParts>
  struct Query {
    static constexpr std::size_t kRegisters = (kParts + 1) / 2;

    explicit Query(const std::int8_t* query) : sum(_mm256_setzero_si256()) {
      const __m256i ones = _mm256_set1_epi8(1);
#pragma GCC unroll 2
      for (std::size_t i = 0; i < kRegisters; ++i) {
        parts[i] = load_parts<kParts>(query, i);
        add_fours(sum, ones, parts[i]);
      }
    }

    __m256i product(const std::int8_t* row) const {
      const __m256i sign = _mm256_set1_epi8(-128);
      __m256i found = _mm256_setzero_si256();
#pragma GCC unroll 2
      for (std::size_t i = 0; i < kRegisters; ++i) {
        add_fours(found, _mm256_xor_si256(load_parts<kParts>(row, i), sign), parts[i]);
      }
      return found;
    }

    // Return what is added to all products: -128 times the sum of the query's numbers.
    __m256i start() const {
      const __m256i fours[kEight] = {sum, sum, sum, sum, sum, sum, sum, sum};
      return _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_slli_epi32(sums_of_eight(fours), 7));
    }

    __m256i parts[kRegisters];
    __m256i sum;
  };

  static constexpr std::size_t kRowsOfUnit = 4;
  static constexpr std::size_t kWeightBytes = 1;

  // Sums of one head: a register has the channels 0 to 3 and 8 to 11, the other one the rest.
  struct Sums {
    Sums() : first(_mm256_setzero_si256()), second(_mm256_setzero_si256()) {}

    void store(std::int32_t* to) const {
      auto* halves = reinterpret_cast<__m256i*>(to);
      _mm256_storeu_si256(halves, _mm256_permute2x128_si256(first, second, 0x20));
      _mm256_storeu_si256(halves + 1, _mm256_permute2x128_si256(first, second, 0x31));
    }

    __m256i first;
    __m256i second;
  };

  static __m128i row_of(const std::int8_t* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  }

  // The values of four rows, side by side for each channel.
  struct Unit {
    explicit Unit(const std::int8_t* const* rows) {
      const __m256i a = both_halves(row_of(rows[0]), row_of(rows[1]));
      const __m256i b = both_halves(row_of(rows[2]), row_of(rows[3]));
      first = _mm256_unpacklo_epi16(a, b);
      second = _mm256_unpackhi_epi16(a, b);
    }

    // Return the channels 0 to 7 of two rows, interleaved, and then the others.
    static __m256i both_halves(__m128i x, __m128i y) {
      return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_unpacklo_epi8(x, y)), _mm_unpackhi_epi8(x, y),
                                     1);
    }

    void add_to(Sums& sums, const std::uint8_t* weights) const {
      std::int32_t numbers = 0;
      std::memcpy(&numbers, weights, sizeof numbers);
      const __m256i four = _mm256_set1_epi32(numbers);
      add_fours(sums.first, four, first);
      add_fours(sums.second, four, second);
    }

    __m256i first;
    __m256i second;
  };

  static void widen_weights(const std::uint8_t* weights, std::uint8_t* to) {
    std::memcpy(to, weights, kBlock);
  }
};

}  // namespace
}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_PROCESSORS_VNNI_CACHE_H_
