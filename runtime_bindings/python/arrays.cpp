#include "arrays.h"

#include <string>
#include <utility>

namespace linnet_python {

namespace {

// Return an input as a contiguous array; a strided one is copied. Only int64 is taken, because a silent
// conversion of the dtype would hide a mistake.
InputArray input_array(nb::handle value, std::size_t index) {
  nb::ndarray<nb::ro, nb::device::cpu> any;
  InputArray array;
  if (!nb::try_cast(value, any, false) || any.dtype() != nb::dtype<std::int64_t>() ||
      !nb::try_cast(value, array, true)) {
    raise(LINNET_INPUT_SHAPE, "input " + std::to_string(index) + " is not an int64 numpy array");
  }
  return array;
}

nb::object output_array(const linnet_tensor& tensor) {
  const std::vector<std::size_t> shape(tensor.shape, tensor.shape + tensor.rank);
  switch (tensor.dtype) {
    case LINNET_FLOAT32:
      return fresh_array(static_cast<const float*>(tensor.data), shape);
    case LINNET_INT64:
      return fresh_array(static_cast<const std::int64_t*>(tensor.data), shape);
    case LINNET_INT32:
      return fresh_array(static_cast<const std::int32_t*>(tensor.data), shape);
    case LINNET_BOOLEAN:
      return fresh_array(static_cast<const bool*>(tensor.data), shape);
  }
  raise(LINNET_INTERNAL, "an output has an unknown dtype");
}

}  // namespace

void add_input(Inputs& inputs, nb::handle value) {
  const std::size_t index = inputs.arrays.size();
  InputArray array = input_array(value, index);
  if (array.ndim() > LINNET_MAX_RANK) {
    raise(LINNET_INPUT_SHAPE, "input " + std::to_string(index) + " has " + std::to_string(array.ndim()) +
                                  " dimensions, expected 2");
  }
  linnet_tensor tensor = {LINNET_INT64, static_cast<std::int32_t>(array.ndim()), {}, array.data()};
  for (std::size_t i = 0; i < array.ndim(); ++i) {
    tensor.shape[i] = static_cast<std::int64_t>(array.shape(i));
  }
  inputs.arrays.push_back(std::move(array));
  inputs.tensors.push_back(tensor);
}

nb::list output_arrays(const Outputs& outputs) {
  nb::list arrays;
  for (std::size_t i = 0; i < linnet_outputs_count(outputs.get()); ++i) {
    linnet_tensor tensor = {};
    check(linnet_outputs_tensor(outputs.get(), i, &tensor));
    arrays.append(output_array(tensor));
  }
  return arrays;
}

nb::list output_buffers(Outputs outputs) {
  linnet_outputs* const raw = outputs.release();
  const nb::capsule owner(raw,
                          [](void* p) noexcept { linnet_outputs_free(static_cast<linnet_outputs*>(p)); });
  nb::list buffers;
  for (std::size_t i = 0; i < linnet_outputs_count(raw); ++i) {
    linnet_tensor tensor = {};
    check(linnet_outputs_tensor(raw, i, &tensor));
    if (tensor.dtype != LINNET_FLOAT32) {
      raise(LINNET_MANIFEST_INVALID, "output " + std::to_string(i) + " is not float32");
    }
    const std::vector<std::size_t> shape(tensor.shape, tensor.shape + tensor.rank);
    buffers.append(nb::cast(nb::ndarray<nb::array_api, const float>(static_cast<const float*>(tensor.data),
                                                                    shape.size(), shape.data(), owner)));
  }
  return buffers;
}

linnet_tensor tensor_of(const Floats& array) {
  if (array.ndim() > LINNET_MAX_RANK) {
    raise(LINNET_INPUT_SHAPE, "an output has " + std::to_string(array.ndim()) + " dimensions");
  }
  linnet_tensor tensor = {LINNET_FLOAT32, static_cast<std::int32_t>(array.ndim()), {}, array.data()};
  for (std::size_t i = 0; i < array.ndim(); ++i) {
    tensor.shape[i] = static_cast<std::int64_t>(array.shape(i));
  }
  return tensor;
}

std::vector<linnet_tensor> tensors_of(const std::vector<Floats>& arrays) {
  std::vector<linnet_tensor> tensors;
  tensors.reserve(arrays.size());
  for (const Floats& array : arrays) {
    tensors.push_back(tensor_of(array));
  }
  return tensors;
}

}  // namespace linnet_python
