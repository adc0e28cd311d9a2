#include "decode/masks.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "decode/rows.h"
#include "decode/scores.h"
#include "status.h"

namespace linnet {
namespace {

std::vector<std::size_t> mask_positions(const Task& task, const Window& window) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < window.ids.size(); ++i) {
    if (window.ids[i] == task.mask_id()) {
      found.push_back(i);
    }
  }
  return found;
}

void check_mask_options(const linnet_mask_options& options, std::size_t vocabulary) {
  if (options.top_k < 1) {
    throw Error(LINNET_INVALID_ARGUMENT,
                "top_k is " + std::to_string(options.top_k) + ", expected at least 1");
  }
  for (std::size_t i = 0; options.targets != nullptr && i < options.target_count; ++i) {
    if (options.targets[i] < 0 || static_cast<std::uint64_t>(options.targets[i]) >= vocabulary) {
      throw Error(LINNET_INPUT_OUT_OF_RANGE, "target " + std::to_string(options.targets[i]) +
                                                 " is no id below " + std::to_string(vocabulary));
    }
  }
}

// Return the text with a token in place of a mask. `single` leaves special tokens out; with several masks the
// others must stay visible, so it is false then.
std::string sequence_with(const Task& task, const Window& window, std::size_t mask, std::int64_t token,
                          bool single) {
  std::vector<std::int64_t> ids = window.ids;
  ids[mask] = token;
  ids.erase(std::remove(ids.begin(), ids.end(), task.padding_id()), ids.end());
  return task.tokenizer()->decode(ids, single);
}

std::vector<float> target_scores(const std::vector<float>& scores, const linnet_mask_options& options) {
  std::vector<float> chosen;
  chosen.reserve(options.target_count);
  for (std::size_t i = 0; i < options.target_count; ++i) {
    chosen.push_back(scores[static_cast<std::size_t>(options.targets[i])]);
  }
  return chosen;
}

}  // namespace

void require_mask(const Task& task, const Window& window) {
  if (mask_positions(task, window).empty()) {
    throw Error(
        LINNET_INVALID_ARGUMENT,
        std::string("the text has no mask token") +
            (window.truncated ? " before the bound of " + std::to_string(task.max_length()) + " tokens"
                              : "") +
            "; write " + task.tokenizer()->decode({task.mask_id()}, false) + " where a word is missing");
  }
}

Answers decode_masks(const Task& task, const Window& window, bool foreign, const linnet_tensor& logits,
                     const linnet_mask_options& options) {
  const Rows rows = read_rows(logits, 2);
  if (rows.rows != window.ids.size()) {
    throw Error(LINNET_MANIFEST_INVALID, "logits have the shape " + shape_text(logits) + ", expected " +
                                             std::to_string(window.ids.size()) + " tokens");
  }
  check_mask_options(options, rows.columns);
  const std::vector<std::size_t> masks = mask_positions(task, window);
  Answers answers;
  for (const std::size_t mask : masks) {
    std::vector<float> scores(rows.row(mask), rows.row(mask) + rows.columns);
    softmax(scores.data(), scores.size());
    const bool limited = options.targets != nullptr;
    const std::vector<float> considered = limited ? target_scores(scores, options) : std::move(scores);
    for (const std::size_t at :
         best_positions(considered.data(), considered.size(), static_cast<std::size_t>(options.top_k))) {
      Answer& answer = answers.emplace_back();
      answer.score = static_cast<double>(considered[at]);
      answer.token = limited ? options.targets[at] : static_cast<std::int64_t>(at);
      answer.index = answer.first_token = answer.last_token = static_cast<std::int64_t>(mask);
      if (!foreign) {
        answer.text = task.tokenizer()->decode({answer.token}, false);
        answer.sequence = sequence_with(task, window, mask, answer.token, masks.size() == 1);
      }
    }
  }
  return answers;
}

}  // namespace linnet
