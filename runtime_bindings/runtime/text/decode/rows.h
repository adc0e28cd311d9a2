// Rows of float32 numbers, read from an output whose shape was checked.
#ifndef LINNET_RUNTIME_DECODE_ROWS_H_
#define LINNET_RUNTIME_DECODE_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "linnet.h"

namespace linnet {

// Borrowed from the tensor: float32 [rows, columns].
struct Rows {
  const float* data;
  std::size_t rows;
  std::size_t columns;

  const float* row(std::size_t at) const noexcept { return data + at * columns; }
};

// Read a tensor of `rank` 1 (one row) or 2, with or without a first axis of 1 for the batch. Throw
// LINNET_MANIFEST_INVALID for another rank or dtype, LINNET_INVALID_ARGUMENT for a negative extent or no
// data.
Rows read_rows(const linnet_tensor& tensor, std::int32_t rank);

// Return a shape as messages show it: "(9, 3)".
std::string shape_text(const linnet_tensor& tensor);

}  // namespace linnet

#endif  // LINNET_RUNTIME_DECODE_ROWS_H_
