// Packing of linear layers into panels, as the linear kernels read them.
#include <cstring>

#include "kernels/linear.h"

namespace linnet::kernels {

PackedLinear::PackedLinear(const LinearWeights& weights, std::size_t width)
    : inputs_(weights.inputs),
      outputs_(weights.outputs),
      width_(width),
      memory_(weight_bytes() + 4 * padded_outputs() * sizeof(float)) {
  const std::size_t floats = padded_outputs();
  weights_ = reinterpret_cast<std::int8_t*>(memory_.get());
  sums_ = reinterpret_cast<float*>(memory_.get() + weight_bytes());
  scales_ = sums_ + floats;
  biases_ = scales_ + floats;
  residual_scales_ = biases_ + floats;
  std::memcpy(scales_, weights.scale, outputs_ * sizeof(float));
  if (weights.bias != nullptr) {
    std::memcpy(biases_, weights.bias, outputs_ * sizeof(float));
  }
  if (weights.residual_scale != nullptr) {
    std::memcpy(residual_scales_, weights.residual_scale, outputs_ * sizeof(float));
  }
  pack_rows(weights);
}

void PackedLinear::pack_rows(const LinearWeights& weights) {
  const std::size_t whole = inputs_ / kInputs;
  const std::size_t rest = inputs_ % kInputs;
  for (std::size_t output = 0; output < outputs_; ++output) {
    const std::uint8_t* row = weights.weight + output * inputs_;
    std::int8_t* to = weights_ + output / width_ * groups() * width_ * kInputs + output % width_ * kInputs;
    for (std::size_t group = 0; group < whole; ++group) {
      std::memcpy(to + group * width_ * kInputs, row + group * kInputs, kInputs);
    }
    std::memcpy(to + whole * width_ * kInputs, row + whole * kInputs, rest);
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < inputs_; ++i) {
      const auto weight = static_cast<std::int8_t>(row[i]);
      sum += weight;
      has_least_ = has_least_ || weight == INT8_MIN;
    }
    sums_[output] = static_cast<float>(sum);
  }
}

}  // namespace linnet::kernels
