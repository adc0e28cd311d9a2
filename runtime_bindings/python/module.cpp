// The Python module: linnet.h with Python types. Nothing here knows ExecuTorch.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "linnet.h"

namespace nb = nanobind;

namespace {

// From this many bytes on, encoding a text takes longer than handing over the GIL.
constexpr std::size_t kLongText = 4096;

// ---- errors -------------------------------------------------------------------------------------------

// What a file holds, or a path in a message, need not be UTF-8: what cannot be decoded is replaced.
nb::str decoded(std::string_view text) {
  return nb::steal<nb::str>(
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

// Raises the class of linnet.errors that belongs to the status.
[[noreturn]] void raise(linnet_status status, std::string_view message, std::uint32_t executorch_code = 0) {
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

// The UTF-8 of a str, borrowed from it. A lone surrogate has none.
std::string_view utf8(const nb::str& text) {
  Py_ssize_t size = 0;
  const char* data = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
  if (data == nullptr) {
    PyErr_Clear();
    raise(LINNET_INVALID_UTF8, "the text has a lone surrogate, which UTF-8 cannot hold; replace it");
  }
  return {data, static_cast<std::size_t>(size)};
}

// ---- arrays -------------------------------------------------------------------------------------------

// A fresh numpy array with a copy of `count` elements.
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

// Only int64 arrays are taken: converting dtypes silently would hide a mistake. A strided one is copied.
InputArray input_array(nb::handle value, std::size_t index) {
  nb::ndarray<nb::ro, nb::device::cpu> any;
  InputArray array;
  if (!nb::try_cast(value, any, false) || any.dtype() != nb::dtype<std::int64_t>() ||
      !nb::try_cast(value, array, true)) {
    raise(LINNET_INPUT_SHAPE, "input " + std::to_string(index) + " is not an int64 numpy array");
  }
  return array;
}

void add_input(Inputs& inputs, nb::handle value) {
  const std::size_t index = inputs.arrays.size();
  InputArray array = input_array(value, index);
  if (array.ndim() > LINNET_MAX_RANK) {
    raise(LINNET_INPUT_SHAPE, "input " + std::to_string(index) + " has " + std::to_string(array.ndim()) +
                                  " dimensions, needed 2");
  }
  linnet_tensor tensor = {LINNET_INT64, static_cast<std::int32_t>(array.ndim()), {}, array.data()};
  for (std::size_t i = 0; i < array.ndim(); ++i) {
    tensor.shape[i] = static_cast<std::int64_t>(array.shape(i));
  }
  inputs.arrays.push_back(std::move(array));
  inputs.tensors.push_back(tensor);
}

nb::object output_array(const linnet_tensor& tensor) {
  const std::vector<std::size_t> shape(tensor.shape, tensor.shape + tensor.rank);
  switch (tensor.dtype) {
    case LINNET_FLOAT32:
      return fresh_array(static_cast<const float*>(tensor.data), shape);
    case LINNET_INT64:
      return fresh_array(static_cast<const std::int64_t*>(tensor.data), shape);
    case LINNET_INT32:
      return fresh_array(static_cast<const std::int32_t*>(tensor.data), shape);
    case LINNET_BOOLEAN:
      return fresh_array(static_cast<const bool*>(tensor.data), shape);
  }
  raise(LINNET_INTERNAL, "an output has an unknown dtype");
}

// ---- tokenizer ----------------------------------------------------------------------------------------

struct EncodingDeleter {
  void operator()(linnet_encoding* encoding) const noexcept { linnet_encoding_free(encoding); }
};

// One window; all windows of a text share its encoding.
class Encoding {
 public:
  Encoding(std::shared_ptr<linnet_encoding> encoding, std::size_t window) : encoding_(std::move(encoding)) {
    check(linnet_encoding_window(encoding_.get(), window, &view_));
  }

  std::size_t size() const { return view_.length; }
  nb::object ids() const { return fresh_array(view_.ids, {view_.length}); }
  nb::object type_ids() const { return fresh_array(view_.type_ids, {view_.length}); }
  nb::object sequence_ids() const { return fresh_array(view_.sequence_ids, {view_.length}); }
  nb::object offsets() const { return pairs(view_.offsets_code_points); }
  nb::object offsets_utf8() const { return pairs(view_.offsets_utf8); }
  nb::object offsets_utf16() const { return pairs(view_.offsets_utf16); }
  bool truncated() const { return view_.truncated != 0; }

 private:
  nb::object pairs(const std::int64_t* offsets) const { return fresh_array(offsets, {view_.length, 2}); }

  std::shared_ptr<linnet_encoding> encoding_;
  linnet_encoding_view view_ = {};
};

linnet_truncation truncation_of(const std::string& name) {
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
        "truncation is \"" + name + "\", needed \"never\", \"longest_first\" or \"only_second\"");
}

class Tokenizer {
 public:
  explicit Tokenizer(const nb::bytes& data) {
    linnet_tokenizer* created = nullptr;
    check(linnet_tokenizer_create(data.data(), data.size(), &created));
    tokenizer_ = std::shared_ptr<const linnet_tokenizer>(
        created, [](const linnet_tokenizer* p) { linnet_tokenizer_free(const_cast<linnet_tokenizer*>(p)); });
  }
  // Borrowed from a model, which the pointer keeps alive.
  explicit Tokenizer(std::shared_ptr<const linnet_tokenizer> tokenizer) : tokenizer_(std::move(tokenizer)) {}

  std::size_t vocab_size() const { return linnet_tokenizer_vocab_size(tokenizer_.get()); }

  nb::str token(std::int64_t id) const {
    const char* text = nullptr;
    std::size_t size = 0;
    check(linnet_tokenizer_token(tokenizer_.get(), id, &text, &size));
    return decoded({text, size});
  }

  std::vector<Encoding> encode(const nb::str& text, const std::optional<nb::str>& pair,
                               std::int32_t max_length, const std::string& truncation, std::int32_t stride,
                               bool add_special_tokens) const {
    const linnet_encode_options options = {max_length, truncation_of(truncation), stride,
                                           add_special_tokens ? 1 : 0};
    const std::string_view first = utf8(text);
    const std::string_view second = pair ? utf8(*pair) : std::string_view();
    linnet_encoding* encoding = nullptr;
    check(encode_unlocked(first, pair.has_value(), second, options, &encoding));
    const std::shared_ptr<linnet_encoding> shared(encoding, EncodingDeleter());
    std::vector<Encoding> windows;
    for (std::size_t i = 0; i < linnet_encoding_window_count(encoding); ++i) {
      windows.emplace_back(shared, i);
    }
    return windows;
  }

 private:
  linnet_status encode_unlocked(std::string_view text, bool has_pair, std::string_view pair,
                                const linnet_encode_options& options, linnet_encoding** encoding) const {
    const auto call = [&] {
      return linnet_tokenizer_encode(tokenizer_.get(), text.data(), text.size(),
                                     has_pair ? pair.data() : nullptr, pair.size(), &options, encoding);
    };
    if (text.size() + pair.size() < kLongText) {
      return call();
    }
    const nb::gil_scoped_release unlocked;
    return call();
  }

  std::shared_ptr<const linnet_tokenizer> tokenizer_;
};

// ---- model --------------------------------------------------------------------------------------------

struct OutputsDeleter {
  void operator()(linnet_outputs* outputs) const noexcept { linnet_outputs_free(outputs); }
};

struct ProfileDeleter {
  void operator()(linnet_profile* profile) const noexcept { linnet_profile_free(profile); }
};

class Model {
 public:
  Model(nb::handle source, std::int32_t threads) {
    const linnet_open_options options = {threads};
    linnet_model* opened = nullptr;
    if (nb::isinstance<nb::bytes>(source)) {
      check(open_bytes(nb::cast<nb::bytes>(source), options, &opened));
    } else {
      check(open_path(source, options, &opened));
    }
    model_ = std::shared_ptr<linnet_model>(opened, linnet_model_free);
  }

  nb::dict manifest() const {
    const auto model = get();
    nb::dict fields;
    const std::string names = linnet_model_fields(model.get());
    for (std::size_t start = 0; start < names.size();) {
      const std::size_t end = std::min(names.find('\n', start), names.size());
      const std::string name = names.substr(start, end - start);
      fields[decoded(name)] = field(model.get(), name.c_str());
      start = end + 1;
    }
    return fields;
  }

  nb::str evidence() const {
    const auto model = get();
    const char* json = nullptr;
    std::size_t size = 0;
    check(linnet_model_evidence(model.get(), &json, &size));
    return decoded({json, size});
  }

  Tokenizer tokenizer() const {
    const auto model = get();
    const linnet_tokenizer* tokenizer = nullptr;
    check(linnet_model_tokenizer(model.get(), &tokenizer));
    return Tokenizer(std::shared_ptr<const linnet_tokenizer>(model, tokenizer));
  }

  std::vector<std::string> methods() const {
    const auto model = get();
    linnet_value batch = {};
    const bool has_batch =
        linnet_model_value(model.get(), "max_batch", &batch) == LINNET_OK && batch.integer > 0;
    return has_batch ? std::vector<std::string>{"forward", "forward_batch"}
                     : std::vector<std::string>{"forward"};
  }

  nb::list run(const std::string& method, const nb::sequence& values) const {
    const auto model = get();
    if (method.find('\0') != std::string::npos) {
      raise(LINNET_UNKNOWN_METHOD, "no method has a zero byte in its name");
    }
    Inputs inputs;
    for (const nb::handle value : values) {
      add_input(inputs, value);
    }
    linnet_outputs* raw = nullptr;
    linnet_status status = LINNET_OK;
    {
      const nb::gil_scoped_release unlocked;
      status =
          linnet_model_run(model.get(), method.c_str(), inputs.tensors.data(), inputs.tensors.size(), &raw);
    }
    const std::unique_ptr<linnet_outputs, OutputsDeleter> outputs(raw);
    check(status);
    nb::list arrays;
    for (std::size_t i = 0; i < linnet_outputs_count(raw); ++i) {
      linnet_tensor tensor = {};
      check(linnet_outputs_tensor(raw, i, &tensor));
      arrays.append(output_array(tensor));
    }
    return arrays;
  }

  // None: where it is faster.
  void set_fused(std::optional<bool> fused) const {
    const linnet_fused when = !fused   ? LINNET_FUSED_WHERE_FASTER
                              : *fused ? LINNET_FUSED_ALWAYS
                                       : LINNET_FUSED_NEVER;
    const auto model = get();
    linnet_status status = LINNET_OK;
    {
      const nb::gil_scoped_release unlocked;  // may wait for a run
      status = linnet_model_set_fused(model.get(), when);
    }
    check(status);
  }

  void set_profiling(bool on) const {
    const auto model = get();
    linnet_status status = LINNET_OK;
    {
      const nb::gil_scoped_release unlocked;  // may wait for a run
      status = linnet_model_set_profiling(model.get(), on ? 1 : 0);
    }
    check(status);
  }

  // Tuples of the fields of linnet_event.
  nb::list profile() const {
    const auto model = get();
    linnet_profile* raw = nullptr;
    check(linnet_model_profile(model.get(), &raw));
    const std::unique_ptr<linnet_profile, ProfileDeleter> profile(raw);
    nb::list events;
    for (std::size_t i = 0; i < linnet_profile_count(raw); ++i) {
      linnet_event event = {};
      check(linnet_profile_event(raw, i, &event));
      events.append(nb::make_tuple(decoded(event.name), static_cast<int>(event.kind), event.run,
                                   event.instruction, event.start_ns, event.end_ns));
    }
    return events;
  }

  // A run that is under way keeps its own reference, so the memory goes when it has ended.
  void close() { model_.reset(); }

 private:
  static linnet_status open_bytes(const nb::bytes& bytes, const linnet_open_options& options,
                                  linnet_model** model) {
    const nb::gil_scoped_release unlocked;
    return linnet_model_open_bytes(bytes.data(), bytes.size(), &options, model);
  }

  static linnet_status open_path(nb::handle source, const linnet_open_options& options,
                                 linnet_model** model) {
    PyObject* encoded = nullptr;
    if (PyUnicode_FSConverter(source.ptr(), &encoded) == 0) {
      PyErr_Clear();
      raise(LINNET_INVALID_ARGUMENT, "source is neither a path nor bytes");
    }
    const nb::bytes path = nb::steal<nb::bytes>(encoded);
    const nb::gil_scoped_release unlocked;
    return linnet_model_open(path.c_str(), &options, model);
  }

  static nb::object field(const linnet_model* model, const char* name) {
    linnet_value value = {};
    check(linnet_model_value(model, name, &value));
    switch (value.type) {
      case LINNET_INT:
        return nb::int_(value.integer);
      case LINNET_FLOAT:
        return nb::float_(value.real);
      case LINNET_BOOL:
        return nb::bool_(value.integer != 0);
      case LINNET_STRING:
        return decoded({value.bytes, value.size});
      case LINNET_BYTES:
        return nb::bytes(value.bytes, value.size);
    }
    raise(LINNET_INTERNAL, "a field has an unknown type");
  }

  std::shared_ptr<linnet_model> get() const {
    if (model_ == nullptr) {
      raise(LINNET_INVALID_ARGUMENT, "the model is closed; load it again", 0);
    }
    return model_;
  }

  std::shared_ptr<linnet_model> model_;
};

// ---- functions ----------------------------------------------------------------------------------------

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
  PyObject* encoded = nullptr;
  if (PyUnicode_FSConverter(source.ptr(), &encoded) == 0) {
    PyErr_Clear();
    raise(LINNET_INVALID_ARGUMENT, "path is not a path");
  }
  const nb::bytes path = nb::steal<nb::bytes>(encoded);
  linnet_status status = LINNET_OK;
  {
    const nb::gil_scoped_release unlocked;
    status = linnet_file_verify(path.c_str());
  }
  check(status);
}

}  // namespace

NB_MODULE(_core, module) {
  nb::class_<Encoding>(module, "Encoding")
      .def("__len__", &Encoding::size)
      .def_prop_ro("ids", &Encoding::ids)
      .def_prop_ro("type_ids", &Encoding::type_ids)
      .def_prop_ro("sequence_ids", &Encoding::sequence_ids)
      .def_prop_ro("offsets", &Encoding::offsets)
      .def_prop_ro("offsets_utf8", &Encoding::offsets_utf8)
      .def_prop_ro("offsets_utf16", &Encoding::offsets_utf16)
      .def_prop_ro("truncated", &Encoding::truncated);
  nb::class_<Tokenizer>(module, "Tokenizer")
      .def(nb::init<const nb::bytes&>(), nb::arg("data"))
      .def_prop_ro("vocab_size", &Tokenizer::vocab_size)
      .def("token", &Tokenizer::token, nb::arg("id"))
      .def("encode", &Tokenizer::encode, nb::arg("text"), nb::arg("pair") = nb::none(), nb::kw_only(),
           nb::arg("max_length") = 0, nb::arg("truncation") = "longest_first", nb::arg("stride") = -1,
           nb::arg("add_special_tokens") = true);
  nb::class_<Model>(module, "Model")
      .def(nb::init<nb::handle, std::int32_t>(), nb::arg("source"), nb::arg("threads") = 0)
      .def_prop_ro("manifest", &Model::manifest)
      .def_prop_ro("evidence", &Model::evidence)
      .def_prop_ro("tokenizer", &Model::tokenizer)
      .def_prop_ro("methods", &Model::methods)
      .def("run", &Model::run, nb::arg("method"), nb::arg("inputs"))
      .def("set_fused", &Model::set_fused, nb::arg("fused").none())
      .def("set_profiling", &Model::set_profiling, nb::arg("on"))
      .def("profile", &Model::profile)
      .def("close", &Model::close);
  module.def("runtime_info", &runtime_info);
  module.def("verify_file", &verify_file, nb::arg("path"));
}
