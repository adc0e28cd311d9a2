// The kernels of the Hadamard transform against the matrix in double precision, and to the last bit against
// each other.
#include "kernels/hadamard.h"

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/dispatch.h"

namespace {

using linnet::kernels::HadamardKernel;
using linnet::kernels::is_hadamard_block;
using linnet::kernels::portable_kernels;
using linnet::kernels::usable_kernels;

constexpr std::size_t kRows = 4;
constexpr float kUntouched = 12345.0F;

int failures = 0;

void expect(bool good, const char* name, const char* what, std::size_t width, std::size_t block) {
  if (!good) {
    ++failures;
    std::printf("%s, width %zu, block %zu: %s\n", name, width, block, what);
  }
}

// Entry (i, j) of Sylvester's matrix: -1 to the number of bits that both have.
double entry(std::size_t i, std::size_t j) {
  std::size_t shared = i & j;
  double sign = 1.0;
  for (; shared != 0; shared &= shared - 1) {
    sign = -sign;
  }
  return sign;
}

std::vector<float> random_rows(std::size_t width) {
  std::mt19937 random(static_cast<unsigned>(width));
  std::normal_distribution<float> normal;
  std::vector<float> x(kRows * width);
  for (float& each : x) {
    each = normal(random);
  }
  x[width + width / 2] = 300.0F;
  return x;
}

// Rows of the middle only, as a thread would do them: the others must stay as they are.
std::vector<float> compare(HadamardKernel kernel, const char* name, std::size_t width, std::size_t block) {
  const std::vector<float> x = random_rows(width);
  std::vector<float> out(kRows * width, kUntouched);
  kernel(x.data(), width, block, 1, kRows - 1, out.data());
  for (std::size_t at = 0; at < kRows * width; ++at) {
    const std::size_t row = at / width;
    if (row == 0 || row == kRows - 1) {
      expect(out[at] == kUntouched, name, "another row was written", width, block);
      continue;
    }
    const std::size_t start = at / block * block;
    double sum = 0.0;
    for (std::size_t i = 0; i < block; ++i) {
      sum += entry(at - start, i) * static_cast<double>(x[start + i]);
    }
    const double difference = static_cast<double>(out[at]) - sum / std::sqrt(static_cast<double>(block));
    expect(std::fabs(difference) < 2e-5, name, "differs from the matrix", width, block);
  }
  return out;
}

}  // namespace

int main() {
  expect(!is_hadamard_block(8, 64) && !is_hadamard_block(48, 96) && !is_hadamard_block(128, 128) &&
             !is_hadamard_block(32, 48) && is_hadamard_block(16, 48),
         "any", "sizes of blocks", 0, 0);
  for (const std::size_t block : {std::size_t{16}, std::size_t{32}, std::size_t{64}}) {
    for (const std::size_t blocks : {1U, 2U, 3U, 5U, 24U}) {
      const std::size_t width = block * blocks;
      const std::vector<float> expected = compare(portable_kernels().hadamard, "portable", width, block);
      std::size_t count = 0;
      const auto* const* kernels = usable_kernels(count);
      for (std::size_t i = 0; i < count; ++i) {
        const std::vector<float> found = compare(kernels[i]->hadamard, kernels[i]->name, width, block);
        expect(std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)) == 0,
               kernels[i]->name, "differs from the portable kernels", width, block);
      }
    }
  }
  std::printf("%d failed\n", failures);
  return failures == 0 ? 0 : 1;
}
