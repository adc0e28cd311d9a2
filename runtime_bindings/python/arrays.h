// Conversion between numpy arrays and tensors of linnet.h.
#ifndef LINNET_PYTHON_ARRAYS_H_
#define LINNET_PYTHON_ARRAYS_H_

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "convert.h"
#include "linnet.h"

namespace linnet_python {

namespace nb = nanobind;

using Integers = nb::ndarray<const std::int64_t, nb::c_contig, nb::device::cpu>;
using SmallIntegers = nb::ndarray<const std::int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Floats = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;

// Return a new numpy array of this shape with a copy of the elements at `data`.
template <typename Element>
nb::object fresh_array(const Element* data, const std::vector<std::size_t>& shape) {
  std::size_t count = 1;
  for (const std::size_t extent : shape) {
    count *= extent;
  }
  auto copy = std::make_unique<Element[]>(count);
  if (count > 0) {
    std::memcpy(copy.get(), data, count * sizeof(Element));
  }
  Element* memory = copy.get();
  const nb::capsule owner(copy.release(), [](void* p) noexcept { delete[] static_cast<Element*>(p); });
  return nb::cast(nb::ndarray<nb::numpy, Element>(memory, shape.size(), shape.data(), owner));
}

using InputArray = nb::ndarray<const std::int64_t, nb::c_contig, nb::device::cpu>;

// The inputs of a run: arrays kept alive beside the tensors that point into them.
struct Inputs {
  std::vector<InputArray> arrays;
  std::vector<linnet_tensor> tensors;
};

// Append an int64 array, which is kept alive and not copied if it is contiguous. Raise LINNET_INPUT_SHAPE for
// anything else.
void add_input(Inputs& inputs, nb::handle value);

struct OutputsDeleter {
  void operator()(linnet_outputs* outputs) const noexcept { linnet_outputs_free(outputs); }
};

using Outputs = std::unique_ptr<linnet_outputs, OutputsDeleter>;

// Return the outputs of a run as new numpy arrays with copies.
nb::list output_arrays(const Outputs& outputs);
// Return float32 outputs for decoding, without a copy and without numpy, whose import takes longer than an
// answer. The arrays keep the outputs alive; numpy can read them by the buffer protocol.
nb::list output_buffers(Outputs outputs);

// Return arrays as tensors, borrowed from them.
linnet_tensor tensor_of(const Floats& array);
std::vector<linnet_tensor> tensors_of(const std::vector<Floats>& arrays);

}  // namespace linnet_python

#endif  // LINNET_PYTHON_ARRAYS_H_
