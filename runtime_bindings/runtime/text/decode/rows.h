// An output read as rows of float32 numbers, its shape checked.
#ifndef LINNET_RUNTIME_DECODE_ROWS_H_
#define LINNET_RUNTIME_DECODE_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "linnet.h"

namespace linnet {

struct Rows {
  const float* data;
  std::size_t rows;
  std::size_t columns;

  const float* row(std::size_t at) const noexcept { return data + at * columns; }
};

// A tensor of `rank` 1 (one row) or 2, perhaps with a first axis of 1 before it. Throws
// Error(LINNET_MANIFEST_INVALID) if it has another rank or dtype.
Rows read_rows(const linnet_tensor& tensor, std::int32_t rank);

// "(9, 3)": how messages show a shape.
std::string shape_text(const linnet_tensor& tensor);

}  // namespace linnet

#endif  // LINNET_RUNTIME_DECODE_ROWS_H_
