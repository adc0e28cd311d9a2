// What one call of LinnetBackend computes, as it stands in a program.
#ifndef LINNET_CORE_KERNELS_LINEAR_CALL_H_
#define LINNET_CORE_KERNELS_LINEAR_CALL_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/linear.h"

namespace linnet::kernels {

// Layers that read the same tokens, and the activation behind each of them.
struct LinearCall {
  // The names of its data in the program; without a bias that name is empty.
  struct Layer {
    std::uint32_t outputs;
    std::string weight;
    std::string scale;
    std::string bias;
  };

  std::uint32_t inputs = 0;
  Activation activation = Activation::kNone;
  std::vector<Layer> layers;
};

// Reads the bytes that linnet_export/own_operators/linear_backend.py describes. Nothing if they are anything
// else, or of another version. Throws std::bad_alloc.
std::optional<LinearCall> read_linear_call(const void* data, std::size_t size);

}  // namespace linnet::kernels

#endif  // LINNET_CORE_KERNELS_LINEAR_CALL_H_
