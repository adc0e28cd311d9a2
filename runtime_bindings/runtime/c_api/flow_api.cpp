// C ABI, from text to answers: a text becomes tokens, an engine runs the program on them, and decoding reads
// its outputs.
//
// Python has this a second time, in sdk/linnet/session.py and sdk/linnet/tasks: there a list of texts is run
// in batches, and tokenizers may be used that are not in this library.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "c_api/handles.h"
#include "decode/masks.h"
#include "decode/rows.h"
#include "decode/spans.h"
#include "linnet.h"
#include "stats/stats.h"
#include "status.h"

using linnet::c_api::require_pointer;
using linnet::c_api::view_of;

namespace {

struct FreeOutputs {
  void operator()(linnet_outputs* outputs) const noexcept { linnet_outputs_free(outputs); }
};

// The outputs of one window, with their tensors read once.
class Outputs {
 public:
  Outputs() = default;
  explicit Outputs(linnet_outputs* raw) : raw_(raw), tensors_(linnet_outputs_count(raw)) {
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      linnet_outputs_tensor(raw, i, &tensors_[i]);
    }
  }
  const std::vector<linnet_tensor>& tensors() const noexcept { return tensors_; }

 private:
  std::unique_ptr<linnet_outputs, FreeOutputs> raw_;
  std::vector<linnet_tensor> tensors_;
};

// Throw the failure of a function of linnet.h again, with its message.
void pass_on(linnet_status status) {
  if (status != LINNET_OK) {
    throw linnet::Error(status, linnet_last_error(), linnet_last_executorch_error());
  }
}

// What one call of a verb counts, if the task counts.
class Call {
 public:
  explicit Call(const linnet_task* task)
      : stats_(task == nullptr ? nullptr : task->counting()), start_(now()), lap_(start_) {}

  // Note that a text became tokens.
  void encoded(const linnet_encoding& encoding) noexcept {
    if (stats_ != nullptr) {
      for (const linnet::Window& window : encoding.windows) {
        tokens_ = std::max(tokens_, window.ids.size());
      }
      lap(linnet::Stage::kTokenize, tokens_);
    }
  }

  // Note that the program ran on a window.
  void ran(const linnet::Window& window) noexcept {
    if (stats_ != nullptr) {
      lap(linnet::Stage::kRun, window.ids.size());
      stats_->input(window.ids.data(), window.ids.size(), window.truncated);
    }
  }

  // Note that outputs became answers. `scored`: the scores are probabilities; `labelled`: answers are
  // classes.
  void decoded(const linnet::Answers& answers, bool scored, bool labelled) noexcept {
    if (stats_ == nullptr) {
      return;
    }
    lap(linnet::Stage::kDecode, tokens_);
    if (answers.empty()) {
      return;
    }
    if (labelled) {
      stats_->label(answers[0].label_index);
    }
    if (scored) {
      stats_->confidence(answers[0].score);
    }
  }

  // Note each entity, which is an answer of its own. A group PER counts as the class B-PER or I-PER.
  void tagged(const linnet::Answers& answers, const std::vector<std::string>& labels) noexcept {
    if (stats_ == nullptr) {
      return;
    }
    lap(linnet::Stage::kDecode, tokens_);
    for (const linnet::Answer& answer : answers) {
      const std::int64_t number =
          answer.label_index < 0 ? class_of(labels, answer.label) : answer.label_index;
      if (number >= 0) {
        stats_->label(number);
      }
      stats_->confidence(answer.score);
    }
  }

  void finish(linnet_status status) noexcept {
    if (stats_ == nullptr) {
      return;
    }
    if (status == LINNET_OK) {
      stats_->latency(linnet::Stage::kTotal, tokens_, now() - start_);
    } else {
      stats_->error(status);
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  // Return the first class of a group, or -1.
  static std::int64_t class_of(const std::vector<std::string>& labels, std::string_view group) noexcept {
    for (const std::string_view prefix : {"", "B-", "I-"}) {
      for (std::size_t i = 0; i < labels.size(); ++i) {
        const std::string_view label = labels[i];
        if (label.substr(0, prefix.size()) == prefix &&
            label.substr(std::min(prefix.size(), label.size())) == group) {
          return static_cast<std::int64_t>(i);
        }
      }
    }
    return -1;
  }

  // A clock is only read where somebody counts.
  Clock::time_point now() const noexcept { return stats_ == nullptr ? Clock::time_point() : Clock::now(); }

  void lap(linnet::Stage stage, std::size_t tokens) noexcept {
    const Clock::time_point moment = now();
    stats_->latency(stage, tokens, moment - lap_);
    lap_ = moment;
  }

  linnet::Stats* stats_;
  Clock::time_point start_;
  Clock::time_point lap_;
  std::size_t tokens_ = 0;
};

// Run a verb as guarded() does, and count it.
template <typename Body>
linnet_status counted(const linnet_task* task, Body&& body) noexcept {
  Call call(task);
  const linnet_status status = linnet::guarded([&] { body(call); });
  call.finish(status);
  return status;
}

// Tell whether classes have probabilities as scores.
bool is_probability(const linnet_task& task, const linnet_class_options* options) {
  const bool chosen = options != nullptr && options->score_function != LINNET_SCORES_OF_FILE;
  return (chosen ? options->score_function : task.value.score_function()) != LINNET_SCORES_NONE;
}

void require_task(const linnet_task* task, const linnet_engine* engine, const char* name) {
  require_pointer(task, "task");
  require_pointer(engine, "engine");
  if (task->value.name() != name) {
    throw linnet::Error(LINNET_INVALID_ARGUMENT, std::string("this needs a file of task ") + name +
                                                     "; this one is " + task->value.name());
  }
}

linnet_encode_options options_for(std::int64_t max_length, linnet_truncation truncation,
                                  std::int32_t stride) {
  const std::int64_t bound = std::min<std::int64_t>(max_length, INT32_MAX);
  return {static_cast<std::int32_t>(bound), truncation, stride, 1};
}

linnet_encoding encode(const linnet_task& task, linnet_text text, linnet_text pair,
                       const linnet_encode_options& options) {
  const std::string_view first = view_of(text, "text");
  const std::string_view second = view_of(pair, "pair");
  const bool has_pair = pair.bytes != nullptr;
  if (has_pair && task.value.refuses_pairs()) {
    throw linnet::Error(LINNET_INVALID_ARGUMENT,
                        "got a pair, this file takes single texts: its original fails on every pair");
  }
  return {task.value.tokenizer()->encode(first, has_pair ? &second : nullptr, options), nullptr};
}

linnet_encoding encode_one(const linnet_task& task, linnet_text text, linnet_text pair,
                           std::int32_t truncate) {
  const linnet_truncation truncation = truncate != 0 ? LINNET_TRUNCATE_LONGEST_FIRST : LINNET_TRUNCATE_NEVER;
  return encode(task, text, pair, options_for(task.value.max_length(), truncation, -1));
}

// Return how many tokens of a text behind a prompt are not pooled: as many as the prompt alone has, without a
// special token at its end (as in sentence-transformers); 0 if the program pools all tokens.
std::size_t prompt_tokens(const linnet_task& task, const std::string& prompt) {
  const std::vector<std::string>& inputs = task.value.inputs();
  if (prompt.empty() || std::find(inputs.begin(), inputs.end(), "pooling_mask") == inputs.end()) {
    return 0;
  }
  const linnet_encoding encoding = encode_one(task, linnet::c_api::text_of(prompt), {nullptr, 0}, 1);
  const linnet::Window& window = encoding.windows[0];
  if (window.ids.empty()) {
    return 0;
  }
  const auto ends_in = [&](const char* field) { return task.value.fields().id(field) == window.ids.back(); };
  const bool is_special = window.sequence_ids.back() < 0 || ends_in("pad_id") || ends_in("unk_id") ||
                          ends_in("cls_id") || ends_in("sep_id") || ends_in("mask_id");
  return window.ids.size() - (is_special ? 1 : 0);
}

// Run a window; the first `left_out` tokens are not pooled.
Outputs run(const linnet_task& task, const linnet_engine& engine, const linnet::Window& window,
            std::size_t left_out = 0) {
  if (engine.run == nullptr) {
    throw linnet::Error(LINNET_INVALID_ARGUMENT, "the engine has no run function");
  }
  const std::vector<std::int64_t> attended(window.ids.size(), 1);
  std::vector<std::int64_t> pooled = attended;
  std::fill_n(pooled.begin(), std::min(left_out, pooled.size()), 0);
  const auto values_of = [&](const std::string& name) -> const std::vector<std::int64_t>& {
    if (name == "input_ids") {
      return window.ids;
    }
    return name == "token_type_ids" ? window.type_ids : (name == "pooling_mask" ? pooled : attended);
  };
  std::vector<linnet_tensor> inputs;
  for (const std::string& name : task.value.inputs()) {
    const std::vector<std::int64_t>& values = values_of(name);
    inputs.push_back({LINNET_INT64, 2, {1, static_cast<std::int64_t>(values.size())}, values.data()});
  }
  linnet_outputs* raw = nullptr;
  pass_on(engine.run(engine.context, "forward", inputs.data(), inputs.size(), &raw));
  return Outputs(raw);
}

// Return the output of a run by its name, borrowed. Throw LINNET_MANIFEST_INVALID if there is none.
const linnet_tensor& named(const linnet_task& task, const Outputs& outputs, const char* name) {
  const std::size_t index = task.value.output(name);
  if (index >= outputs.tensors().size()) {
    throw linnet::Error(LINNET_MANIFEST_INVALID,
                        "the program gave " + std::to_string(outputs.tensors().size()) +
                            " outputs, the manifest names more; export the file again");
  }
  return outputs.tensors()[index];
}

linnet_window_outputs window_outputs(const linnet_encoding& encoding, std::size_t window,
                                     const Outputs& outputs) {
  return {&encoding, window, outputs.tensors().data(), outputs.tensors().size()};
}

void set_truncated(linnet_answers* answers, const linnet_encoding& encoding) {
  answers->truncated = encoding.windows[0].truncated;
}

void normalize_vector(float* vector, std::size_t size) {
  double sum = 0;
  for (std::size_t i = 0; i < size; ++i) {
    sum += static_cast<double>(vector[i]) * static_cast<double>(vector[i]);
  }
  const double length = std::max(std::sqrt(sum), 1e-12);  // `eps` of torch.nn.functional.normalize
  for (std::size_t i = 0; i < size; ++i) {
    vector[i] = static_cast<float>(static_cast<double>(vector[i]) / length);
  }
}

void require_question(linnet_text question, linnet_text context) {
  if (question.size == 0 || context.size == 0) {
    throw linnet::Error(LINNET_INVALID_ARGUMENT,
                        question.size == 0 ? "the question is empty" : "the context is empty");
  }
}

}  // namespace

extern "C" linnet_status linnet_classify(const linnet_task* task, const linnet_engine* engine,
                                         linnet_text text, linnet_text pair, int32_t truncate,
                                         const linnet_class_options* options, linnet_answers** answers) {
  return counted(task, [&](Call& call) {
    require_task(task, engine, "text-classification");
    const linnet_encoding encoding = encode_one(*task, text, pair, truncate);
    call.encoded(encoding);
    const Outputs outputs = run(*task, *engine, encoding.windows[0]);
    call.ran(encoding.windows[0]);
    pass_on(linnet_decode_classes(task, &named(*task, outputs, "logits"), options, answers));
    set_truncated(*answers, encoding);
    call.decoded((*answers)->answers, is_probability(*task, options), true);
  });
}

extern "C" linnet_status linnet_find_entities(const linnet_task* task, const linnet_engine* engine,
                                              linnet_text text, int32_t truncate,
                                              const linnet_entity_options* options,
                                              linnet_answers** answers) {
  return counted(task, [&](Call& call) {
    require_task(task, engine, "token-classification");
    const linnet_encoding encoding = encode_one(*task, text, {nullptr, 0}, truncate);
    call.encoded(encoding);
    const Outputs outputs = run(*task, *engine, encoding.windows[0]);
    call.ran(encoding.windows[0]);
    const linnet_window_outputs window = window_outputs(encoding, 0, outputs);
    pass_on(linnet_decode_entities(task, text, &window, options, answers));
    set_truncated(*answers, encoding);
    call.tagged((*answers)->answers, task->value.labels());
  });
}

extern "C" linnet_status linnet_answer_question(const linnet_task* task, const linnet_engine* engine,
                                                linnet_text question, linnet_text context,
                                                const linnet_question_options* options,
                                                linnet_answers** answers) {
  return counted(task, [&](Call& call) {
    require_task(task, engine, "question-answering");
    require_question(question, context);
    const linnet_question_options wanted = options == nullptr ? linnet_default_question_options() : *options;
    const linnet::WindowSize size = linnet::window_size(task->value, wanted);
    const linnet_encoding encoding = encode(
        *task, question, context, options_for(size.max_length, LINNET_TRUNCATE_ONLY_SECOND, size.stride));
    call.encoded(encoding);
    std::vector<Outputs> outputs;
    std::vector<linnet_window_outputs> windows;
    outputs.reserve(encoding.windows.size());
    for (std::size_t i = 0; i < encoding.windows.size(); ++i) {
      outputs.push_back(run(*task, *engine, encoding.windows[i]));
      call.ran(encoding.windows[i]);
      windows.push_back(window_outputs(encoding, i, outputs.back()));
    }
    pass_on(linnet_decode_spans(task, context, windows.data(), windows.size(), &wanted, answers));
    call.decoded((*answers)->answers, true, false);
  });
}

extern "C" linnet_status linnet_fill_mask(const linnet_task* task, const linnet_engine* engine,
                                          linnet_text text, int32_t truncate,
                                          const linnet_mask_options* options, linnet_answers** answers) {
  return counted(task, [&](Call& call) {
    require_task(task, engine, "fill-mask");
    const linnet_encoding encoding = encode_one(*task, text, {nullptr, 0}, truncate);
    call.encoded(encoding);
    linnet::require_mask(task->value, encoding.windows[0]);
    const Outputs outputs = run(*task, *engine, encoding.windows[0]);
    call.ran(encoding.windows[0]);
    const linnet_window_outputs window = window_outputs(encoding, 0, outputs);
    pass_on(linnet_decode_masks(task, &window, options, answers));
    set_truncated(*answers, encoding);
    call.decoded((*answers)->answers, true, false);
  });
}

extern "C" linnet_status linnet_embed(const linnet_task* task, const linnet_engine* engine, linnet_text text,
                                      int32_t truncate, const char* prompt_name, int32_t normalize,
                                      float* vector, size_t capacity) {
  return counted(task, [&](Call& call) {
    require_task(task, engine, "feature-extraction");
    require_pointer(vector, "vector");
    const std::string prompt = task->value.prompt(prompt_name);
    const std::string prompted = prompt + std::string(view_of(text, "text"));
    const linnet_encoding encoding =
        encode_one(*task, linnet::c_api::text_of(prompted), {nullptr, 0}, truncate);
    const std::size_t left_out = prompt_tokens(*task, prompt);
    call.encoded(encoding);
    const Outputs outputs = run(*task, *engine, encoding.windows[0], left_out);
    call.ran(encoding.windows[0]);
    const linnet::Rows row = linnet::read_rows(named(*task, outputs, "embedding"), 1);
    if (row.columns > capacity) {
      throw linnet::Error(LINNET_INVALID_ARGUMENT, "an embedding has " + std::to_string(row.columns) +
                                                       " numbers, vector has room for " +
                                                       std::to_string(capacity));
    }
    std::copy_n(row.data, row.columns, vector);
    if (normalize != 0) {
      normalize_vector(vector, row.columns);
    }
  });
}

extern "C" linnet_status linnet_score(const linnet_task* task, const linnet_engine* engine, linnet_text query,
                                      linnet_text passage, int32_t truncate, float* scores, size_t capacity,
                                      size_t* count) {
  return counted(task, [&](Call& call) {
    require_task(task, engine, "text-ranking");
    const linnet_text second = passage.size == 0 ? linnet_text{"", 0} : passage;
    const linnet_encoding encoding = encode_one(*task, query, second, truncate);
    call.encoded(encoding);
    const Outputs outputs = run(*task, *engine, encoding.windows[0]);
    call.ran(encoding.windows[0]);
    pass_on(linnet_decode_scores(task, &named(*task, outputs, "logits"), scores, capacity, count));
  });
}

extern "C" linnet_status linnet_rank(const linnet_task* task, const linnet_engine* engine, linnet_text query,
                                     const linnet_text* passages, size_t passage_count, int32_t truncate,
                                     int32_t top_k, linnet_answers** answers) {
  return linnet::guarded([&] {
    require_task(task, engine, "text-ranking");
    require_pointer(answers, "answers");
    linnet::c_api::require_array(passages, passage_count, "passages");
    if (top_k < 0) {
      throw linnet::Error(LINNET_INVALID_ARGUMENT,
                          "top_k is " + std::to_string(top_k) + ", expected 0 (all) or more");
    }
    linnet::Answers ranked;
    std::vector<float> scores(std::max<std::size_t>(task->value.labels().size(), 1));
    for (std::size_t i = 0; i < passage_count; ++i) {
      std::size_t count = 0;
      pass_on(linnet_score(task, engine, query, passages[i], truncate, scores.data(), scores.size(), &count));
      linnet::Answer answer;
      answer.score = static_cast<double>(scores[0]);
      answer.index = static_cast<std::int64_t>(i);
      ranked.push_back(std::move(answer));
    }
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const linnet::Answer& a, const linnet::Answer& b) { return a.score > b.score; });
    if (top_k > 0 && static_cast<std::size_t>(top_k) < ranked.size()) {
      ranked.resize(static_cast<std::size_t>(top_k));
    }
    *answers = linnet::c_api::new_answers(std::move(ranked));
  });
}
