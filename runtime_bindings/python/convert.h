// Conversion of errors and texts between linnet.h and Python.
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

// Return a text as str. Bytes that are not UTF-8 are replaced, since a file may hold any, and so may a path
// in a message.
nb::str decoded(std::string_view text);
nb::str as_str(const linnet_text& text);

// Raise the class of linnet.errors that belongs to the status.
[[noreturn]] void raise(linnet_status status, std::string_view message, std::uint32_t executorch_code = 0);
// Raise linnet_last_error() unless the status is LINNET_OK.
void check(linnet_status status);

// Return the UTF-8 of a str, borrowed from it. Raise LINNET_INVALID_UTF8 for a lone surrogate, which has
// none.
std::string_view utf8(const nb::str& text);
// Return the same as a text of linnet.h; its address is NULL for None.
linnet_text text_view(const nb::str& text);
linnet_text text_view(const std::optional<nb::str>& text);

// Return a path as the file system encodes it. Raise LINNET_INVALID_ARGUMENT with the message `problem` if it
// is no path.
nb::bytes path_bytes(nb::handle source, const char* problem);

}  // namespace linnet_python

#endif  // LINNET_PYTHON_CONVERT_H_
