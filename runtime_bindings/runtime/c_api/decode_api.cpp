// C ABI, decoding: from outputs to answers.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "c_api/handles.h"
#include "decode/classes.h"
#include "decode/entities.h"
#include "decode/masks.h"
#include "decode/scores.h"
#include "decode/spans.h"
#include "linnet.h"
#include "status.h"

using linnet::c_api::new_answers;
using linnet::c_api::require_array;
using linnet::c_api::require_enum;
using linnet::c_api::require_pointer;
using linnet::c_api::view_of;

namespace {

const linnet_tensor& output(const linnet_window_outputs& window, std::size_t index) {
  if (index >= window.output_count) {
    throw linnet::Error(LINNET_MANIFEST_INVALID,
                        "the program gave " + std::to_string(window.output_count) +
                            " outputs, the manifest names more; export the file again");
  }
  require_pointer(window.outputs, "outputs");
  require_enum(window.outputs[index].dtype, LINNET_BOOLEAN, "dtype of an output");
  return window.outputs[index];
}

const linnet::Window& window_of(const linnet_window_outputs& window) {
  require_pointer(window.encoding, "encoding");
  if (window.window >= window.encoding->windows.size()) {
    throw linnet::Error(LINNET_INVALID_ARGUMENT,
                        "there is no window " + std::to_string(window.window) + " in the encoding");
  }
  return window.encoding->windows[window.window];
}

linnet::WindowView view(const linnet_task& task, const linnet_window_outputs& window, std::string_view text) {
  const linnet::Window& found = window_of(window);
  return {task.value, found, window.encoding->foreign.get(), text};
}

void check_aggregation(const linnet_entity_options& options) {
  require_enum(options.aggregation, LINNET_AGGREGATE_MAX, "aggregation");
  require_array(options.ignored, options.ignored_count, "ignored");
  for (std::size_t i = 0; i < options.ignored_count; ++i) {
    view_of(options.ignored[i], "an ignored label");
  }
}

}  // namespace

extern "C" linnet_class_options linnet_default_class_options(void) { return {0, LINNET_SCORES_OF_FILE}; }

extern "C" linnet_entity_options linnet_default_entity_options(void) {
  static const linnet_text outside = {"O", 1};
  return {LINNET_AGGREGATE_SIMPLE, &outside, 1};
}

extern "C" linnet_question_options linnet_default_question_options(void) { return {1, 15, 0, -1, 0, 1}; }

extern "C" linnet_mask_options linnet_default_mask_options(void) { return {5, nullptr, 0}; }

extern "C" linnet_status linnet_decode_classes(const linnet_task* task, const linnet_tensor* logits,
                                               const linnet_class_options* options,
                                               linnet_answers** answers) {
  return linnet::guarded([&] {
    require_pointer(task, "task");
    require_pointer(logits, "logits");
    require_enum(logits->dtype, LINNET_BOOLEAN, "dtype of the logits");
    require_pointer(answers, "answers");
    if (options != nullptr) {
      require_enum(options->score_function, LINNET_SCORES_NONE, "score_function");
    }
    const linnet_class_options wanted = options == nullptr ? linnet_default_class_options() : *options;
    *answers = new_answers(linnet::decode_classes(task->value, *logits, wanted));
  });
}

extern "C" linnet_status linnet_decode_entities(const linnet_task* task, linnet_text text,
                                                const linnet_window_outputs* window,
                                                const linnet_entity_options* options,
                                                linnet_answers** answers) {
  return linnet::guarded([&] {
    require_pointer(task, "task");
    require_pointer(window, "window");
    require_pointer(answers, "answers");
    if (options != nullptr) {
      check_aggregation(*options);
    }
    const linnet_entity_options wanted = options == nullptr ? linnet_default_entity_options() : *options;
    const linnet::WindowView seen = view(*task, *window, view_of(text, "text"));
    const linnet_tensor& logits = output(*window, task->value.output("logits"));
    *answers = new_answers(linnet::decode_entities(task->value, seen, logits, wanted));
  });
}

extern "C" linnet_status linnet_decode_spans(const linnet_task* task, linnet_text context,
                                             const linnet_window_outputs* windows, size_t window_count,
                                             const linnet_question_options* options,
                                             linnet_answers** answers) {
  return linnet::guarded([&] {
    require_pointer(task, "task");
    require_pointer(answers, "answers");
    const std::string_view text = view_of(context, "context");
    const std::size_t start = task->value.output("start_logits");
    const std::size_t end = task->value.output("end_logits");
    std::vector<linnet::SpanLogits> logits;
    require_array(windows, window_count, "windows");
    for (std::size_t i = 0; i < window_count; ++i) {
      // not reserved, since the count is the caller's and can be wrong: NOLINTNEXTLINE(performance-*)
      logits.push_back({view(*task, windows[i], text), &output(windows[i], start), &output(windows[i], end)});
    }
    const linnet_question_options wanted = options == nullptr ? linnet_default_question_options() : *options;
    *answers = new_answers(linnet::decode_spans(task->value, logits, wanted));
  });
}

extern "C" linnet_status linnet_decode_masks(const linnet_task* task, const linnet_window_outputs* window,
                                             const linnet_mask_options* options, linnet_answers** answers) {
  return linnet::guarded([&] {
    require_pointer(task, "task");
    require_pointer(window, "window");
    require_pointer(answers, "answers");
    const linnet_mask_options wanted = options == nullptr ? linnet_default_mask_options() : *options;
    if (wanted.targets != nullptr) {
      require_array(wanted.targets, wanted.target_count, "targets");
    }
    const linnet_tensor& logits = output(*window, task->value.output("logits"));
    const linnet::Window& found = window_of(*window);
    const bool is_foreign = window->encoding->foreign != nullptr;
    *answers = new_answers(linnet::decode_masks(task->value, found, is_foreign, logits, wanted));
  });
}

extern "C" linnet_status linnet_decode_scores(const linnet_task* task, const linnet_tensor* logits,
                                              float* scores, size_t capacity, size_t* count) {
  return linnet::guarded([&] {
    require_pointer(task, "task");
    require_pointer(logits, "logits");
    require_enum(logits->dtype, LINNET_BOOLEAN, "dtype of the logits");
    require_pointer(count, "count");
    require_array(scores, capacity, "scores");
    const std::vector<float> found = linnet::decode_scores(task->value, *logits);
    std::copy_n(found.begin(), std::min(capacity, found.size()), scores);
    *count = found.size();
  });
}

extern "C" linnet_status linnet_apply_scores(linnet_score_function score_function, float* values, size_t rows,
                                             size_t columns) {
  return linnet::guarded([&] {
    require_enum(score_function, LINNET_SCORES_NONE, "score_function");
    if (rows > 0 && columns > 0) {
      require_array(values, rows > SIZE_MAX / columns ? SIZE_MAX : rows * columns, "values");
    }
    for (std::size_t i = 0; columns > 0 && i < rows; ++i) {
      linnet::apply_scores(score_function, values + i * columns, columns);
    }
  });
}
