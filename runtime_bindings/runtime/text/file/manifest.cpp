// Manifest checks: what a program must say about itself before linnet runs it. The fields are defined in
// sdk/linnet/format/manifest.py; a test compares both readers on the same table of good and bad files.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "file/fields.h"
#include "status.h"

namespace linnet {
namespace {

constexpr std::int64_t kSchemaMajor = 1;

// `least` and `most` bound a number, or the bytes of a string.
struct Known {
  std::string_view name;
  linnet_value_type type;
  bool required;
  std::int64_t least;
  std::int64_t most;
};

constexpr std::int64_t kMostId = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMostLength = std::int64_t{1024} * 1024;
constexpr std::int64_t kMostBatch = std::int64_t{64} * 1024;
constexpr std::int64_t kMostText = std::int64_t{64} * 1024;
constexpr std::int64_t kMostItems = std::int64_t{16} * 1024 * 1024;
constexpr std::int64_t kMostBytes = std::int64_t{256} * 1024 * 1024;

constexpr Known kKnown[] = {
    {"task", LINNET_STRING, true, 0, kMostText},
    {"model_type", LINNET_STRING, true, 0, kMostText},
    {"labels", LINNET_STRING, false, 0, kMostItems},
    {"score_function", LINNET_STRING, false, 0, kMostText},
    {"tokenizer_kind", LINNET_STRING, true, 0, kMostText},
    {"tokenizer", LINNET_BYTES, true, 0, kMostBytes},
    {"tokenizer_version", LINNET_STRING, false, 0, kMostText},
    {"vocab_size", LINNET_INT, true, 1, kMostId},
    {"pad_id", LINNET_INT, false, -1, kMostId},
    {"unk_id", LINNET_INT, false, -1, kMostId},
    {"cls_id", LINNET_INT, false, -1, kMostId},
    {"sep_id", LINNET_INT, false, -1, kMostId},
    {"mask_id", LINNET_INT, false, -1, kMostId},
    {"max_length", LINNET_INT, true, 2, kMostLength},
    {"refuses_pairs", LINNET_BOOL, false, 0, 1},
    {"max_batch", LINNET_INT, false, 0, kMostBatch},
    {"inputs", LINNET_STRING, true, 0, kMostItems},
    {"batch_inputs", LINNET_STRING, false, 0, kMostItems},
    {"outputs", LINNET_STRING, true, 0, kMostItems},
    {"embedding_size", LINNET_INT, false, 0, kMostLength},
    {"pooling", LINNET_STRING, false, 0, kMostText},
    {"normalized", LINNET_BOOL, false, 0, 1},
    {"prompt_names", LINNET_STRING, false, 0, kMostItems},
    {"prompts", LINNET_STRING, false, 0, kMostItems},
    {"default_prompt", LINNET_STRING, false, 0, kMostText},
    {"cache_layers", LINNET_INT, false, 0, kMostBatch},
    {"cache_row_bytes", LINNET_INT, false, 0, kMostLength},
    {"chunk_length", LINNET_INT, false, 0, kMostLength},
    {"logit_rows", LINNET_INT, false, 0, kMostLength},
    {"end_ids", LINNET_STRING, false, 0, kMostText},
    {"temperature", LINNET_FLOAT, false, 0, 1000},
    {"top_k", LINNET_INT, false, 0, kMostId},
    {"top_p", LINNET_FLOAT, false, 0, 1},
    {"min_p", LINNET_FLOAT, false, 0, 1},
    {"repetition_penalty", LINNET_FLOAT, false, 0, 1000},
    {"chat_head", LINNET_STRING, false, 0, kMostText},
    {"chat_has_system", LINNET_BOOL, false, 0, 1},
    {"chat_head_system", LINNET_STRING, false, 0, kMostText},
    {"chat_system_end", LINNET_STRING, false, 0, kMostText},
    {"chat_user_start", LINNET_STRING, false, 0, kMostText},
    {"chat_user_end", LINNET_STRING, false, 0, kMostText},
    {"chat_assistant_start", LINNET_STRING, false, 0, kMostText},
    {"chat_assistant_end", LINNET_STRING, false, 0, kMostText},
    {"chat_generation", LINNET_STRING, false, 0, kMostText},
    {"chat_trim", LINNET_STRING, false, 0, kMostText},
    {"recipe", LINNET_STRING, true, 0, kMostText},
    {"quantization", LINNET_STRING, false, 0, kMostText},
    {"source", LINNET_STRING, true, 0, kMostText},
    {"source_commit", LINNET_STRING, false, 0, kMostText},
    {"source_sha256", LINNET_STRING, false, 0, kMostText},
    {"license", LINNET_STRING, false, 0, kMostText},
    {"producer", LINNET_STRING, true, 0, kMostText},
    {"executorch_version", LINNET_STRING, true, 0, kMostText},
    {"backends", LINNET_STRING, false, 0, kMostItems},
    {"kernel_libraries", LINNET_STRING, false, 0, kMostItems},
    {"operators", LINNET_STRING, false, 0, kMostItems},
};

constexpr std::string_view kTasks[] = {"feature-extraction",  "fill-mask",       "question-answering",
                                       "text-classification", "text-generation", "text-ranking",
                                       "token-classification"};
constexpr std::string_view kScoreFunctions[] = {"softmax", "sigmoid", "none"};
constexpr std::string_view kPoolings[] = {"cls",          "max",      "mean", "mean_sqrt_len_tokens",
                                          "weightedmean", "lasttoken"};
constexpr std::string_view kInputs[] = {"input_ids", "token_type_ids", "pooling_mask", "attention_mask",
                                        "cache_position"};
// Files of text-generation have all of these.
constexpr std::string_view kDecoderFields[] = {"cache_layers", "cache_row_bytes", "chunk_length",
                                               "logit_rows"};
constexpr std::string_view kTokenFields[] = {"pad_id", "unk_id", "cls_id", "sep_id", "mask_id"};

using Problems = std::vector<std::string>;

template <typename Range>
bool is_in(std::string_view value, const Range& range) {
  return std::find(std::begin(range), std::end(range), value) != std::end(range);
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Return the number of a string of digits. Only the first nine are read, so that it cannot overflow: a longer
// version is too new in any case.
std::int64_t number(const std::string& digits) { return std::stoll(digits.substr(0, 9)); }

void check_schema(const Fields& fields, const std::string& name) {
  const linnet_value* value = fields.find("schema_version");
  const bool is_text = value != nullptr && value->type == LINNET_STRING;
  const std::string version = is_text ? fields.text("schema_version") : "";
  const std::size_t dot = version.find('.');
  const std::string major = version.substr(0, dot);
  if (dot == std::string::npos || !is_number(major) || !is_number(version.substr(dot + 1)) ||
      number(major) < 1) {
    throw Error(LINNET_MANIFEST_INVALID,
                name + ": schema_version is \"" + version + "\", expected \"major.minor\" from 1.0 on");
  }
  if (number(major) > kSchemaMajor) {
    throw Error(LINNET_SCHEMA_TOO_NEW,
                name + ": the file has schema " + version + ", this linnet reads " +
                    std::to_string(kSchemaMajor) +
                    ".x; install a newer linnet, or export the file again with this one");
  }
}

Problems type_problems(const Fields& fields) {
  Problems problems;
  for (const Known& known : kKnown) {
    const linnet_value* value = fields.find(known.name);
    if (value == nullptr && known.required) {
      problems.push_back(std::string(known.name) + " is missing");
    } else if (value != nullptr && value->type != known.type) {
      problems.push_back(std::string(known.name) + " has the wrong type");
    }
  }
  return problems;
}

void check_ranges(const Fields& fields, Problems& problems) {
  for (const Known& known : kKnown) {
    const linnet_value* value = fields.find(known.name);
    if (value == nullptr) {
      continue;
    }
    if (known.type == LINNET_FLOAT) {
      // also true for what is no number
      if (!(value->real >= static_cast<double>(known.least) &&
            value->real <= static_cast<double>(known.most))) {
        problems.push_back(std::string(known.name) + " is " + std::to_string(value->real) + ", expected " +
                           std::to_string(known.least) + " to " + std::to_string(known.most));
      }
      continue;
    }
    const bool is_sized = known.type == LINNET_STRING || known.type == LINNET_BYTES;
    const std::int64_t size = is_sized ? static_cast<std::int64_t>(value->size) : value->integer;
    if (size < known.least || size > known.most) {
      problems.push_back(std::string(known.name) + (is_sized ? " has " : " is ") + std::to_string(size) +
                         (is_sized ? " bytes" : "") + ", expected " + std::to_string(known.least) + " to " +
                         std::to_string(known.most));
    }
  }
}

// "none", or poolings joined by +.
bool is_pooling(std::string_view text) {
  for (std::size_t plus = text.find('+'); plus != std::string_view::npos; plus = text.find('+')) {
    if (!is_in(text.substr(0, plus), kPoolings)) {
      return false;
    }
    text.remove_prefix(plus + 1);
  }
  return is_in(text, kPoolings);
}

void check_task(const Fields& fields, Problems& problems) {
  const std::string task = fields.text("task");
  if (!is_in(task, kTasks)) {
    problems.push_back("task is \"" + task + "\", which this linnet does not know");
  }
  if (fields.find("score_function") != nullptr && !is_in(fields.text("score_function"), kScoreFunctions)) {
    problems.emplace_back("score_function is not softmax, sigmoid or none");
  }
  const std::string pooling = fields.text("pooling");
  if (fields.find("pooling") != nullptr && pooling != "none" && !is_pooling(pooling)) {
    problems.push_back("pooling is \"" + pooling + "\", which this linnet does not know");
  }
  if ((task == "text-classification" || task == "token-classification") && fields.text("labels").empty()) {
    problems.push_back("labels is empty, " + task + " needs at least one");
  }
  if (task == "feature-extraction" && fields.integer("embedding_size") <= 0) {
    problems.emplace_back("embedding_size is 0, feature-extraction needs the width of its embedding");
  }
}

void check_prompts(const Fields& fields, Problems& problems) {
  const std::vector<std::string> names = fields.items("prompt_names");
  if (names.size() != fields.items("prompts").size()) {
    problems.emplace_back("prompt_names and prompts differ in length");
  }
  const std::string chosen = fields.text("default_prompt");
  if (!chosen.empty() && !is_in(chosen, names)) {
    problems.emplace_back("default_prompt is not in prompt_names");
  }
}

void check_tokens(const Fields& fields, Problems& problems) {
  const std::int64_t size = fields.integer("vocab_size");
  for (const std::string_view name : kTokenFields) {
    const linnet_value* value = fields.find(name);
    if (value != nullptr && (value->integer < -1 || value->integer >= size)) {
      problems.push_back(std::string(name) + " is neither -1 nor an id below vocab_size");
    }
  }
  const linnet_value* mask = fields.find("mask_id");
  if (fields.text("task") == "fill-mask" && (mask == nullptr || mask->integer < 0)) {
    problems.emplace_back("mask_id is -1, fill-mask needs a mask token");
  }
  if (fields.find("tokenizer")->size == 0) {
    problems.emplace_back("tokenizer is empty");
  }
}

void check_input_names(const std::vector<std::string>& names, Problems& problems) {
  for (const std::string& name : names) {
    if (!is_in(name, kInputs)) {
      problems.push_back("input \"" + name + "\" is not known to this linnet");
    }
  }
}

void check_methods(const Fields& fields, Problems& problems) {
  const std::vector<std::string> inputs = fields.items("inputs");
  const std::vector<std::string> batch_inputs = fields.items("batch_inputs");
  if (inputs.empty() || inputs[0] != "input_ids") {
    problems.emplace_back("inputs does not start with input_ids");
  }
  if ((fields.integer("max_batch") != 0) == batch_inputs.empty()) {
    problems.emplace_back("max_batch and batch_inputs contradict each other");
  }
  if (fields.text("outputs").empty()) {
    problems.emplace_back("outputs is empty");
  }
  check_input_names(inputs, problems);
  check_input_names(batch_inputs, problems);
}

void check_decoder(const Fields& fields, Problems& problems) {
  if (fields.text("task") != "text-generation") {
    return;
  }
  for (const std::string_view name : kDecoderFields) {
    if (fields.integer(name) <= 0) {
      problems.push_back(std::string(name) + " is 0, text-generation needs it");
    }
  }
  if (fields.integer("chunk_length") > fields.integer("max_length")) {
    problems.emplace_back("chunk_length is above max_length");
  }
  for (const std::string& id : fields.items("end_ids")) {
    if (!is_number(id) || number(id) >= fields.integer("vocab_size")) {
      problems.push_back("end_ids has \"" + id + "\", expected ids below vocab_size");
    }
  }
}

void refuse(const Problems& problems, const std::string& name) {
  if (problems.empty()) {
    return;
  }
  std::string text;
  for (const std::string& problem : problems) {
    text += (text.empty() ? "" : "; ") + problem;
  }
  throw Error(LINNET_MANIFEST_INVALID, name + ": " + text + "; export the file again");
}

}  // namespace

void check_manifest(const Fields& fields, const std::string& name) {
  check_schema(fields, name);
  refuse(type_problems(fields), name);
  Problems problems;
  check_ranges(fields, problems);
  check_task(fields, problems);
  check_prompts(fields, problems);
  check_tokens(fields, problems);
  check_methods(fields, problems);
  check_decoder(fields, problems);
  refuse(problems, name);
}

}  // namespace linnet
