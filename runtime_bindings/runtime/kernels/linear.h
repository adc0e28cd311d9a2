// Linear layers of int8 weights and of activations that are rounded to 8 bits with one scale and zero point
// per token: y = x W^T + b.
//
// Rounding is that of torchao's dynamic quantization (`choose_qparams_per_token_asymmetric`): the range of a
// token is spread over 256 steps so that zero is one of them. Products are exact int32 sums.
#ifndef LINNET_RUNTIME_KERNELS_LINEAR_H_
#define LINNET_RUNTIME_KERNELS_LINEAR_H_

#include <cstddef>
#include <cstdint>

#include "memory/block.h"

namespace linnet::kernels {

constexpr std::size_t kPanel = 32;  // outputs that are computed at once
constexpr std::size_t kInputs = 4;  // bytes that one dot-product lane takes
constexpr float kSteps = 255.0F;    // between the least and the largest of a token
// The smallest scale of a token, as torchao has it: float32's epsilon.
constexpr float kSmallestScale = 1.1920929e-7F;

// What follows the products and the bias. kResidual adds other rows, times a scale for each output.
enum class Tail : std::uint32_t { kNone = 0, kGelu = 1, kRelu = 2, kResidual = 3 };

// A layer as a program holds it. Nothing needs to be aligned.
struct LinearWeights {
  std::size_t inputs;
  std::size_t outputs;
  const std::uint8_t* weight;                    // int8 [outputs, inputs]
  const std::uint8_t* scale;                     // float32 [outputs]
  const std::uint8_t* bias;                      // float32 [outputs], or null
  const std::uint8_t* residual_scale = nullptr;  // float32 [outputs], or null
};

// A layer in the order in which a kernel reads it. Outputs are rounded up to whole panels, inputs to whole
// groups of kInputs; what is added is zeros.
class PackedLinear {
 public:
  // Throws std::bad_alloc.
  explicit PackedLinear(const LinearWeights& weights);

  std::size_t inputs() const noexcept { return inputs_; }
  std::size_t outputs() const noexcept { return outputs_; }
  std::size_t groups() const noexcept { return (inputs_ + kInputs - 1) / kInputs; }
  std::size_t panels() const noexcept { return (outputs_ + kPanel - 1) / kPanel; }
  // int8 [groups][kPanel][kInputs]
  const std::int8_t* panel(std::size_t number) const noexcept {
    return weights_ + number * groups() * kPanel * kInputs;
  }
  // [kPanel] each
  const float* sums(std::size_t panel) const noexcept { return sums_ + panel * kPanel; }
  const float* scales(std::size_t panel) const noexcept { return scales_ + panel * kPanel; }
  const float* biases(std::size_t panel) const noexcept { return biases_ + panel * kPanel; }
  const float* residual_scales(std::size_t panel) const noexcept { return residual_scales_ + panel * kPanel; }

 private:
  // A multiple of Block::kAlignment.
  std::size_t weight_bytes() const noexcept { return panels() * groups() * kPanel * kInputs; }
  std::size_t padded_outputs() const noexcept { return panels() * kPanel; }
  void pack_rows(const LinearWeights& weights);

  std::size_t inputs_;
  std::size_t outputs_;
  // One block, since many small ones of layers that come and go leave holes: the weights, then kPanel of each
  // float for every panel.
  Block memory_;
  std::int8_t* weights_;
  float* sums_;  // of an output's weights: what a zero point of 1 adds
  float* scales_;
  float* biases_;
  float* residual_scales_;
};

// Rounded tokens: x is about (byte - zero) * scale.
struct RoundedRows {
  std::uint8_t* bytes;  // [rows][stride], zeros behind the inputs
  std::size_t stride;   // a multiple of kInputs, not less than the inputs
  float* scales;
  float* zeros;  // whole numbers
};

struct LinearKernel {
  // Rounds the rows [first, last) of float32 [rows, inputs].
  void (*round_rows)(const float* x, std::size_t inputs, std::size_t first, std::size_t last,
                     const RoundedRows& out);
  // Writes the outputs of the panels [first, last) for `count` rows to float32 [count, outputs]. The residual
  // is float32 [count, outputs], null but for kResidual.
  void (*multiply)(const PackedLinear& layer, Tail tail, const RoundedRows& rows, std::size_t count,
                   const float* residual, std::size_t first, std::size_t last, float* out);
};

// Plain C++, for every processor.
LinearKernel portable_linear() noexcept;

// The kernel of this processor's dot-product instructions, or one with null pointers if there is none.
LinearKernel fast_linear() noexcept;

}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_LINEAR_H_
