// Int8 linear kernel in plain C++, for every processor.
#include <algorithm>
#include <cmath>

#include "kernels/linear.h"

namespace linnet::kernels {
namespace {

// Zero if the value is no number: std::max then returns its first argument.
std::uint8_t to_byte(float value) {
  return static_cast<std::uint8_t>(std::nearbyintf(std::min(std::max(0.0F, value), kSteps)));
}

void round_rows(const float* x, std::size_t inputs, std::size_t first, std::size_t last,
                const RoundedRows& out) {
  for (std::size_t row = first; row < last; ++row) {
    const float* from = x + row * inputs;
    float least = 0.0F;
    float largest = 0.0F;
    for (std::size_t i = 0; i < inputs; ++i) {
      least = std::min(least, from[i]);
      largest = std::max(largest, from[i]);
    }
    const float scale = std::max((largest - least) / kSteps, kSmallestScale);
    const float zero = to_byte(-least / scale);
    std::uint8_t* to = out.bytes + row * out.stride;
    for (std::size_t i = 0; i < inputs; ++i) {
      to[i] = to_byte(from[i] * (1.0F / scale) + zero);
    }
    std::fill(to + inputs, to + out.stride, std::uint8_t{0});
    out.scales[row] = scale;
    out.zeros[row] = zero;
  }
}

float finished(float value, Tail tail) {
  switch (tail) {
    case Tail::kGelu:
      return 0.5F * value * (1.0F + std::erf(value * 0.70710678F));
    case Tail::kRelu:
      return std::max(value, 0.0F);
    case Tail::kNone:
    case Tail::kResidual:
      break;
  }
  return value;
}

std::int32_t product(const PackedLinear& layer, const std::uint8_t* row, std::size_t output) {
  const std::int8_t* weight = layer.panel(output / kPanel) + output % kPanel * kInputs;
  std::int32_t sum = 0;
  for (std::size_t group = 0; group < layer.groups(); ++group, weight += kPanel * kInputs) {
    for (std::size_t i = 0; i < kInputs; ++i) {
      sum += row[group * kInputs + i] * weight[i];
    }
  }
  return sum;
}

void multiply(const PackedLinear& layer, Tail tail, const RoundedRows& rows, std::size_t count,
              const float* residual, std::size_t first, std::size_t last, float* out) {
  const std::size_t end = std::min(last * kPanel, layer.outputs());
  for (std::size_t row = 0; row < count; ++row) {
    const std::uint8_t* bytes = rows.bytes + row * rows.stride;
    for (std::size_t output = first * kPanel; output < end; ++output) {
      const float zeros = rows.zeros[row] * layer.sums(0)[output];
      const float sum = static_cast<float>(product(layer, bytes, output)) - zeros;
      const float scale = rows.scales[row] * layer.scales(0)[output];
      const std::size_t at = row * layer.outputs() + output;
      const float added = tail == Tail::kResidual ? residual[at] * layer.residual_scales(0)[output] : 0.0F;
      out[at] = finished(sum * scale + layer.biases(0)[output] + added, tail);
    }
  }
}

}  // namespace

LinearKernel portable_linear() noexcept { return {round_rows, multiply}; }

}  // namespace linnet::kernels
