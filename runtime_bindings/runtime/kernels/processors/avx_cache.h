// Products with rows of a cache on 256-bit registers, for the sources of the processors that define how rows
// are multiplied (Avx2RowProducts, VnniRowProducts).
#ifndef LINNET_RUNTIME_KERNELS_PROCESSORS_AVX_CACHE_H_
#define LINNET_RUNTIME_KERNELS_PROCESSORS_AVX_CACHE_H_

#include <immintrin.h>

#include "kernels/shared/cached_attention_rows.h"
#include "kernels/shared/vectors.h"

namespace linnet::kernels {
namespace {

constexpr std::size_t kEight = 8;  // rows whose products one register holds

// Return a register of numbers of a row of kParts times kLanes; the last one of an odd number has zeros in
// its upper half.
template <std::size_t kParts>
inline __m256i load_parts(const std::int8_t* from, std::size_t number) {
  const std::int8_t* part = from + number * 2 * kLanes;
  if (2 * number + 1 == kParts) {
    return _mm256_zextsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(part)));
  }
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(part));
}

// Return sums of two lanes of each register, in turns.
inline __m256i halved(__m256i a, __m256i b) {
  return _mm256_add_epi32(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
}
inline __m256i halved_again(__m256i a, __m256i b) {
  return _mm256_add_epi32(_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
}

// Return the sums of the lanes of eight registers. Not with vphaddd, which takes four operations.
inline __m256i sums_of_eight(const __m256i* x) {
  const __m256i low = halved_again(halved(x[0], x[1]), halved(x[2], x[3]));
  const __m256i high = halved_again(halved(x[4], x[5]), halved(x[6], x[7]));
  return _mm256_add_epi32(_mm256_permute2x128_si256(low, high, 0x20),
                          _mm256_permute2x128_si256(low, high, 0x31));
}

// Rows has the products of up to 64 numbers of a query with a row, and those of weights with the values of
// kRowsOfUnit rows. Loops over arrays of registers are unrolled, so that they stay there.
template <typename Rows>
struct AvxCacheProducts {
  static constexpr std::size_t kMostParts = 4;  // of kLanes numbers, in registers
  static constexpr std::size_t kMostHeads = 4;

  static void score(const std::int8_t* query, const std::int8_t* rows, std::size_t stride, std::size_t count,
                    std::size_t width, std::int32_t* products) {
    if (width % kLanes != 0) {
      PlainCacheProducts::score(query, rows, stride, count, width, products);
      return;
    }
    for (std::size_t first = 0; first < count; first += kEight) {
      const std::size_t last = std::min(kEight, count - first) - 1;
      const std::int8_t* eight = rows + first * stride;
      if (last == kEight - 1 && width == kMostParts * kLanes) {
        const __m256i sums = products_of_eight<kMostParts, true>(query, eight, stride, last);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(products + first), sums);
        continue;
      }
      __m256i sums = _mm256_setzero_si256();
      std::size_t at = 0;
      for (; at + kMostParts * kLanes <= width; at += kMostParts * kLanes) {
        sums = _mm256_add_epi32(sums, products_of_eight<kMostParts>(query + at, eight + at, stride, last));
      }
      if (at < width) {
        sums = _mm256_add_epi32(sums, rest_of_eight(query + at, eight + at, stride, last, width - at));
      }
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(products + first), sums);
    }
  }

  static void mix(const std::uint8_t* weights, std::size_t heads_apart, std::size_t heads,
                  const std::int8_t* rows, std::size_t stride, std::size_t count, std::size_t channels,
                  std::int32_t* sums) {
    if (channels < kLanes) {
      PlainCacheProducts::mix(weights, heads_apart, heads, rows, stride, count, channels, sums);
      return;
    }
    for (; heads >= kMostHeads; heads -= kMostHeads) {
      mix_heads<kMostHeads>(weights, heads_apart, rows, stride, count, sums);
      weights += kMostHeads * heads_apart;
      sums += kMostHeads * kLanes;
    }
    switch (heads) {
      case 3:
        return mix_heads<3>(weights, heads_apart, rows, stride, count, sums);
      case 2:
        return mix_heads<2>(weights, heads_apart, rows, stride, count, sums);
      case 1:
        return mix_heads<1>(weights, heads_apart, rows, stride, count, sums);
      default:
        return;
    }
  }

 private:
  // Rows behind the last one repeat it, unless all eight are there.
  template <std::size_t kParts, bool kAll = false>
  [[gnu::noinline]] static __m256i products_of_eight(const std::int8_t* query, const std::int8_t* rows,
                                                     std::size_t stride, std::size_t last) {
    const typename Rows::template Query<kParts> parts(query);
    __m256i sums[kEight];
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kEight; ++i) {
      sums[i] = parts.product(rows + (kAll ? i : std::min(i, last)) * stride);
    }
    return _mm256_add_epi32(sums_of_eight(sums), parts.start());
  }

  static __m256i rest_of_eight(const std::int8_t* query, const std::int8_t* rows, std::size_t stride,
                               std::size_t last, std::size_t width) {
    switch (width / kLanes) {
      case 3:
        return products_of_eight<3>(query, rows, stride, last);
      case 2:
        return products_of_eight<2>(query, rows, stride, last);
      default:
        return products_of_eight<1>(query, rows, stride, last);
    }
  }

  template <std::size_t kHeads>
  [[gnu::noinline]] static void mix_heads(const std::uint8_t* weights, std::size_t heads_apart,
                                          const std::int8_t* rows, std::size_t stride, std::size_t count,
                                          std::int32_t* to) {
    constexpr std::size_t kUnitRows = Rows::kRowsOfUnit;
    alignas(64) static const std::int8_t kNothing[kLanes] = {};
    alignas(64) std::uint8_t wide[kHeads][kBlock * Rows::kWeightBytes];
#pragma GCC unroll 4
    for (std::size_t head = 0; head < kHeads; ++head) {
      Rows::widen_weights(weights + head * heads_apart, wide[head]);
    }
    typename Rows::Sums sums[kHeads];
    std::size_t row = 0;
    for (; row + kUnitRows <= count; row += kUnitRows, rows += kUnitRows * stride) {
      const std::int8_t* unit_rows[kUnitRows];
#pragma GCC unroll 4
      for (std::size_t i = 0; i < kUnitRows; ++i) {
        unit_rows[i] = rows + i * stride;
      }
      const typename Rows::Unit unit(unit_rows);
#pragma GCC unroll 4
      for (std::size_t head = 0; head < kHeads; ++head) {
        unit.add_to(sums[head], wide[head] + row * Rows::kWeightBytes);
      }
    }
    if (row < count) {
      const std::int8_t* unit_rows[kUnitRows];
      for (std::size_t i = 0; i < kUnitRows; ++i) {
        unit_rows[i] = row + i < count ? rows + i * stride : kNothing;
      }
      const typename Rows::Unit unit(unit_rows);
#pragma GCC unroll 4
      for (std::size_t head = 0; head < kHeads; ++head) {
        unit.add_to(sums[head], wide[head] + row * Rows::kWeightBytes);
      }
    }
#pragma GCC unroll 4
    for (std::size_t head = 0; head < kHeads; ++head) {
      sums[head].store(to + head * kLanes);
    }
  }
};

}  // namespace
}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_PROCESSORS_AVX_CACHE_H_
