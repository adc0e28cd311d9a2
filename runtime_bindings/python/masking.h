// Python classes Masker, MaskSession and UnmaskStream: personal data found, replaced and restored.
#ifndef LINNET_PYTHON_MASKING_H_
#define LINNET_PYTHON_MASKING_H_

#include <nanobind/nanobind.h>

namespace linnet_python {

namespace nb = nanobind;

void bind_masking(nb::module_& module);

}  // namespace linnet_python

#endif  // LINNET_PYTHON_MASKING_H_
