#include "tokenizer.h"

namespace linnet_python {

linnet_truncation truncation_named(const std::string& name) {
  if (name == "never") {
    return LINNET_TRUNCATE_NEVER;
  }
  if (name == "longest_first") {
    return LINNET_TRUNCATE_LONGEST_FIRST;
  }
  if (name == "only_second") {
    return LINNET_TRUNCATE_ONLY_SECOND;
  }
  raise(LINNET_INVALID_ARGUMENT,
        "truncation is \"" + name + "\", expected \"never\", \"longest_first\" or \"only_second\"");
}

void bind_tokenizer(nb::module_& module) {
  nb::class_<TextStream>(module, "TextStream")
      .def("push", &TextStream::push, nb::arg("id"))
      .def("finish", &TextStream::finish);
  nb::class_<Tokenizer>(module, "Tokenizer")
      .def(nb::init<const nb::bytes&>(), nb::arg("data"))
      .def_prop_ro("vocab_size", &Tokenizer::vocab_size)
      .def("token", &Tokenizer::token, nb::arg("id"))
      .def_prop_ro("prefix", &Tokenizer::prefix)
      .def("continues_word", &Tokenizer::continues_word, nb::arg("id"))
      .def("is_special", &Tokenizer::is_special, nb::arg("id"))
      .def("find", &Tokenizer::find, nb::arg("token"))
      .def("decode", &Tokenizer::decode, nb::arg("ids"), nb::kw_only(), nb::arg("skip_special") = false)
      .def("stream", &Tokenizer::stream, nb::kw_only(), nb::arg("skip_special") = false)
      .def("encode", &Tokenizer::encode, nb::arg("text"), nb::arg("pair") = nb::none(), nb::kw_only(),
           nb::arg("max_length") = 0, nb::arg("truncation") = "longest_first", nb::arg("stride") = -1,
           nb::arg("add_special_tokens") = true);
}

}  // namespace linnet_python
