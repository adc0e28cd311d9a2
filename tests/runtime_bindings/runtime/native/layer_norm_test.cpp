// The layer normalization kernels against the same in double precision, and to the last bit against each
// other.
#include "kernels/layer_norm.h"

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/dispatch.h"

namespace {

using linnet::kernels::Kernels;
using linnet::kernels::LayerNormInput;
using linnet::kernels::LayerNormKernel;
using linnet::kernels::portable_kernels;
using linnet::kernels::usable_kernels;

constexpr std::size_t kRows = 7;
constexpr float kEpsilon = 1e-12F;
constexpr float kUntouched = 12345.0F;

int failures = 0;

std::vector<float> random_numbers(std::mt19937& random, std::size_t size, float mean) {
  std::normal_distribution<float> normal(mean, 2.0F);
  std::vector<float> numbers(size);
  for (float& each : numbers) {
    each = normal(random);
  }
  return numbers;
}

double expected_value(const LayerNormInput& input, std::size_t row, std::size_t column) {
  const auto width = static_cast<double>(input.width);
  const auto summed = [&](std::size_t i) {
    const std::size_t at = row * input.width + i;
    const double residual = input.residual == nullptr ? 0.0 : static_cast<double>(input.residual[at]);
    return static_cast<double>(input.x[at]) + residual;
  };
  double mean = 0.0;
  double variance = 0.0;
  for (std::size_t i = 0; i < input.width; ++i) {
    mean += summed(i) / width;
  }
  for (std::size_t i = 0; i < input.width; ++i) {
    variance += std::pow(summed(i) - mean, 2) / width;
  }
  return (summed(column) - mean) / std::sqrt(variance + static_cast<double>(input.epsilon)) *
         static_cast<double>(input.weight[column]);
}

// Rows of the middle only, as a thread would do them: the others must stay as they are.
std::vector<float> compare(LayerNormKernel kernel, const char* name, std::size_t width, bool of_sum) {
  std::mt19937 random(static_cast<unsigned>(width));
  const std::vector<float> x = random_numbers(random, kRows * width, 10.0F);
  const std::vector<float> residual = random_numbers(random, kRows * width, 0.0F);
  const std::vector<float> weight = random_numbers(random, width, 1.0F);
  const LayerNormInput input{x.data(), of_sum ? residual.data() : nullptr, weight.data(), width, kEpsilon};
  std::vector<float> out(kRows * width, kUntouched);
  kernel(input, 1, kRows - 1, out.data());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t row = i / width;
    const bool inside = row >= 1 && row < kRows - 1;
    const double expected = inside ? expected_value(input, row, i % width) : static_cast<double>(kUntouched);
    const double difference = std::fabs(static_cast<double>(out[i]) - expected);
    if (!(difference < 1e-4)) {  // a NaN is no answer
      ++failures;
      std::printf("%s, width %zu, row %zu, column %zu: %g off\n", name, width, row, i % width, difference);
    }
  }
  return out;
}

}  // namespace

int main() {
  for (const std::size_t width : {2U, 15U, 16U, 17U, 128U, 384U, 1000U}) {
    for (const bool of_sum : {true, false}) {
      const std::vector<float> expected = compare(portable_kernels().layer_norm, "portable", width, of_sum);
      std::size_t count = 0;
      const Kernels* const* kernels = usable_kernels(count);
      for (std::size_t i = 0; i < count; ++i) {
        const std::vector<float> found = compare(kernels[i]->layer_norm, kernels[i]->name, width, of_sum);
        if (std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)) != 0) {
          ++failures;
          std::printf("%s, width %zu: differs from the portable kernels\n", kernels[i]->name, width);
        }
      }
    }
  }
  std::printf("%d failed\n", failures);
  return failures == 0 ? 0 : 1;
}
