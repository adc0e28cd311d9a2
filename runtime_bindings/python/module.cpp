// Python module linnet_runtime._core: linnet.h with Python types, one file for each class. It does not use
// ExecuTorch.
#include <nanobind/nanobind.h>

#include <algorithm>
#include <string_view>

#include "constraint.h"
#include "convert.h"
#include "encoding.h"
#include "generation.h"
#include "gil.h"
#include "linnet.h"
#include "masking.h"
#include "model.h"
#include "task.h"
#include "tokenizer.h"

namespace nb = nanobind;

namespace linnet_python {
namespace {

nb::dict runtime_info() {
  const std::string_view lines = linnet_runtime_info();
  nb::dict facts;
  for (std::size_t start = 0; start < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', start), lines.size());
    const std::size_t equals = lines.find('=', start);
    if (equals < end) {
      facts[decoded(lines.substr(start, equals - start))] =
          decoded(lines.substr(equals + 1, end - equals - 1));
    }
    start = end + 1;
  }
  return facts;
}

void verify_file(nb::handle source) {
  const nb::bytes path = path_bytes(source, "path is not a path");
  linnet_status status = LINNET_OK;
  {
    const Unlocked unlocked;
    status = linnet_file_verify(path.c_str());
  }
  check(status);
}

}  // namespace
}  // namespace linnet_python

NB_MODULE(_core, module) {
#ifndef Py_LIMITED_API
  // from 3.12 on Python itself refuses this; on 3.11 the first call would wait for ever
  if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
    PyErr_SetString(PyExc_ImportError,
                    "linnet does not support subinterpreters; import it in the main interpreter");
    throw nb::python_error();
  }
#endif
  if (linnet_abi_version() != LINNET_ABI_VERSION) {
    PyErr_Format(PyExc_ImportError,
                 "liblinnet has ABI version %d, this module needs %d: install linnet again",
                 static_cast<int>(linnet_abi_version()), LINNET_ABI_VERSION);
    throw nb::python_error();
  }
  nb::set_leak_warnings(false);  // what a daemon thread still holds when the interpreter ends
  linnet_python::bind_encoding(module);
  linnet_python::bind_tokenizer(module);
  linnet_python::bind_task(module);
  linnet_python::bind_constraint(module);
  linnet_python::bind_generation(module);
  linnet_python::bind_masking(module);
  linnet_python::bind_model(module);
  module.def("runtime_info", &linnet_python::runtime_info);
  module.def("verify_file", &linnet_python::verify_file, nb::arg("path"));
}
