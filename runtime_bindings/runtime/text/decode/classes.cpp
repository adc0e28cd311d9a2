#include "decode/classes.h"

#include <string>

#include "decode/rows.h"
#include "decode/scores.h"
#include "status.h"

namespace linnet {
namespace {

std::vector<float> scored(const Task& task, const Rows& logits, linnet_score_function function) {
  std::vector<float> scores(logits.data, logits.data + logits.columns);
  apply_scores(function == LINNET_SCORES_OF_FILE ? task.score_function() : function, scores.data(),
               scores.size());
  return scores;
}

void check_class_options(const linnet_class_options& options) {
  if (options.top_k < 0) {
    throw Error(LINNET_INVALID_ARGUMENT,
                "top_k is " + std::to_string(options.top_k) + ", expected at least 1, or 0 for all");
  }
}

}  // namespace

Answers decode_classes(const Task& task, const linnet_tensor& logits, const linnet_class_options& options) {
  check_class_options(options);
  const std::vector<std::string>& labels = task.labels();
  const Rows row = read_rows(logits, 1);
  if (row.columns != labels.size()) {
    throw Error(LINNET_MANIFEST_INVALID, "logits have the shape " + shape_text(logits) +
                                             ", the manifest has " + std::to_string(labels.size()) +
                                             " labels");
  }
  const std::vector<float> scores = scored(task, row, options.score_function);
  Answers answers;
  for (const std::size_t at :
       best_positions(scores.data(), scores.size(), static_cast<std::size_t>(options.top_k))) {
    Answer& answer = answers.emplace_back();
    answer.score = static_cast<double>(scores[at]);
    answer.label = labels[at];
    answer.label_index = static_cast<std::int64_t>(at);
  }
  return answers;
}

std::vector<float> decode_scores(const Task& task, const linnet_tensor& logits) {
  return scored(task, read_rows(logits, 1), LINNET_SCORES_OF_FILE);
}

}  // namespace linnet
