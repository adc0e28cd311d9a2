// What one call of LinnetBackend computes, as it stands in a program.
#ifndef LINNET_RUNTIME_KERNELS_LINEAR_CALL_H_
#define LINNET_RUNTIME_KERNELS_LINEAR_CALL_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/linear.h"

namespace linnet::kernels {

// Layers that read the same tokens, and what follows each of them.
struct LinearCall {
  static constexpr std::uint32_t kMostLayers = 64;

  // The names of its data in the program; empty without a bias or a residual.
  struct Layer {
    std::uint32_t outputs;
    std::string weight;
    std::string scale;
    std::string bias;
    std::string residual_scale;
  };

  std::uint32_t inputs = 0;
  Tail tail = Tail::kNone;
  // Which of the call's first arguments these are; equal if it has only one, and where there is no residual.
  std::uint32_t tokens_argument = 0;
  std::uint32_t residual_argument = 0;
  std::vector<Layer> layers;  // one, if there is a residual

  std::size_t arguments() const noexcept { return tokens_argument == residual_argument ? 1 : 2; }
};

// Reads the bytes that linnet_export/lower/custom_ops/linear_backend.py describes. Nothing if they are
// anything else, or of another version. Throws std::bad_alloc.
std::optional<LinearCall> read_linear_call(const void* data, std::size_t size);

}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_LINEAR_CALL_H_
