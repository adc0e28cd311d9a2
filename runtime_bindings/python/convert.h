// Errors and texts between linnet.h and Python.
#ifndef LINNET_PYTHON_CONVERT_H_
#define LINNET_PYTHON_CONVERT_H_

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "linnet.h"

namespace linnet_python {

namespace nb = nanobind;

// What a file holds, or a path in a message, need not be UTF-8: what cannot be decoded is replaced.
nb::str decoded(std::string_view text);
nb::str as_str(const linnet_text& text);

// Raises the class of linnet.errors that belongs to the status.
[[noreturn]] void raise(linnet_status status, std::string_view message, std::uint32_t executorch_code = 0);
// Raises linnet_last_error() unless the status is LINNET_OK.
void check(linnet_status status);

// The UTF-8 of a str, borrowed from it. Raises for a lone surrogate, which has none.
std::string_view utf8(const nb::str& text);
linnet_text text_view(const nb::str& text);
linnet_text text_view(const std::optional<nb::str>& text);

// Reads a path as the file system encodes it; `problem` is the message for what is no path.
nb::bytes path_bytes(nb::handle source, const char* problem);

}  // namespace linnet_python

#endif  // LINNET_PYTHON_CONVERT_H_
