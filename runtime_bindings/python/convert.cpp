#include "convert.h"

namespace linnet_python {

nb::str decoded(std::string_view text) {
  return nb::steal<nb::str>(
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

void raise(linnet_status status, std::string_view message, std::uint32_t executorch_code) {
  const nb::object find = nb::module_::import_("linnet.errors").attr("error_class");
  const nb::object error = find(status)(decoded(message), nb::arg("executorch_code") = executorch_code);
  PyErr_SetObject(error.type().ptr(), error.ptr());
  throw nb::python_error();
}

void check(linnet_status status) {
  if (status != LINNET_OK) {
    raise(status, linnet_last_error(), linnet_last_executorch_error());
  }
}

std::string_view utf8(const nb::str& text) {
  Py_ssize_t size = 0;
  const char* data = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
  if (data == nullptr) {
    PyErr_Clear();
    raise(LINNET_INVALID_UTF8, "the text has a lone surrogate, which UTF-8 cannot hold; replace it");
  }
  return {data, static_cast<std::size_t>(size)};
}

nb::str as_str(const linnet_text& text) { return decoded({text.bytes, text.size}); }

linnet_text text_view(const nb::str& text) {
  const std::string_view bytes = utf8(text);
  return {bytes.data(), bytes.size()};
}

linnet_text text_view(const std::optional<nb::str>& text) {
  return text ? text_view(*text) : linnet_text{nullptr, 0};
}

nb::bytes path_bytes(nb::handle source, const char* problem) {
  PyObject* encoded = nullptr;
  if (PyUnicode_FSConverter(source.ptr(), &encoded) == 0) {
    PyErr_Clear();
    raise(LINNET_INVALID_ARGUMENT, problem);
  }
  return nb::steal<nb::bytes>(encoded);
}

}  // namespace linnet_python
