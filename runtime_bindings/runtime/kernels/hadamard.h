// Hadamard transform of blocks of a row, scaled so that it is orthogonal: it spreads a number that is far
// larger than its neighbours over all of its block, before 8 bits have to hold them (QuaRot,
// https://arxiv.org/abs/2404.00456). Sylvester's matrix: entry (i, j) is -1 to the number of bits that i and
// j share.
#ifndef LINNET_RUNTIME_KERNELS_HADAMARD_H_
#define LINNET_RUNTIME_KERNELS_HADAMARD_H_

#include <cstddef>

namespace linnet::kernels {

constexpr std::size_t kSmallestBlock = 16;
constexpr std::size_t kLargestBlock = 64;

// Return whether blocks have a size that kernels know and divide a row.
constexpr bool is_hadamard_block(std::size_t block, std::size_t width) noexcept {
  return block >= kSmallestBlock && block <= kLargestBlock && (block & (block - 1)) == 0 &&
         width % block == 0;
}

// Transform the rows [first, last) of x to the same rows of `out`, which is not x. Both are float32 [rows,
// width], contiguous; `block` is 16, 32 or 64 and divides `width`.
using HadamardKernel = void (*)(const float* x, std::size_t width, std::size_t block, std::size_t first,
                                std::size_t last, float* out);

}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_HADAMARD_H_
