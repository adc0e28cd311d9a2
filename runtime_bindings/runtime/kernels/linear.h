// Linear layers y = x W^T + b with int8 weights, one scale per output, and activations that are rounded to 8
// or 7 bits with one scale and zero point per token.
//
// Rounding follows torchao's dynamic quantization (`choose_qparams_per_token_asymmetric`): the range of a
// token, widened to include zero, is divided into 255 steps so that zero is one of the 256 values. With 7
// bits it is 127 steps. Products are exact int32 sums.
#ifndef LINNET_RUNTIME_KERNELS_LINEAR_H_
#define LINNET_RUNTIME_KERNELS_LINEAR_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "memory/block.h"

namespace linnet::kernels {

// Return the steps between the least and the largest value of a token.
constexpr float steps_of(int bits) noexcept { return bits == 7 ? 127.0F : 255.0F; }

// The smallest scale of a token, as in torchao: the epsilon of float32. A token of zeros would have the scale
// 0.
constexpr float kSmallestScale = 1.1920929e-7F;

// ExecuTorch's name of the backend, and of its option for a load: the bits of rounded activations, 7 or 8
// (the default).
constexpr char kLinearBackend[] = "LinnetBackend";
constexpr char kActivationBits[] = "activation_bits";

// What follows the products and the bias: nothing, GELU by the error function, ReLU, the addition of other
// rows times a scale for each output, GELU by the hyperbolic tangent, or SiLU.
enum class Tail : std::uint32_t { kNone = 0, kGelu = 1, kRelu = 2, kResidual = 3, kGeluTanh = 4, kSilu = 5 };

// A layer as a program stores it, borrowed. Nothing needs to be aligned.
struct LinearWeights {
  std::size_t inputs;
  std::size_t outputs;
  const std::uint8_t* weight;                    // int8 [outputs, inputs]
  const std::uint8_t* scale;                     // float32 [outputs]
  const std::uint8_t* bias;                      // float32 [outputs], or null
  const std::uint8_t* residual_scale = nullptr;  // float32 [outputs], or null
};

// What a kernel asks of the order of a layer's weights.
struct Packing {
  std::size_t width;   // of a panel: outputs that are computed at once, a multiple of 16
  std::size_t inputs;  // of a group: inputs whose weights lie together, a multiple of 4
  // The kernel adds four products of 7-bit activations in an int16: those of two inputs in a group and of the
  // same two in the next. Groups of a pair that could overflow are computed apart; there is an even number of
  // groups.
  bool adds_four;
};

// Groups of a panel whose weights are not in their places, where zeros are, but here; borrowed.
struct MovedGroups {
  const std::uint32_t* groups;  // [count]
  const std::int8_t* weights;   // [count][width][inputs of a group]
  std::size_t count;
};

// A layer in the order in which a kernel reads it. Outputs are padded with zeros to whole panels of as many
// as the kernel computes at once, inputs to whole groups.
class PackedLinear {
 public:
  // Copy and reorder a layer. Throw std::bad_alloc.
  PackedLinear(const LinearWeights& weights, const Packing& packing);

  std::size_t inputs() const noexcept { return inputs_; }
  std::size_t outputs() const noexcept { return outputs_; }
  std::size_t groups() const noexcept {
    const std::size_t whole = (inputs_ + packing_.inputs - 1) / packing_.inputs;
    return packing_.adds_four ? (whole + 1) / 2 * 2 : whole;
  }
  // Return the bytes of a row of rounded activations, zeros behind the inputs included; a number takes
  // `number_bytes`.
  std::size_t row_bytes(std::size_t number_bytes) const noexcept {
    return groups() * packing_.inputs * number_bytes;
  }
  // Tell whether some weight is -128.
  bool has_least() const noexcept { return has_least_; }
  std::size_t panels() const noexcept { return (outputs_ + packing_.width - 1) / packing_.width; }
  // Return the weights of a panel, borrowed: int8 [groups][width][inputs of a group].
  const std::int8_t* panel(std::size_t number) const noexcept {
    return weights_ + number * groups() * group_bytes();
  }
  MovedGroups moved(std::size_t panel) const noexcept {
    if (!packing_.adds_four) {
      return {nullptr, nullptr, 0};
    }
    const std::size_t first = moved_starts_[panel];
    return {moved_groups_ + first, moved_weights_ + first * group_bytes(), moved_starts_[panel + 1] - first};
  }
  // Return numbers of a panel's outputs, borrowed: float32 [width] each.
  const float* sums(std::size_t panel) const noexcept { return sums_ + panel * packing_.width; }
  const float* scales(std::size_t panel) const noexcept { return scales_ + panel * packing_.width; }
  const float* biases(std::size_t panel) const noexcept { return biases_ + panel * packing_.width; }
  const float* residual_scales(std::size_t panel) const noexcept {
    return residual_scales_ + panel * packing_.width;
  }

 private:
  // Return the size of the weights, a multiple of Block::kAlignment, so that the floats behind them are
  // aligned.
  std::size_t weight_bytes() const noexcept { return panels() * groups() * group_bytes(); }
  std::size_t group_bytes() const noexcept { return packing_.width * packing_.inputs; }
  std::size_t padded_outputs() const noexcept { return panels() * packing_.width; }
  void pack_rows(const LinearWeights& weights);
  // Tell whether four products of a group, the next one and activations up to 127 may not fit in an int16.
  bool may_overflow(const std::int8_t* group) const noexcept;
  void move_groups();

  std::size_t inputs_;
  std::size_t outputs_;
  Packing packing_;
  bool has_least_ = false;
  // the weights, then padded_outputs() of each kind of float; in one block, because many small ones of layers
  // that come and go would leave holes in the heap
  Block memory_;
  std::int8_t* weights_;
  float* sums_;  // of each output's weights: what a zero point of 1 adds to its product
  float* scales_;
  float* biases_;
  float* residual_scales_;
  std::optional<Block> moved_memory_;  // the arrays below, one after the other
  std::int8_t* moved_weights_ = nullptr;
  std::uint32_t* moved_groups_ = nullptr;
  std::uint32_t* moved_starts_ = nullptr;  // [panels() + 1]
};

// Rounded tokens, borrowed: x is about (number - zero) * scale.
struct RoundedRows {
  std::uint8_t* bytes;  // [rows][stride], zeros behind the inputs; a number takes LinearKernel::number_bytes
  std::size_t stride;   // PackedLinear::row_bytes()
  float* scales;
  float* zeros;  // whole numbers
};

struct LinearKernel {
  Packing packing;
  std::size_t number_bytes;  // of a rounded activation in memory, 1 or 2
  std::int32_t offset;       // taken from it there, so that it is signed; else it is unsigned
  // Round the rows [first, last) of float32 [rows, inputs] to the same rows of `out`.
  void (*round_rows)(const float* x, std::size_t inputs, std::size_t first, std::size_t last,
                     const RoundedRows& out);
  // Write the outputs of the panels [first, last) for `count` rows to `out`, float32 [count, outputs]. The
  // residual has the same shape for kResidual, and is null otherwise.
  void (*multiply)(const PackedLinear& layer, Tail tail, const RoundedRows& rows, std::size_t count,
                   const float* residual, std::size_t first, std::size_t last, float* out);
};

}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_LINEAR_H_
