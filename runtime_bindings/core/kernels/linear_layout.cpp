#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "kernels/linear.h"

namespace linnet::kernels {
namespace {

constexpr std::size_t kAlignment = 64;

}  // namespace

void PackedLinear::Free::operator()(void* memory) const noexcept { std::free(memory); }

template <typename T>
PackedLinear::Aligned<T> PackedLinear::zeros(std::size_t count) {
  const std::size_t size = (count * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
  void* memory = std::aligned_alloc(kAlignment, std::max(size, kAlignment));
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  std::memset(memory, 0, size);
  return Aligned<T>(static_cast<T*>(memory));
}

PackedLinear::PackedLinear(const LinearWeights& weights)
    : inputs_(weights.inputs),
      outputs_(weights.outputs),
      weights_(zeros<std::int8_t>(panels() * groups() * kPanel * kInputs)),
      sums_(zeros<float>(panels() * kPanel)),
      scales_(zeros<float>(panels() * kPanel)),
      biases_(zeros<float>(panels() * kPanel)),
      residual_scales_(zeros<float>(panels() * kPanel)) {
  std::memcpy(scales_.get(), weights.scale, outputs_ * sizeof(float));
  if (weights.bias != nullptr) {
    std::memcpy(biases_.get(), weights.bias, outputs_ * sizeof(float));
  }
  if (weights.residual_scale != nullptr) {
    std::memcpy(residual_scales_.get(), weights.residual_scale, outputs_ * sizeof(float));
  }
  pack_rows(weights);
}

void PackedLinear::pack_rows(const LinearWeights& weights) {
  const std::size_t whole = inputs_ / kInputs;
  const std::size_t rest = inputs_ % kInputs;
  for (std::size_t output = 0; output < outputs_; ++output) {
    const std::uint8_t* row = weights.weight + output * inputs_;
    std::int8_t* to =
        weights_.get() + output / kPanel * groups() * kPanel * kInputs + output % kPanel * kInputs;
    for (std::size_t group = 0; group < whole; ++group) {
      std::memcpy(to + group * kPanel * kInputs, row + group * kInputs, kInputs);
    }
    std::memcpy(to + whole * kPanel * kInputs, row + whole * kInputs, rest);
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < inputs_; ++i) {
      sum += static_cast<std::int8_t>(row[i]);
    }
    sums_[output] = static_cast<float>(sum);
  }
}

}  // namespace linnet::kernels
