// Linear layers y = x W^T + b with int8 weights, one scale per output, or int4 weights, one scale for each
// group of an output's inputs, and activations that are rounded to 8 bits, for int8 weights also to 7, with
// one scale and zero point per token.
//
// Rounding follows torchao's dynamic quantization (`choose_qparams_per_token_asymmetric`): the range of a
// token, widened to include zero, is divided into 255 steps so that zero is one of the 256 values. With 7
// bits it is 127 steps. Products are exact int32 sums, with int4 weights over a group.
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
  // int8 [outputs, inputs]; or int4 + 8, two in a byte [outputs, inputs / 2], the first in its lower half
  const std::uint8_t* weight;
  const std::uint8_t* scale;                     // float32 [outputs]; or bfloat16 [outputs, inputs / shared]
  const std::uint8_t* bias;                      // float32 [outputs], or null
  const std::uint8_t* residual_scale = nullptr;  // float32 [outputs], or null
  // int4: inputs with the same scale, a multiple of kInt4Group and a divisor of `inputs`; 0 with int8
  std::size_t shared = 0;
};

// Inputs of a group of int4 weights in a packed layer, and the bytes of its weights and scale for an output.
// Larger groups of a program become several with the same scale.
constexpr std::size_t kInt4Group = 32;
constexpr std::size_t kInt4WeightBytes = kInt4Group / 2;
constexpr std::size_t kInt4GroupBytes = kInt4WeightBytes + 2;
// What is added to an int4 weight so that it is not negative, and taken from an activation beside it so that
// it is signed.
constexpr std::int32_t kInt4Offset = 8;
constexpr std::int32_t kInt4ActivationOffset = 128;

// What a kernel asks of the order of a layer's weights.
struct Packing {
  std::size_t width;   // of a panel: outputs that are computed at once, a multiple of 16
  std::size_t inputs;  // inputs whose weights lie together, a multiple of 4; with int8, a group
  // The kernel adds four products of 7-bit activations in an int16: those of two inputs in a group and of the
  // same two in the next. Groups of a pair that could overflow are computed apart; there is an even number of
  // groups.
  bool adds_four;
  bool int4;

  constexpr std::size_t group_inputs() const noexcept { return int4 ? kInt4Group : inputs; }
  constexpr std::size_t group_bytes() const noexcept { return width * (int4 ? kInt4GroupBytes : inputs); }
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
    const std::size_t whole = (inputs_ + packing_.group_inputs() - 1) / packing_.group_inputs();
    return packing_.adds_four ? (whole + 1) / 2 * 2 : whole;
  }
  // Return the bytes of a row of rounded activations and what lies behind them (RoundedRows); a number takes
  // `number_bytes`.
  std::size_t row_bytes(std::size_t number_bytes) const noexcept {
    const std::size_t behind = packing_.int4 ? sizeof(std::int32_t) : 0;
    return groups() * (packing_.group_inputs() * number_bytes + behind);
  }
  // Tell whether some weight is -128.
  bool has_least() const noexcept { return has_least_; }
  std::size_t panels() const noexcept { return (outputs_ + packing_.width - 1) / packing_.width; }
  // Return the weights of a panel, borrowed: int8 [groups][width][inputs of a group]; or for each group int4
  // [pairs][width][inputs that lie together], whose bytes have a weight + 8 of the first of a pair in the
  // lower half and of the second in the upper one, and bfloat16 scales [width].
  const std::int8_t* panel(std::size_t number) const noexcept {
    return weights_ + number * groups() * packing_.group_bytes();
  }
  MovedGroups moved(std::size_t panel) const noexcept {
    if (!packing_.adds_four) {
      return {nullptr, nullptr, 0};
    }
    const std::size_t first = moved_starts_[panel];
    return {moved_groups_ + first, moved_weights_ + first * packing_.group_bytes(),
            moved_starts_[panel + 1] - first};
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
  std::size_t weight_bytes() const noexcept {
    const std::size_t bytes = panels() * groups() * packing_.group_bytes();
    return (bytes + Block::kAlignment - 1) / Block::kAlignment * Block::kAlignment;
  }
  std::size_t padded_outputs() const noexcept { return panels() * packing_.width; }
  void pack_rows(const LinearWeights& weights);
  void pack_int4_rows(const LinearWeights& weights);
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
  float* sums_;  // of each output's weights, int4 ones times their scales: what a zero point of 1 adds
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
  // [rows][stride], zeros behind the inputs; a number takes LinearKernel::number_bytes. For int4 weights,
  // behind a row are int32 [groups]: -8 times the sum of its numbers of a group, which undoes that weights
  // are 8 more.
  std::uint8_t* bytes;
  std::size_t stride;  // PackedLinear::row_bytes()
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
