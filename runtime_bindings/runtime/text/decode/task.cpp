#include "decode/task.h"

#include <algorithm>
#include <cstdlib>

#include "decode/scores.h"
#include "status.h"

namespace linnet {
namespace {

bool is_built_in(const std::string& tokenizer_kind) {
  return tokenizer_kind == "wordpiece" || tokenizer_kind == "tables";
}

// Read ids that check_manifest() has found to be numbers.
std::vector<std::int64_t> numbers(const std::vector<std::string>& items) {
  std::vector<std::int64_t> ids;
  ids.reserve(items.size());
  for (const std::string& item : items) {
    ids.push_back(std::strtoll(item.c_str(), nullptr, 10));
  }
  return ids;
}

}  // namespace

Task::Task(const Fields& fields)
    : fields_(fields),
      name_(fields.text("task")),
      labels_(fields.items("labels")),
      inputs_(fields.items("inputs")),
      outputs_(fields.items("outputs")),
      score_function_(score_function_of(fields.text("score_function"))),
      unknown_id_(fields.id("unk_id")),
      classification_id_(fields.id("cls_id")),
      padding_id_(fields.id("pad_id")),
      mask_id_(fields.id("mask_id")),
      max_length_(fields.integer("max_length")),
      end_ids_(numbers(fields.items("end_ids"))),
      refuses_pairs_(fields.integer("refuses_pairs") != 0),
      has_tokenizer_(is_built_in(fields.text("tokenizer_kind"))) {}

std::size_t Task::output(std::string_view name) const {
  const auto found = std::find(outputs_.begin(), outputs_.end(), name);
  if (found == outputs_.end()) {
    throw Error(LINNET_MANIFEST_INVALID, "the file has no output \"" + std::string(name) + "\", which " +
                                             name_ + " needs; export the file again");
  }
  return static_cast<std::size_t>(found - outputs_.begin());
}

const std::shared_ptr<const Tokenizer>& Task::tokenizer() const {
  if (!has_tokenizer_) {
    throw Error(
        LINNET_UNKNOWN_FIELD,
        "the tokenizer has kind \"" + fields_.text("tokenizer_kind") +
            "\", this linnet has wordpiece and tables built in; pass token ids to linnet_model_run, or read "
            "the file in Python with linnet's extra tokenizers");
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (tokenizer_ == nullptr) {
    const linnet_value* bytes = fields_.find("tokenizer");
    tokenizer_ = open_tokenizer({bytes->bytes, bytes->size});
  }
  return tokenizer_;
}

std::shared_ptr<const constrain::StreamVocabulary> Task::stream_vocabulary() const {
  const std::shared_ptr<const Tokenizer>& opened = tokenizer();
  const std::lock_guard<std::mutex> lock(vocabulary_mutex_);
  if (vocabulary_ == nullptr) {
    vocabulary_ = std::make_shared<const constrain::StreamVocabulary>(*opened, end_ids_);
  }
  return vocabulary_;
}

std::string Task::prompt(const char* name) const {
  const std::string wanted = name == nullptr ? fields_.text("default_prompt") : name;
  if (name == nullptr && wanted.empty()) {
    return "";
  }
  const std::vector<std::string> names = fields_.items("prompt_names");
  const auto found = std::find(names.begin(), names.end(), wanted);
  if (found == names.end()) {
    throw Error(LINNET_INVALID_ARGUMENT, "the file has no prompt \"" + wanted + "\"");
  }
  return fields_.items("prompts")[static_cast<std::size_t>(found - names.begin())];
}

}  // namespace linnet
