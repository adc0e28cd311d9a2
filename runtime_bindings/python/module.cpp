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

struct OutputsDeleter {
  void operator()(linnet_outputs* outputs) const noexcept { linnet_outputs_free(outputs); }
};

using Outputs = std::unique_ptr<linnet_outputs, OutputsDeleter>;

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

nb::list output_arrays(const Outputs& outputs) {
  nb::list arrays;
  for (std::size_t i = 0; i < linnet_outputs_count(outputs.get()); ++i) {
    linnet_tensor tensor = {};
    check(linnet_outputs_tensor(outputs.get(), i, &tensor));
    arrays.append(output_array(tensor));
  }
  return arrays;
}

// Outputs as decoding takes them, without a copy and without numpy, whose import takes longer than an answer.
// numpy reads them by the buffer protocol.
nb::list output_buffers(Outputs outputs) {
  linnet_outputs* const raw = outputs.release();
  const nb::capsule owner(raw,
                          [](void* p) noexcept { linnet_outputs_free(static_cast<linnet_outputs*>(p)); });
  nb::list buffers;
  for (std::size_t i = 0; i < linnet_outputs_count(raw); ++i) {
    linnet_tensor tensor = {};
    check(linnet_outputs_tensor(raw, i, &tensor));
    if (tensor.dtype != LINNET_FLOAT32) {
      raise(LINNET_MANIFEST_INVALID, "output " + std::to_string(i) + " is not float32");
    }
    const std::vector<std::size_t> shape(tensor.shape, tensor.shape + tensor.rank);
    buffers.append(nb::cast(nb::ndarray<nb::array_api, const float>(static_cast<const float*>(tensor.data),
                                                                    shape.size(), shape.data(), owner)));
  }
  return buffers;
}

// ---- tokenizer ----------------------------------------------------------------------------------------

struct EncodingDeleter {
  void operator()(linnet_encoding* encoding) const noexcept { linnet_encoding_free(encoding); }
};

// One window; all windows of a text share its encoding.
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
  bool truncated() const { return view_.truncated != 0; }

  // int64 [1, tokens], pointing into the encoding.
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

linnet_text text_view(const nb::str& text) {
  const std::string_view bytes = utf8(text);
  return {bytes.data(), bytes.size()};
}

linnet_text text_view(const std::optional<nb::str>& text) {
  return text ? text_view(*text) : linnet_text{nullptr, 0};
}

using Integers = nb::ndarray<const std::int64_t, nb::c_contig, nb::device::cpu>;
using SmallIntegers = nb::ndarray<const std::int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Floats = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;

// One window that a tokenizer of another package made, for decoding.
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

  std::int64_t find(const nb::str& token) const {
    std::int64_t id = 0;
    check(linnet_tokenizer_find(tokenizer_.get(), text_view(token), &id));
    return id;
  }

  nb::str decode(const std::vector<std::int64_t>& ids, bool skip_special) const {
    std::size_t size = 0;
    std::string text(16 * ids.size() + 64, '\0');
    for (int attempt = 0; attempt < 2; ++attempt) {
      check(linnet_tokenizer_decode(tokenizer_.get(), ids.data(), ids.size(), skip_special ? 1 : 0,
                                    text.data(), text.size(), &size));
      if (size <= text.size()) {
        break;
      }
      text.resize(size);
    }
    return decoded({text.data(), size});
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

// ---- task ---------------------------------------------------------------------------------------------

struct AnswersDeleter {
  void operator()(linnet_answers* answers) const noexcept { linnet_answers_free(answers); }
};

linnet_score_function score_function_of(const std::string& name) {
  if (name.empty()) {
    return LINNET_SCORES_OF_FILE;
  }
  if (name == "softmax") {
    return LINNET_SCORES_SOFTMAX;
  }
  if (name == "sigmoid") {
    return LINNET_SCORES_SIGMOID;
  }
  if (name == "none") {
    return LINNET_SCORES_NONE;
  }
  raise(LINNET_INVALID_ARGUMENT, "score_function is \"" + name + "\", needed softmax, sigmoid or none");
}

linnet_aggregation aggregation_of(const std::string& name) {
  constexpr std::string_view kNames[] = {"none", "simple", "first", "average", "max"};
  for (int i = LINNET_AGGREGATE_NONE; i <= LINNET_AGGREGATE_MAX; ++i) {
    if (name == kNames[i]) {
      return static_cast<linnet_aggregation>(i);
    }
  }
  raise(LINNET_INVALID_ARGUMENT,
        "aggregation_strategy is \"" + name + "\", needed none, simple, first, average or max");
}

linnet_tensor tensor_of(const Floats& array) {
  if (array.ndim() > LINNET_MAX_RANK) {
    raise(LINNET_INPUT_SHAPE, "an output has " + std::to_string(array.ndim()) + " dimensions");
  }
  linnet_tensor tensor = {LINNET_FLOAT32, static_cast<std::int32_t>(array.ndim()), {}, array.data()};
  for (std::size_t i = 0; i < array.ndim(); ++i) {
    tensor.shape[i] = static_cast<std::int64_t>(array.shape(i));
  }
  return tensor;
}

std::vector<linnet_tensor> tensors_of(const std::vector<Floats>& arrays) {
  std::vector<linnet_tensor> tensors;
  tensors.reserve(arrays.size());
  for (const Floats& array : arrays) {
    tensors.push_back(tensor_of(array));
  }
  return tensors;
}

nb::str as_str(const linnet_text& text) { return decoded({text.bytes, text.size}); }

// Calls `each` with every answer and gives what it returns as a list.
template <typename Each>
nb::list answer_list(linnet_answers* raw, Each each) {
  const std::unique_ptr<linnet_answers, AnswersDeleter> answers(raw);
  nb::list list;
  for (std::size_t i = 0; i < linnet_answers_count(raw); ++i) {
    linnet_answer answer = {};
    check(linnet_answers_get(raw, i, &answer));
    list.append(each(answer));
  }
  return list;
}

// Manifest and decoding; borrowed from a model, which the pointer keeps alive, or made of a manifest's
// values.
class Task {
 public:
  explicit Task(std::shared_ptr<const linnet_task> task) : task_(std::move(task)) {}

  explicit Task(const nb::dict& manifest) {
    std::vector<std::pair<std::string, nb::object>> kept;
    for (const auto& [name, value] : manifest) {
      kept.emplace_back(nb::cast<std::string>(name), nb::borrow(value));
    }
    std::vector<linnet_field> fields;
    for (const auto& [name, value] : kept) {
      fields.push_back({name.c_str(), field_value(value)});
    }
    linnet_task* created = nullptr;
    check(linnet_task_create(fields.data(), fields.size(), &created));
    task_ = std::shared_ptr<const linnet_task>(
        created, [](const linnet_task* p) { linnet_task_free(const_cast<linnet_task*>(p)); });
  }

  // (label index, score), best first.
  nb::list classes(const Floats& logits, std::int32_t top_k, const std::string& score_function) const {
    const linnet_class_options options = {top_k, score_function_of(score_function)};
    const linnet_tensor tensor = tensor_of(logits);
    linnet_answers* answers = nullptr;
    check(linnet_decode_classes(task_.get(), &tensor, &options, &answers));
    return answer_list(
        answers, [](const linnet_answer& each) { return nb::make_tuple(each.label_index, each.score); });
  }

  // (label or group, score, word, index, start, end, first token, last token, tokens at which words begin).
  nb::list entities(const nb::str& text, const Encoding& encoding, const std::vector<Floats>& outputs,
                    const std::string& aggregation, const std::vector<nb::str>& ignored) const {
    std::vector<linnet_text> labels;
    for (const nb::str& label : ignored) {
      labels.push_back(text_view(label));
    }
    const linnet_entity_options options = {aggregation_of(aggregation), labels.data(), labels.size()};
    const std::vector<linnet_tensor> tensors = tensors_of(outputs);
    const linnet_window_outputs window = {encoding.handle(), encoding.window(), tensors.data(),
                                          tensors.size()};
    linnet_answers* answers = nullptr;
    check(linnet_decode_entities(task_.get(), text_view(text), &window, &options, &answers));
    return answer_list(answers, [](const linnet_answer& each) {
      nb::list words;
      for (std::size_t i = 0; i < each.word_count; ++i) {
        words.append(each.words[i]);
      }
      return nb::make_tuple(as_str(each.label), each.score, as_str(each.text), each.index,
                            each.code_points.start, each.code_points.end, each.first_token, each.last_token,
                            words);
    });
  }

  // (score, start, end, answer), best first.
  nb::list spans(const nb::str& context, const std::vector<Encoding>& windows,
                 const std::vector<std::vector<Floats>>& outputs, std::int32_t top_k,
                 std::int32_t max_answer_length, bool allow_empty, bool align_to_words) const {
    if (windows.size() != outputs.size()) {
      raise(LINNET_INVALID_ARGUMENT, "windows and outputs differ in length");
    }
    std::vector<std::vector<linnet_tensor>> tensors;
    std::vector<linnet_window_outputs> runs;
    tensors.reserve(outputs.size());
    for (std::size_t i = 0; i < windows.size(); ++i) {
      tensors.push_back(tensors_of(outputs[i]));
      runs.push_back({windows[i].handle(), windows[i].window(), tensors[i].data(), tensors[i].size()});
    }
    const linnet_question_options options = {top_k, max_answer_length,   0,
                                             -1,    allow_empty ? 1 : 0, align_to_words ? 1 : 0};
    linnet_answers* answers = nullptr;
    check(linnet_decode_spans(task_.get(), text_view(context), runs.data(), runs.size(), &options, &answers));
    return answer_list(answers, [](const linnet_answer& each) {
      return nb::make_tuple(each.score, each.code_points.start, each.code_points.end, as_str(each.text));
    });
  }

  // (index of the mask, token, score, token as text, whole text), for each mask best first.
  nb::list masks(const Encoding& encoding, const std::vector<Floats>& outputs, std::int32_t top_k,
                 const std::optional<std::vector<std::int64_t>>& targets) const {
    const linnet_mask_options options = {top_k, targets ? targets->data() : nullptr,
                                         targets ? targets->size() : 0};
    const std::vector<linnet_tensor> tensors = tensors_of(outputs);
    const linnet_window_outputs window = {encoding.handle(), encoding.window(), tensors.data(),
                                          tensors.size()};
    linnet_answers* answers = nullptr;
    check(linnet_decode_masks(task_.get(), &window, &options, &answers));
    return answer_list(answers, [](const linnet_answer& each) {
      return nb::make_tuple(each.index, each.token, each.score, as_str(each.text), as_str(each.sequence));
    });
  }

  nb::object scores(const Floats& logits) const {
    const linnet_tensor tensor = tensor_of(logits);
    std::vector<float> scores(logits.size());
    std::size_t count = 0;
    check(linnet_decode_scores(task_.get(), &tensor, scores.data(), scores.size(), &count));
    return fresh_array(scores.data(), {count});
  }

 private:
  static linnet_value field_value(const nb::object& value) {
    if (nb::isinstance<nb::bool_>(value)) {
      return {LINNET_BOOL, nb::cast<bool>(value) ? 1 : 0, 0.0, nullptr, 0};
    }
    if (nb::isinstance<nb::int_>(value)) {
      return {LINNET_INT, nb::cast<std::int64_t>(value), 0.0, nullptr, 0};
    }
    if (nb::isinstance<nb::float_>(value)) {
      return {LINNET_FLOAT, 0, nb::cast<double>(value), nullptr, 0};
    }
    if (nb::isinstance<nb::bytes>(value)) {
      const auto bytes = nb::borrow<nb::bytes>(value);
      return {LINNET_BYTES, 0, 0.0, bytes.c_str(), bytes.size()};
    }
    if (!nb::isinstance<nb::str>(value)) {
      raise(LINNET_MANIFEST_INVALID, "a field of the manifest is no int, float, bool, str or bytes");
    }
    const linnet_text text = text_view(nb::borrow<nb::str>(value));
    return {LINNET_STRING, 0, 0.0, text.bytes, text.size};
  }

  std::shared_ptr<const linnet_task> task_;
};

// In place of its argument: a new array with the score function along the last axis.
nb::object apply_scores(const std::string& name, const Floats& values) {
  std::vector<std::size_t> shape;
  std::size_t count = 1;
  for (std::size_t i = 0; i < values.ndim(); ++i) {
    shape.push_back(values.shape(i));
    count *= values.shape(i);
  }
  const std::size_t columns = shape.empty() ? 1 : shape.back();
  std::vector<float> scores(values.data(), values.data() + count);
  const linnet_score_function function = score_function_of(name);
  check(linnet_apply_scores(function, scores.data(), columns == 0 ? 0 : count / columns, columns));
  return fresh_array(scores.data(), shape);
}

// (first token, last token, score): see linnet_best_spans.
nb::list best_spans(const Floats& start, const Floats& end,
                    const nb::ndarray<const bool, nb::ndim<1>, nb::c_contig, nb::device::cpu>& allowed,
                    std::size_t top_k, std::size_t max_answer_length) {
  if (start.size() != end.size() || start.size() != allowed.size()) {
    raise(LINNET_INVALID_ARGUMENT, "start, end and allowed differ in length");
  }
  const std::vector<std::uint8_t> flags(allowed.data(), allowed.data() + allowed.size());
  std::vector<linnet_token_span> spans(std::min(top_k, start.size() * start.size()));
  std::size_t count = 0;
  check(linnet_best_spans(start.data(), end.data(), flags.data(), flags.size(), spans.size(),
                          max_answer_length, spans.data(), &count));
  nb::list list;
  for (std::size_t i = 0; i < count; ++i) {
    list.append(nb::make_tuple(spans[i].first, spans[i].last, spans[i].score));
  }
  return list;
}

// ---- model --------------------------------------------------------------------------------------------

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

  Task task() const {
    const auto model = get();
    const linnet_task* task = nullptr;
    check(linnet_model_task(model.get(), &task));
    return Task(std::shared_ptr<const linnet_task>(model, task));
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
    return output_arrays(run_tensors(model.get(), method.c_str(), inputs.tensors));
  }

  // "forward" on one window.
  nb::list run_encoding(const Encoding& encoding, const std::vector<std::string>& names) const {
    const auto model = get();
    std::vector<linnet_tensor> tensors;
    for (const std::string& name : names) {
      tensors.push_back(encoding.input(name));
    }
    return output_buffers(run_tensors(model.get(), "forward", tensors));
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

  static Outputs run_tensors(linnet_model* model, const char* method,
                             const std::vector<linnet_tensor>& inputs) {
    linnet_outputs* raw = nullptr;
    linnet_status status = LINNET_OK;
    {
      const nb::gil_scoped_release unlocked;
      status = linnet_model_run(model, method, inputs.data(), inputs.size(), &raw);
    }
    Outputs outputs(raw);
    check(status);
    return outputs;
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
  if (linnet_abi_version() != LINNET_ABI_VERSION) {
    PyErr_Format(PyExc_ImportError,
                 "liblinnet has ABI version %d, this module needs %d: install linnet again",
                 static_cast<int>(linnet_abi_version()), LINNET_ABI_VERSION);
    throw nb::python_error();
  }
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
      .def("find", &Tokenizer::find, nb::arg("token"))
      .def("decode", &Tokenizer::decode, nb::arg("ids"), nb::kw_only(), nb::arg("skip_special") = false)
      .def("encode", &Tokenizer::encode, nb::arg("text"), nb::arg("pair") = nb::none(), nb::kw_only(),
           nb::arg("max_length") = 0, nb::arg("truncation") = "longest_first", nb::arg("stride") = -1,
           nb::arg("add_special_tokens") = true);
  nb::class_<Task>(module, "Task")
      .def(nb::init<const nb::dict&>(), nb::arg("manifest"))
      .def("classes", &Task::classes, nb::arg("logits"), nb::kw_only(), nb::arg("top_k") = 0,
           nb::arg("score_function") = "")
      .def("entities", &Task::entities, nb::arg("text"), nb::arg("encoding"), nb::arg("outputs"),
           nb::kw_only(), nb::arg("aggregation_strategy"), nb::arg("ignore_labels"))
      .def("spans", &Task::spans, nb::arg("context"), nb::arg("windows"), nb::arg("outputs"), nb::kw_only(),
           nb::arg("top_k"), nb::arg("max_answer_length"), nb::arg("allow_empty"), nb::arg("align_to_words"))
      .def("masks", &Task::masks, nb::arg("encoding"), nb::arg("outputs"), nb::kw_only(), nb::arg("top_k"),
           nb::arg("targets").none() = nb::none())
      .def("scores", &Task::scores, nb::arg("logits"));
  nb::class_<Model>(module, "Model")
      .def(nb::init<nb::handle, std::int32_t>(), nb::arg("source"), nb::arg("threads") = 0)
      .def_prop_ro("manifest", &Model::manifest)
      .def_prop_ro("evidence", &Model::evidence)
      .def_prop_ro("tokenizer", &Model::tokenizer)
      .def_prop_ro("task", &Model::task)
      .def_prop_ro("methods", &Model::methods)
      .def("run", &Model::run, nb::arg("method"), nb::arg("inputs"))
      .def("run_encoding", &Model::run_encoding, nb::arg("encoding"), nb::arg("names"))
      .def("set_fused", &Model::set_fused, nb::arg("fused").none())
      .def("set_profiling", &Model::set_profiling, nb::arg("on"))
      .def("profile", &Model::profile)
      .def("close", &Model::close);
  module.def("runtime_info", &runtime_info);
  module.def("encoding_from_tokens", &encoding_from_tokens, nb::arg("text").none(), nb::arg("pair").none(),
             nb::kw_only(), nb::arg("ids"), nb::arg("type_ids"), nb::arg("sequence_ids"), nb::arg("offsets"),
             nb::arg("words"), nb::arg("tokens"), nb::arg("marks_words"));
  module.def("apply_scores", &apply_scores, nb::arg("name"), nb::arg("values"));
  module.def("best_spans", &best_spans, nb::arg("start"), nb::arg("end"), nb::arg("allowed"),
             nb::arg("top_k"), nb::arg("max_answer_length"));
  module.def("verify_file", &verify_file, nb::arg("path"));
}
