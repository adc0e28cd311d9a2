// Packing of linear layers into panels, as the linear kernels read them.
#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/linear.h"

namespace linnet::kernels {

PackedLinear::PackedLinear(const LinearWeights& weights, const Packing& packing)
    : inputs_(weights.inputs),
      outputs_(weights.outputs),
      packing_(packing),
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
  if (packing_.adds_four) {
    move_groups();
  }
}

void PackedLinear::pack_rows(const LinearWeights& weights) {
  const std::size_t width = packing_.width;
  const std::size_t group_inputs = packing_.inputs;
  const std::size_t whole = inputs_ / group_inputs;
  const std::size_t rest = inputs_ % group_inputs;
  for (std::size_t output = 0; output < outputs_; ++output) {
    const std::uint8_t* row = weights.weight + output * inputs_;
    std::int8_t* to =
        weights_ + output / width * groups() * width * group_inputs + output % width * group_inputs;
    for (std::size_t group = 0; group < whole; ++group) {
      std::memcpy(to + group * width * group_inputs, row + group * group_inputs, group_inputs);
    }
    std::memcpy(to + whole * width * group_inputs, row + whole * group_inputs, rest);
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < inputs_; ++i) {
      const auto weight = static_cast<std::int8_t>(row[i]);
      sum += weight;
      has_least_ = has_least_ || weight == INT8_MIN;
    }
    sums_[output] = static_cast<float>(sum);
  }
}

bool PackedLinear::may_overflow(const std::int8_t* group) const noexcept {
  constexpr std::int32_t kMost = INT16_MAX / 127;
  const std::size_t step = group_bytes();
  for (std::size_t i = 0; i < step; i += 2) {
    std::int32_t positive = 0;
    std::int32_t negative = 0;
    for (const std::int8_t weight : {group[i], group[i + 1], group[step + i], group[step + i + 1]}) {
      (weight > 0 ? positive : negative) += weight;
    }
    if (positive > kMost || -negative > kMost) {
      return true;
    }
  }
  return false;
}

void PackedLinear::move_groups() {
  const std::size_t step = group_bytes();
  std::vector<std::uint32_t> found;  // the second group of each pair that may overflow
  std::vector<std::uint32_t> starts(1, 0);
  for (std::size_t number = 0; number < panels(); ++number) {
    for (std::size_t group = 0; group < groups(); group += 2) {
      if (may_overflow(panel(number) + group * step)) {
        found.push_back(static_cast<std::uint32_t>(group + 1));
      }
    }
    starts.push_back(static_cast<std::uint32_t>(found.size()));
  }
  moved_memory_.emplace(found.size() * step + (found.size() + starts.size()) * sizeof(std::uint32_t));
  moved_weights_ = reinterpret_cast<std::int8_t*>(moved_memory_->get());
  moved_groups_ = reinterpret_cast<std::uint32_t*>(moved_weights_ + found.size() * step);
  moved_starts_ = moved_groups_ + found.size();
  std::copy(found.begin(), found.end(), moved_groups_);
  std::copy(starts.begin(), starts.end(), moved_starts_);
  for (std::size_t number = 0; number < panels(); ++number) {
    for (std::size_t i = starts[number]; i < starts[number + 1]; ++i) {
      std::int8_t* from = weights_ + (number * groups() + found[i]) * step;
      std::memcpy(moved_weights_ + i * step, from, step);
      std::memset(from, 0, step);
    }
  }
}

}  // namespace linnet::kernels
