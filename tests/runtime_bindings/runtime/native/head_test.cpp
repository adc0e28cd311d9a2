// Logits by rows of an int8 table: every kernel against sums in 64 bits, at the largest sums that it may
// have.
#include "kernels/head.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

#include "kernels/dispatch.h"

namespace {

using linnet::kernels::HeadInput;
using linnet::kernels::HeadKernel;
using linnet::kernels::kWidestHead;
using linnet::kernels::largest_state;
using linnet::kernels::usable_kernels;

constexpr std::size_t kRows = 3;
constexpr std::size_t kOutputs = 5;
constexpr float kUntouched = 12345.0F;

int failures = 0;

// States and weights of one call; `extreme` makes all of them as large as they can be.
struct Case {
  std::vector<std::int16_t> states;
  std::vector<std::int8_t> weights;
  std::vector<float> state_scales = {0.5F, 3.0F, 1e-7F};
  std::vector<float> scales = {1.0F, 0.25F, 1e-3F, 7.0F, 0.1F};

  Case(std::size_t width, bool extreme) : states(kRows * width), weights(kOutputs * width) {
    std::mt19937 random(static_cast<unsigned>(width));
    const std::int32_t most = largest_state(width);
    std::uniform_int_distribution<std::int32_t> state(-most, most);
    std::uniform_int_distribution<std::int32_t> weight(-128, 127);
    std::generate(states.begin(), states.end(),
                  [&] { return static_cast<std::int16_t>(extreme ? -most : state(random)); });
    std::generate(weights.begin(), weights.end(),
                  [&] { return static_cast<std::int8_t>(extreme ? -128 : weight(random)); });
  }

  HeadInput input() const {
    return {states.data(),  state_scales.data(), kRows,   weights.size() / kOutputs,
            weights.data(), scales.data(),       kOutputs};
  }

  float logit(std::size_t row, std::size_t output) const {
    const std::size_t width = weights.size() / kOutputs;
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < width; ++i) {
      sum += std::int64_t{states[row * width + i]} * weights[output * width + i];
    }
    return static_cast<float>(sum) * state_scales[row] * scales[output];
  }
};

// Compute the outputs of the middle, as a thread would do them: the others must stay as they are.
void compare(HeadKernel kernel, const char* name, std::size_t width, bool extreme) {
  const Case given(width, extreme);
  std::vector<float> out(kRows * kOutputs, kUntouched);
  kernel(given.input(), 1, kOutputs - 1, out.data());
  for (std::size_t row = 0; row < kRows; ++row) {
    for (std::size_t output = 0; output < kOutputs; ++output) {
      const bool computed = output >= 1 && output + 1 < kOutputs;
      const float expected = computed ? given.logit(row, output) : kUntouched;
      const float found = out[row * kOutputs + output];
      if (!(found == expected)) {
        ++failures;
        std::printf("%s, width %zu, row %zu, output %zu: %g, expected %g\n", name, width, row, output,
                    static_cast<double>(found), static_cast<double>(expected));
      }
    }
  }
}

}  // namespace

int main() {
  std::size_t count = 0;
  const auto* const* kernels = usable_kernels(count);
  for (const std::size_t width : {std::size_t{1}, std::size_t{31}, std::size_t{64}, std::size_t{576},
                                  std::size_t{2048}, std::size_t{5001}, kWidestHead}) {
    for (const bool extreme : {false, true}) {
      for (std::size_t i = 0; i < count; ++i) {
        compare(kernels[i]->head, kernels[i]->name, width, extreme);
      }
    }
  }
  std::printf("%d failed\n", failures);
  return failures == 0 ? 0 : 1;
}
