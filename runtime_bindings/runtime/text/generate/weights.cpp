#include "generate/weights.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>

#include "status.h"

namespace linnet {
namespace {

constexpr std::size_t kLanes = 16;    // numbers that are compared side by side
constexpr std::size_t kBlock = 1024;  // logits after which the largest one is noted

constexpr double kLeast = -700.0;  // of an exponent: the result is still a normal number
constexpr double kLog2 = 0.693147180559945286;
constexpr double kPerLog2 = 1.44269504088896339;

// Return 2^exponent for an exponent of -1022 to 1023.
inline double power_of_two(std::int32_t exponent) {
  const std::uint64_t bits = static_cast<std::uint64_t>(static_cast<std::uint32_t>(exponent + 1023)) << 52U;
  double power = 0.0;
  std::memcpy(&power, &bits, sizeof power);
  return power;
}

// Return e^x for x <= 0 with plain multiplications, additions and divisions, so that every processor and C
// library gives the same bits: libraries differ in the last one, which could change a sampled token.
inline double exponential(double x) {
  const double bounded = x > kLeast ? x : kLeast;
  const double shifted = bounded * kPerLog2 + 0.5;
  const auto towards_zero = static_cast<std::int32_t>(shifted);
  const std::int32_t whole = towards_zero - (static_cast<double>(towards_zero) > shifted ? 1 : 0);
  const double rest = bounded - whole * kLog2;  // within half a logarithm of 2 around 0
  // Taylor's series: what is left out is below 1e-17
  double sum = 1.0 + rest / 13.0;
  sum = 1.0 + rest / 12.0 * sum;
  sum = 1.0 + rest / 11.0 * sum;
  sum = 1.0 + rest / 10.0 * sum;
  sum = 1.0 + rest / 9.0 * sum;
  sum = 1.0 + rest / 8.0 * sum;
  sum = 1.0 + rest / 7.0 * sum;
  sum = 1.0 + rest / 6.0 * sum;
  sum = 1.0 + rest / 5.0 * sum;
  sum = 1.0 + rest / 4.0 * sum;
  sum = 1.0 + rest / 3.0 * sum;
  sum = 1.0 + rest / 2.0 * sum;
  sum = 1.0 + rest * sum;
  return x >= kLeast ? sum * power_of_two(whole) : 0.0;
}

// The same with a relative error below 1e-11: ten terms, no division.
inline double rough_exponential(double x) {
  const double bounded = x > kLeast ? x : kLeast;
  const double shifted = bounded * kPerLog2 - 0.5;
  const auto whole = static_cast<std::int32_t>(shifted);  // the nearest one: shifted is not above 0
  const double rest = bounded - whole * kLog2;
  double sum = 1.0 / 3628800.0;
  sum = 1.0 / 362880.0 + rest * sum;
  sum = 1.0 / 40320.0 + rest * sum;
  sum = 1.0 / 5040.0 + rest * sum;
  sum = 1.0 / 720.0 + rest * sum;
  sum = 1.0 / 120.0 + rest * sum;
  sum = 1.0 / 24.0 + rest * sum;
  sum = 1.0 / 6.0 + rest * sum;
  sum = 0.5 + rest * sum;
  sum = 1.0 + rest * sum;
  sum = 1.0 + rest * sum;
  return x >= kLeast ? sum * power_of_two(whole) : 0.0;
}

[[noreturn]] void refuse_no_number(const float* logits, std::size_t count) {
  const float* found = std::find_if(logits, logits + count, [](float logit) { return std::isnan(logit); });
  throw Error(LINNET_RUN_FAILED, "the logit of token " + std::to_string(found - logits) +
                                     " is no number; run linnet verify on the file");
}

// Return the largest of some logits, or throw.
float largest_of(const float* logits, std::size_t count) {
  float lanes[kLanes];
  std::uint32_t bad[kLanes] = {};
  std::fill_n(lanes, kLanes, -std::numeric_limits<float>::infinity());
  std::size_t place = 0;
  for (; place + kLanes <= count; place += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float logit = logits[place + lane];
      lanes[lane] = logit > lanes[lane] ? logit : lanes[lane];
      bad[lane] |= logit == logit ? 0U : 1U;
    }
  }
  for (; place < count; ++place) {
    const float logit = logits[place];
    lanes[0] = logit > lanes[0] ? logit : lanes[0];
    bad[0] |= logit == logit ? 0U : 1U;
  }
  if (std::any_of(bad, bad + kLanes, [](std::uint32_t found) { return found != 0; })) {
    refuse_no_number(logits, count);
  }
  return *std::max_element(lanes, lanes + kLanes);
}

}  // namespace

Largest find_largest(const float* logits, std::size_t count) {
  float best = largest_of(logits, std::min(count, kBlock));
  std::size_t block = 0;
  for (std::size_t start = kBlock; start < count; start += kBlock) {
    const float found = largest_of(logits + start, std::min(kBlock, count - start));
    if (found > best) {
      best = found;
      block = start;
    }
  }
  const float* place = std::find(logits + block, logits + count, best);
  return {static_cast<std::size_t>(place - logits), best};
}

void write_weights(const float* logits, std::size_t count, float largest, float temperature,
                   double* weights) {
  const double subtracted = largest;
  const double divisor = temperature;
  for (std::size_t i = 0; i < count; ++i) {
    weights[i] = exponential((static_cast<double>(logits[i]) - subtracted) / divisor);
  }
}

double rough_sum(const float* logits, std::size_t count, float largest, float temperature) {
  const double subtracted = largest;
  const double factor = 1.0 / temperature;
  double lanes[kLanes] = {};
  std::size_t place = 0;
  for (; place + kLanes <= count; place += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      lanes[lane] += rough_exponential((static_cast<double>(logits[place + lane]) - subtracted) * factor);
    }
  }
  for (; place < count; ++place) {
    lanes[0] += rough_exponential((static_cast<double>(logits[place]) - subtracted) * factor);
  }
  double sum = 0.0;
  for (const double lane : lanes) {
    sum += lane;
  }
  return sum;
}

}  // namespace linnet
