#include "encoding.h"

#include <optional>
#include <vector>

namespace linnet_python {

namespace {

// Make an encoding for decoding from one window of a tokenizer of another package.
Encoding encoding_from_tokens(const std::optional<nb::str>& text, const std::optional<nb::str>& pair,
                              const Integers& ids, const Integers& type_ids,
                              const SmallIntegers& sequence_ids, const Integers& offsets,
                              const Integers& words, const std::vector<nb::str>& tokens, bool marks_words) {
  const std::size_t length = ids.size();
  if (type_ids.size() != length || sequence_ids.size() != length || offsets.size() != 2 * length ||
      words.size() != length || tokens.size() != length) {
    raise(LINNET_INVALID_ARGUMENT, "the arrays of an encoding differ in length");
  }
  std::vector<linnet_text> texts;
  texts.reserve(length);
  for (const nb::str& token : tokens) {
    texts.push_back(text_view(token));
  }
  const linnet_token_source source = {length,         ids.data(),   type_ids.data(), sequence_ids.data(),
                                      offsets.data(), words.data(), texts.data(),    marks_words ? 1 : 0};
  linnet_encoding* encoding = nullptr;
  check(linnet_encoding_create(text_view(text), text_view(pair), &source, &encoding));
  return {std::shared_ptr<linnet_encoding>(encoding, EncodingDeleter()), 0};
}

}  // namespace

void bind_encoding(nb::module_& module) {
  nb::class_<Encoding>(module, "Encoding")
      .def("__len__", &Encoding::size)
      .def_prop_ro("ids", &Encoding::ids)
      .def_prop_ro("type_ids", &Encoding::type_ids)
      .def_prop_ro("sequence_ids", &Encoding::sequence_ids)
      .def_prop_ro("offsets", &Encoding::offsets)
      .def_prop_ro("offsets_utf8", &Encoding::offsets_utf8)
      .def_prop_ro("offsets_utf16", &Encoding::offsets_utf16)
      .def_prop_ro("words", &Encoding::words)
      .def_prop_ro("truncated", &Encoding::truncated);
  module.def("encoding_from_tokens", &encoding_from_tokens, nb::arg("text").none(), nb::arg("pair").none(),
             nb::kw_only(), nb::arg("ids"), nb::arg("type_ids"), nb::arg("sequence_ids"), nb::arg("offsets"),
             nb::arg("words"), nb::arg("tokens"), nb::arg("marks_words"));
}

}  // namespace linnet_python
