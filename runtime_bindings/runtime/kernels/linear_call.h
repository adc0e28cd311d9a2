// Description of one call of LinnetBackend, as a program stores it.
#ifndef LINNET_RUNTIME_KERNELS_LINEAR_CALL_H_
#define LINNET_RUNTIME_KERNELS_LINEAR_CALL_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/linear.h"

namespace linnet::kernels {

// Layers that read the same tokens, and the tail that follows each of them.
struct LinearCall {
  static constexpr std::uint32_t kMostLayers = 64;

  // The names of a layer's data in the program; `bias` and `residual_scale` are empty if it has none.
  struct Layer {
    std::uint32_t outputs;
    std::string weight;
    std::string scale;
    std::string bias;
    std::string residual_scale;
  };

  std::uint32_t inputs = 0;
  std::uint32_t shared = 0;  // LinearWeights::shared, of all layers
  Tail tail = Tail::kNone;
  // Positions among the call's arguments; equal if the call has only one, or no residual.
  std::uint32_t tokens_argument = 0;
  std::uint32_t residual_argument = 0;
  std::vector<Layer> layers;  // exactly one if there is a residual

  std::size_t arguments() const noexcept { return tokens_argument == residual_argument ? 1 : 2; }
};

// Read a description in the format of export/linnet_export/lower/custom_ops/linear_backend.py; return nothing
// for other bytes or another version. Throw std::bad_alloc.
std::optional<LinearCall> read_linear_call(const void* data, std::size_t size);

}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_LINEAR_CALL_H_
