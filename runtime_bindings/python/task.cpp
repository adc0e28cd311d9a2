#include "task.h"

#include <nanobind/stl/pair.h>

#include <string_view>
#include <utility>

namespace linnet_python {

namespace {

// Answers as Python sees them: the fields of linnet_answer that a task fills.
struct ClassScore {
  std::int64_t label_index;
  double score;
};

struct Entity {
  nb::str label;  // or entity group
  double score;
  nb::str word;
  std::int64_t index;
  std::int64_t start;
  std::int64_t end;
  std::int64_t first_token;
  std::int64_t last_token;
  std::vector<std::int64_t> words;
};

struct Span {
  double score;
  std::int64_t start;
  std::int64_t end;
  nb::str answer;
};

struct Proposal {
  std::int64_t index;  // of the mask
  std::int64_t token;
  double score;
  nb::str token_str;
  nb::str sequence;
};

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
  raise(LINNET_INVALID_ARGUMENT, "score_function is \"" + name + "\", expected softmax, sigmoid or none");
}

linnet_aggregation aggregation_of(const std::string& name) {
  constexpr std::string_view kNames[] = {"none", "simple", "first", "average", "max"};
  for (int i = LINNET_AGGREGATE_NONE; i <= LINNET_AGGREGATE_MAX; ++i) {
    if (name == kNames[i]) {
      return static_cast<linnet_aggregation>(i);
    }
  }
  raise(LINNET_INVALID_ARGUMENT,
        "aggregation_strategy is \"" + name + "\", expected none, simple, first, average or max");
}

// Take over answers and return a list of what `convert` makes of each.
template <typename Convert>
nb::list answer_list(linnet_answers* raw, Convert convert) {
  const std::unique_ptr<linnet_answers, AnswersDeleter> answers(raw);
  nb::list list;
  for (std::size_t i = 0; i < linnet_answers_count(raw); ++i) {
    linnet_answer answer = {};
    check(linnet_answers_get(raw, i, &answer));
    list.append(nb::cast(convert(answer)));
  }
  return list;
}

linnet_value field_value(const nb::object& value) {
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

// Return a new array with the score function applied along the last axis.
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

}  // namespace

Task::Task(std::shared_ptr<const linnet_task> task) : task_(std::move(task)) {}

Task::Task(const nb::dict& manifest) {
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

nb::list Task::classes(const Floats& logits, std::int32_t top_k, const std::string& score_function) const {
  const linnet_class_options options = {top_k, score_function_of(score_function)};
  const linnet_tensor tensor = tensor_of(logits);
  linnet_answers* answers = nullptr;
  check(linnet_decode_classes(task_.get(), &tensor, &options, &answers));
  return answer_list(
      answers, [](const linnet_answer& answer) { return ClassScore{answer.label_index, answer.score}; });
}

nb::list Task::entities(const nb::str& text, const Encoding& encoding, const std::vector<Floats>& outputs,
                        const std::string& aggregation, const std::vector<nb::str>& ignored) const {
  std::vector<linnet_text> labels;
  for (const nb::str& label : ignored) {
    labels.push_back(text_view(label));
  }
  const linnet_entity_options options = {aggregation_of(aggregation), labels.data(), labels.size()};
  const std::vector<linnet_tensor> tensors = tensors_of(outputs);
  const linnet_window_outputs window = {encoding.handle(), encoding.window(), tensors.data(), tensors.size()};
  linnet_answers* answers = nullptr;
  check(linnet_decode_entities(task_.get(), text_view(text), &window, &options, &answers));
  return answer_list(answers, [](const linnet_answer& answer) {
    return Entity{as_str(answer.label),
                  answer.score,
                  as_str(answer.text),
                  answer.index,
                  answer.code_points.start,
                  answer.code_points.end,
                  answer.first_token,
                  answer.last_token,
                  {answer.words, answer.words + answer.word_count}};
  });
}

nb::list Task::spans(const nb::str& context, const std::vector<Encoding>& windows,
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
  return answer_list(answers, [](const linnet_answer& answer) {
    return Span{answer.score, answer.code_points.start, answer.code_points.end, as_str(answer.text)};
  });
}

nb::list Task::masks(const Encoding& encoding, const std::vector<Floats>& outputs, std::int32_t top_k,
                     const std::optional<std::vector<std::int64_t>>& targets) const {
  const linnet_mask_options options = {top_k, targets ? targets->data() : nullptr,
                                       targets ? targets->size() : 0};
  const std::vector<linnet_tensor> tensors = tensors_of(outputs);
  const linnet_window_outputs window = {encoding.handle(), encoding.window(), tensors.data(), tensors.size()};
  linnet_answers* answers = nullptr;
  check(linnet_decode_masks(task_.get(), &window, &options, &answers));
  return answer_list(answers, [](const linnet_answer& answer) {
    return Proposal{answer.index, answer.token, answer.score, as_str(answer.text), as_str(answer.sequence)};
  });
}

nb::object Task::scores(const Floats& logits) const {
  const linnet_tensor tensor = tensor_of(logits);
  std::vector<float> scores(logits.size());
  std::size_t count = 0;
  check(linnet_decode_scores(task_.get(), &tensor, scores.data(), scores.size(), &count));
  return fresh_array(scores.data(), {count});
}

nb::dict Task::sampling() const {
  linnet_sampling sampling = {};
  check(linnet_task_sampling(task_.get(), &sampling));
  nb::dict settings;
  settings["temperature"] = static_cast<double>(sampling.temperature);
  settings["top_k"] = sampling.top_k;
  settings["top_p"] = static_cast<double>(sampling.top_p);
  settings["min_p"] = static_cast<double>(sampling.min_p);
  settings["repetition_penalty"] = static_cast<double>(sampling.repetition_penalty);
  return settings;
}

nb::str Task::chat_prompt(const std::vector<std::pair<nb::str, nb::str>>& messages, bool generation) const {
  std::vector<linnet_message> conversation;
  conversation.reserve(messages.size());
  for (const auto& [role, content] : messages) {
    conversation.push_back({text_view(role), text_view(content)});
  }
  std::string text;
  std::size_t size = 0;
  for (int attempt = 0; attempt < 2; ++attempt) {  // the first asks for the size
    check(linnet_task_chat_prompt(task_.get(), conversation.data(), conversation.size(), generation ? 1 : 0,
                                  text.data(), text.size(), &size));
    text.resize(size);
  }
  return decoded(text);
}

bool Task::is_end(std::int64_t id) const { return linnet_task_is_end(task_.get(), id) != 0; }

Constraint Task::constraint(const std::string& kind, const std::vector<nb::str>& texts) const {
  return {task_, kind, texts};
}

void bind_task(nb::module_& module) {
  nb::class_<ClassScore>(module, "ClassScore")
      .def_ro("label_index", &ClassScore::label_index)
      .def_ro("score", &ClassScore::score);
  nb::class_<Entity>(module, "Entity")
      .def_ro("label", &Entity::label)
      .def_ro("score", &Entity::score)
      .def_ro("word", &Entity::word)
      .def_ro("index", &Entity::index)
      .def_ro("start", &Entity::start)
      .def_ro("end", &Entity::end)
      .def_ro("first_token", &Entity::first_token)
      .def_ro("last_token", &Entity::last_token)
      .def_ro("words", &Entity::words);
  nb::class_<Span>(module, "Span")
      .def_ro("score", &Span::score)
      .def_ro("start", &Span::start)
      .def_ro("end", &Span::end)
      .def_ro("answer", &Span::answer);
  nb::class_<Proposal>(module, "Proposal")
      .def_ro("index", &Proposal::index)
      .def_ro("token", &Proposal::token)
      .def_ro("score", &Proposal::score)
      .def_ro("token_str", &Proposal::token_str)
      .def_ro("sequence", &Proposal::sequence);
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
      .def("scores", &Task::scores, nb::arg("logits"))
      .def("sampling", &Task::sampling)
      .def("chat_prompt", &Task::chat_prompt, nb::arg("messages"), nb::arg("generation") = true)
      .def("is_end", &Task::is_end, nb::arg("id"))
      .def("constraint", &Task::constraint, nb::arg("kind"), nb::arg("texts"));
  module.def("apply_scores", &apply_scores, nb::arg("name"), nb::arg("values"));
}

}  // namespace linnet_python
