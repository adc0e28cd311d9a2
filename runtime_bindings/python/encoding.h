// Python class Encoding: one window of an encoded text.
#ifndef LINNET_PYTHON_ENCODING_H_
#define LINNET_PYTHON_ENCODING_H_

#include <nanobind/nanobind.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "arrays.h"
#include "convert.h"
#include "linnet.h"

namespace linnet_python {

namespace nb = nanobind;

struct EncodingDeleter {
  void operator()(linnet_encoding* encoding) const noexcept { linnet_encoding_free(encoding); }
};

// One window; all windows of a text share the encoding and keep it alive.
class Encoding {
 public:
  Encoding(std::shared_ptr<linnet_encoding> encoding, std::size_t window)
      : encoding_(std::move(encoding)), window_(window) {
    check(linnet_encoding_window(encoding_.get(), window, &view_));
  }

  std::size_t size() const { return view_.length; }
  nb::object ids() const { return fresh_array(view_.ids, {view_.length}); }
  nb::object type_ids() const { return fresh_array(view_.type_ids, {view_.length}); }
  nb::object sequence_ids() const { return fresh_array(view_.sequence_ids, {view_.length}); }
  nb::object offsets() const { return pairs(view_.offsets_code_points); }
  nb::object offsets_utf8() const { return pairs(view_.offsets_utf8); }
  nb::object offsets_utf16() const { return pairs(view_.offsets_utf16); }
  nb::object words() const {
    const std::int64_t* words = nullptr;
    check(linnet_encoding_words(encoding_.get(), window_, &words));
    return words == nullptr ? nb::none() : fresh_array(words, {view_.length});
  }
  bool truncated() const { return view_.truncated != 0; }

  // Return an input of the program by name: int64 [1, tokens], borrowed from the encoding.
  linnet_tensor input(const std::string& name) const {
    const bool types = name == "token_type_ids";
    if (!types && name != "input_ids") {
      raise(LINNET_MANIFEST_INVALID, "the program wants \"" + name + "\" of a single text");
    }
    return {
        LINNET_INT64, 2, {1, static_cast<std::int64_t>(view_.length)}, types ? view_.type_ids : view_.ids};
  }

  const linnet_encoding* handle() const { return encoding_.get(); }
  std::size_t window() const { return window_; }

 private:
  nb::object pairs(const std::int64_t* offsets) const { return fresh_array(offsets, {view_.length, 2}); }

  std::shared_ptr<linnet_encoding> encoding_;
  std::size_t window_;
  linnet_encoding_view view_ = {};
};

void bind_encoding(nb::module_& module);

}  // namespace linnet_python

#endif  // LINNET_PYTHON_ENCODING_H_
