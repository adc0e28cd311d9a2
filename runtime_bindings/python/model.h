// Python class Model: an opened linnet file.
#ifndef LINNET_PYTHON_MODEL_H_
#define LINNET_PYTHON_MODEL_H_

#include <nanobind/nanobind.h>

namespace linnet_python {

namespace nb = nanobind;

void bind_model(nb::module_& module);

}  // namespace linnet_python

#endif  // LINNET_PYTHON_MODEL_H_
