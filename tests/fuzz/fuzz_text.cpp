// Texts and outputs, through every task: the first byte chooses the task, then come options, then two texts.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "linnet.h"
#include "manifest.h"

namespace {

constexpr const char* kTasks[] = {"text-classification", "token-classification", "question-answering",
                                  "fill-mask",           "text-ranking",         "feature-extraction"};

linnet_task* make_task(const std::string& name) {
  static const std::string bytes = tokenizer_bytes();
  const std::map<std::string, std::string> texts = {
      {"schema_version", "1.1"},
      {"task", name},
      {"model_type", "bert"},
      {"labels", name == "token-classification" ? "O\nB-PER\nI-PER" : "on\noff\nx-y"},
      {"score_function", "softmax"},
      {"tokenizer_kind", "wordpiece"},
      {"inputs", "input_ids\ntoken_type_ids"},
      {"outputs", name == "question-answering" ? "start_logits\nend_logits"
                                               : (name == "feature-extraction" ? "embedding" : "logits")},
      {"recipe", "fp32"},
      {"source", "fuzz"},
      {"producer", "fuzz"},
      {"executorch_version", "1.5.1"}};
  std::vector<linnet_field> fields = {int_field("vocab_size", 13), int_field("pad_id", 0),
                                      int_field("unk_id", 1),      int_field("cls_id", 2),
                                      int_field("sep_id", 3),      int_field("mask_id", 4),
                                      int_field("max_length", 24), int_field("embedding_size", 3)};
  for (const auto& [field, value] : texts) {
    fields.push_back(text_field(field.c_str(), value));
  }
  fields.push_back({"tokenizer", {LINNET_BYTES, 0, 0.0, bytes.data(), bytes.size()}});
  linnet_task* task = nullptr;
  if (linnet_task_create(fields.data(), fields.size(), &task) != LINNET_OK) {
    __builtin_trap();  // the manifest above is right
  }
  return task;
}

struct Input {
  const std::uint8_t* data;
  std::size_t size;
  int task;
};

// Outputs of the shape that the task needs, with numbers out of the input, NaN and infinity among them.
linnet_status fill(void* context, const char*, const linnet_tensor* inputs, std::size_t,
                   linnet_outputs** outputs) {
  const Input& input = *static_cast<const Input*>(context);
  const std::int64_t tokens = inputs[0].shape[1];
  const std::int64_t columns = input.task == 3 ? 13 : 3;
  const bool per_token = input.task == 1 || input.task == 3;
  const std::int64_t count = per_token ? tokens * columns : (input.task == 2 ? tokens : 3);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint8_t byte = input.size == 0 ? 0 : input.data[i % input.size];
    values[i] = byte == 255 ? std::nanf("") : (byte == 254 ? INFINITY : static_cast<float>(byte) - 100);
  }
  linnet_tensor tensor = {LINNET_FLOAT32, 2, {1, count}, values.data()};
  if (per_token) {
    tensor = {LINNET_FLOAT32, 3, {1, tokens, columns}, values.data()};
  }
  const linnet_tensor both[] = {tensor, tensor};
  return linnet_outputs_create(both, input.task == 2 ? 2 : 1, outputs);
}

void use(linnet_answers* answers) {
  for (std::size_t i = 0; i < linnet_answers_count(answers); ++i) {
    linnet_answer answer;
    if (linnet_answers_get(answers, i, &answer) == LINNET_OK && answer.text.size > 0) {
      volatile char last = answer.text.bytes[answer.text.size - 1];
      (void)last;
    }
  }
  linnet_answers_free(answers);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static linnet_task* tasks[6] = {};
  if (size < 4) {
    return 0;
  }
  Input input = {data, size, data[0] % 6};
  linnet_task*& task = tasks[input.task];
  task = task == nullptr ? make_task(kTasks[input.task]) : task;
  const linnet_engine engine = {fill, &input};
  const char* text = reinterpret_cast<const char*>(data + 4);
  const std::size_t first = (size - 4) * data[3] / 255;
  const linnet_text one = {text, first};
  const linnet_text two = {text + first, size - 4 - first};
  linnet_answers* answers = nullptr;
  if (input.task == 0) {
    const linnet_class_options options = {data[1] % 5, static_cast<linnet_score_function>(data[2] % 5)};
    (void)linnet_classify(task, &engine, one, two, data[1] % 2, &options, &answers);
  } else if (input.task == 1) {
    const linnet_entity_options options = {static_cast<linnet_aggregation>(data[2] % 6), &two, data[1] % 2U};
    (void)linnet_find_entities(task, &engine, one, data[1] % 2, &options, &answers);
  } else if (input.task == 2) {
    const linnet_question_options options = {data[1] % 6,      data[2] % 9, data[1] % 30,
                                             data[2] % 12 - 1, data[1] % 2, data[2] % 2};
    (void)linnet_answer_question(task, &engine, one, two, &options, &answers);
  } else if (input.task == 3) {
    const std::int64_t targets[] = {data[2] % 16, data[1] % 16};
    const linnet_mask_options options = {data[1] % 9, data[2] % 2 == 0 ? nullptr : targets, 2};
    (void)linnet_fill_mask(task, &engine, one, data[1] % 2, &options, &answers);
  } else {
    float vector[3];
    std::size_t count = 0;
    (void)(input.task == 4 ? linnet_score(task, &engine, one, two, 1, vector, 3, &count)
                           : linnet_embed(task, &engine, one, 1, nullptr, data[1] % 2, vector, 3));
  }
  use(answers);
  return 0;
}
