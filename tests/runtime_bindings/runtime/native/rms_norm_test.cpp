// The kernels of root mean square normalization against the same in double precision, and to the last bit
// against each other.
#include "kernels/rms_norm.h"

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/dispatch.h"

namespace {

using linnet::kernels::Kernels;
using linnet::kernels::portable_kernels;
using linnet::kernels::RmsNormInput;
using linnet::kernels::RmsNormKernel;
using linnet::kernels::usable_kernels;

constexpr std::size_t kRows = 5;
constexpr float kEpsilon = 1e-5F;
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

// The sums, then the normalized rows.
struct Result {
  std::vector<float> sum;
  std::vector<float> out;
};

void check(const char* name, const char* what, std::size_t width, std::size_t at, float found,
           double expected) {
  const double difference = std::fabs(static_cast<double>(found) - expected);
  if (!(difference < 1e-5)) {  // a NaN is no answer
    ++failures;
    std::printf("%s, %s, width %zu, number %zu: %g off\n", name, what, width, at, difference);
  }
}

void check_row(const char* name, const RmsNormInput& input, std::size_t row, const Result& result) {
  std::vector<double> summed(input.width);
  double squares = 0.0;
  for (std::size_t i = 0; i < input.width; ++i) {
    const std::size_t at = row * input.width + i;
    const double residual = input.residual == nullptr ? 0.0 : static_cast<double>(input.residual[at]);
    summed[i] = static_cast<double>(input.x[at]) + residual;
    squares += summed[i] * summed[i];
  }
  const double root =
      std::sqrt(squares / static_cast<double>(input.width) + static_cast<double>(input.epsilon));
  for (std::size_t i = 0; i < input.width; ++i) {
    const std::size_t at = row * input.width + i;
    check(name, "out", input.width, at, result.out[at],
          summed[i] / root * static_cast<double>(input.weight[i]));
    if (input.residual != nullptr) {
      check(name, "sum", input.width, at, result.sum[at], summed[i]);
    }
  }
}

// Rows of the middle only, as a thread would do them: the others must stay as they are.
Result compare(RmsNormKernel kernel, const char* name, std::size_t width, bool of_sum) {
  std::mt19937 random(static_cast<unsigned>(width));
  const std::vector<float> x = random_numbers(random, kRows * width, 1.0F);
  const std::vector<float> residual = random_numbers(random, kRows * width, 0.0F);
  const std::vector<float> weight = random_numbers(random, width, 1.0F);
  const RmsNormInput input{x.data(), of_sum ? residual.data() : nullptr, weight.data(), width, kEpsilon};
  Result result{std::vector<float>(kRows * width, kUntouched), std::vector<float>(kRows * width, kUntouched)};
  kernel(input, 1, kRows - 1, of_sum ? result.sum.data() : nullptr, result.out.data());
  for (std::size_t row = 1; row + 1 < kRows; ++row) {
    check_row(name, input, row, result);
  }
  for (const std::vector<float>* numbers : {&result.sum, &result.out}) {
    for (std::size_t i = 0; i < width; ++i) {
      check(name, "untouched", width, i, (*numbers)[i], static_cast<double>(kUntouched));
      check(name, "untouched", width, i, (*numbers)[(kRows - 1) * width + i],
            static_cast<double>(kUntouched));
    }
  }
  return result;
}

bool same(const std::vector<float>& left, const std::vector<float>& right) {
  return std::memcmp(left.data(), right.data(), left.size() * sizeof(float)) == 0;
}

}  // namespace

int main() {
  for (const std::size_t width : {1U, 2U, 15U, 16U, 17U, 64U, 65U, 576U, 1000U}) {
    for (const bool of_sum : {true, false}) {
      const Result expected = compare(portable_kernels().rms_norm, "portable", width, of_sum);
      std::size_t count = 0;
      const Kernels* const* kernels = usable_kernels(count);
      for (std::size_t i = 0; i < count; ++i) {
        const Result found = compare(kernels[i]->rms_norm, kernels[i]->name, width, of_sum);
        if (!same(found.sum, expected.sum) || !same(found.out, expected.out)) {
          ++failures;
          std::printf("%s, width %zu: differs from the portable kernels\n", kernels[i]->name, width);
        }
      }
    }
  }
  std::printf("%d failed\n", failures);
  return failures == 0 ? 0 : 1;
}
