#include "decode/rows.h"

#include "status.h"

namespace linnet {

std::string shape_text(const linnet_tensor& tensor) {
  std::string text = "(";
  for (std::int32_t i = 0; i < tensor.rank && i < LINNET_MAX_RANK; ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(tensor.shape[i]);
  }
  return text + (tensor.rank == 1 ? ",)" : ")");
}

Rows read_rows(const linnet_tensor& tensor, std::int32_t rank) {
  if (tensor.dtype != LINNET_FLOAT32) {
    throw Error(LINNET_MANIFEST_INVALID, "an output is not float32; export the file again");
  }
  const bool batched = tensor.rank == rank + 1 && tensor.shape[0] == 1;
  if (tensor.rank != rank && !batched) {
    throw Error(LINNET_MANIFEST_INVALID, "an output has the shape " + shape_text(tensor) + ", expected " +
                                             std::to_string(rank) + " axes; export the file again");
  }
  const std::int64_t* shape = tensor.shape + (batched ? 1 : 0);
  const std::int64_t rows = rank == 2 ? shape[0] : 1;
  const std::int64_t columns = shape[rank - 1];
  constexpr std::int64_t kLargest = 1'099'511'627'776;  // 2^40 floats, of all rows together
  if (rows < 0 || columns < 0 || columns > kLargest || (columns > 0 && rows > kLargest / columns) ||
      (rows > 0 && columns > 0 && tensor.data == nullptr)) {
    throw Error(LINNET_INVALID_ARGUMENT,
                "an output has the shape " + shape_text(tensor) + ", which memory cannot hold, or no data");
  }
  return {static_cast<const float*>(tensor.data), static_cast<std::size_t>(rows),
          static_cast<std::size_t>(columns)};
}

}  // namespace linnet
