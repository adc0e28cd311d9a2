// Packing of linear layers into panels, as the linear kernels read them.
#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/linear.h"

namespace linnet::kernels {
namespace {

constexpr std::size_t kBfloat16Bytes = 2;

// Return the float32 whose upper half are these bytes.
float from_bfloat16(const std::uint8_t* bytes) noexcept {
  std::uint16_t upper = 0;
  std::memcpy(&upper, bytes, sizeof upper);
  const std::uint32_t bits = static_cast<std::uint32_t>(upper) << 16U;
  float value = 0.0F;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace

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
  if (weights.bias != nullptr) {
    std::memcpy(biases_, weights.bias, outputs_ * sizeof(float));
  }
  if (weights.residual_scale != nullptr) {
    std::memcpy(residual_scales_, weights.residual_scale, outputs_ * sizeof(float));
  }
  if (packing_.int4) {
    pack_int4_rows(weights);
  } else {
    pack_rows(weights);
  }
  if (packing_.adds_four) {
    move_groups();
  }
}

void PackedLinear::pack_rows(const LinearWeights& weights) {
  std::memcpy(scales_, weights.scale, outputs_ * sizeof(float));
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

void PackedLinear::pack_int4_rows(const LinearWeights& weights) {
  const std::size_t width = packing_.width;
  const std::size_t together = packing_.inputs;
  std::fill(scales_, scales_ + outputs_, 1.0F);  // groups have their own
  for (std::size_t output = 0; output < outputs_; ++output) {
    const std::uint8_t* row = weights.weight + output * inputs_ / 2;
    const std::uint8_t* row_scales = weights.scale + output * (inputs_ / weights.shared) * kBfloat16Bytes;
    std::int8_t* panel_start = weights_ + output / width * groups() * packing_.group_bytes();
    double sum = 0.0;
    for (std::size_t group = 0; group < groups(); ++group) {
      std::int8_t* block = panel_start + group * packing_.group_bytes();
      const std::size_t first = group * kInt4Group;
      std::int32_t whole = 0;
      for (std::size_t i = 0; i < kInt4Group; ++i) {
        const std::size_t at = first + i;
        const unsigned number = static_cast<unsigned>(row[at / 2]) >> (at % 2 * 4) & 15U;
        const std::size_t unit = i / together;
        std::int8_t& to = block[(unit / 2 * width + output % width) * together + i % together];
        to = static_cast<std::int8_t>(static_cast<std::uint8_t>(to) | number << (unit % 2 * 4));
        whole += static_cast<std::int32_t>(number) - kInt4Offset;
      }
      const std::uint8_t* scale = row_scales + first / weights.shared * kBfloat16Bytes;
      std::memcpy(block + width * kInt4WeightBytes + output % width * kBfloat16Bytes, scale, kBfloat16Bytes);
      sum += whole * static_cast<double>(from_bfloat16(scale));
    }
    sums_[output] = static_cast<float>(sum);
  }
}

bool PackedLinear::may_overflow(const std::int8_t* group) const noexcept {
  constexpr std::int32_t kMost = INT16_MAX / 127;
  const std::size_t step = packing_.group_bytes();
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
  const std::size_t step = packing_.group_bytes();
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
