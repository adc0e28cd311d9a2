#include "decode/spans.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "decode/rows.h"
#include "decode/scores.h"
#include "status.h"
#include "tokenizer/unicode.h"

namespace linnet {
namespace {

constexpr float kMasked = -10000.0F;             // logit of a token that cannot be in the answer
constexpr double kLargestNullScore = 1000000.0;  // transformers 4: above every product of probabilities
constexpr std::int32_t kLongestWindow = 384;     // tokens, unless max_length says otherwise
constexpr std::int32_t kLargestStride = 128;     // tokens of overlap, unless stride says otherwise
constexpr char32_t kFinalSigma = 0x3C2;
constexpr char32_t kSigma = 0x3C3;

struct Probabilities {
  std::vector<float> start;
  std::vector<float> end;
  double empty;  // of the empty answer, which stands at the first token
};

// Tokens [first, last] of a window.
struct TokenSpan {
  std::int64_t first;
  std::int64_t last;
  float score;
};

// Tell whether a token takes part in the scores: tokens of the context, and every classification token, which
// stands for "no answer".
bool answerable(const Task& task, const WindowView& window, std::size_t token) {
  return window.sequence(token) == 1 || window.id(token) == task.classification_id();
}

std::vector<float> masked_softmax(const Task& task, const WindowView& window, const linnet_tensor& logits) {
  const Rows row = read_rows(logits, 1);
  if (row.columns != window.size() || window.size() == 0) {
    throw Error(LINNET_MANIFEST_INVALID, "start or end logits have the shape " + shape_text(logits) +
                                             ", expected " + std::to_string(window.size()) + " tokens");
  }
  std::vector<float> values(row.data, row.data + row.columns);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = answerable(task, window, i) ? values[i] : kMasked;
  }
  softmax(values.data(), values.size());
  return values;
}

Probabilities probabilities(const Task& task, const SpanLogits& logits) {
  Probabilities found{masked_softmax(task, logits.window, *logits.start),
                      masked_softmax(task, logits.window, *logits.end), 0};
  found.empty = static_cast<double>(found.start[0] * found.end[0]);
  found.start[0] = found.end[0] = 0;
  return found;
}

// Return for each token whether an answer may begin or end there. A classification token that was typed into
// the question has a share of the scores, but is no answer.
std::vector<std::uint8_t> allowed_tokens(const Task& task, const WindowView& window) {
  std::vector<std::uint8_t> allowed(window.size());
  for (std::size_t i = 0; i < allowed.size(); ++i) {
    allowed[i] = answerable(task, window, i) && window.sequence(i) != 0 ? 1 : 0;
  }
  return allowed;
}

// Widen a span of tokens of the context to whole words, as far as the window reaches.
void widen(const WindowView& window, const std::vector<std::int64_t>& words, std::size_t& first,
           std::size_t& last) {
  const auto same = [&](std::size_t a, std::size_t b) {
    return window.sequence(a) == 1 && window.sequence(b) == 1 && words[a] == words[b];
  };
  while (first > 0 && same(first - 1, first)) {
    --first;
  }
  while (last + 1 < window.size() && same(last, last + 1)) {
    ++last;
  }
}

// Return the best spans by start[i] * end[j], i <= j < i + max_answer_length, best first and the earlier
// first among equals. As in the pipeline, the `top_k` best are taken first; then those that begin or end at a
// token that is not allowed (0) are dropped, so fewer may remain.
std::vector<TokenSpan> best_spans(const float* start, const float* end, const std::uint8_t* allowed,
                                  std::size_t length, std::size_t top_k, std::size_t max_answer_length) {
  std::vector<TokenSpan> spans;
  for (std::size_t i = 0; i < length; ++i) {
    for (std::size_t j = i; j < length && j - i < max_answer_length; ++j) {
      spans.push_back({static_cast<std::int64_t>(i), static_cast<std::int64_t>(j), start[i] * end[j]});
    }
  }
  const auto first = [](const TokenSpan& a, const TokenSpan& b) {
    if (better(a.score, b.score) || better(b.score, a.score)) {
      return better(a.score, b.score);
    }
    return std::pair(a.first, a.last) < std::pair(b.first, b.last);
  };
  const std::size_t kept = std::min(top_k, spans.size());
  std::partial_sort(spans.begin(), spans.begin() + static_cast<std::ptrdiff_t>(kept), spans.end(), first);
  spans.resize(kept);
  const auto refused = [&](const TokenSpan& span) {
    return allowed[span.first] == 0 || allowed[span.last] == 0;
  };
  spans.erase(std::remove_if(spans.begin(), spans.end(), refused), spans.end());
  return spans;
}

Answer span_answer(const WindowView& window, const std::vector<std::int64_t>& words, const TokenSpan& span) {
  auto first = static_cast<std::size_t>(span.first);
  auto last = static_cast<std::size_t>(span.last);
  if (!words.empty() && window.sequence(first) == 1 && window.sequence(last) == 1) {
    widen(window, words, first, last);
  }
  Answer answer;
  answer.score = static_cast<double>(span.score);
  answer.first_token = static_cast<std::int64_t>(first);
  answer.last_token = static_cast<std::int64_t>(last);
  answer.place = window.place(first, last);
  answer.text = window.text(answer.place);
  return answer;
}

// Return the text in lower case, by which answers are compared; a sigma at the end of a word equals any
// other.
std::string lowered(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const unicode::Decoded next = unicode::decode(text);
    const unicode::Mapped lower = unicode::to_lower(next.c == kFinalSigma ? kSigma : next.c);
    for (std::size_t i = 0; i < lower.size; ++i) {
      unicode::append_utf8(result, lower.chars[i]);
    }
    text.remove_prefix(std::max<std::size_t>(next.length, 1));
  }
  return result;
}

// Add the score to an answer with the same words (ignoring case), or append the answer.
void add_answer(Answers& answers, std::vector<std::string>& seen, Answer found) {
  std::string key = lowered(found.text);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (seen[i] == key) {
      answers[i].score += found.score;
      return;
    }
  }
  answers.push_back(std::move(found));
  seen.push_back(std::move(key));
}

Answer empty_answer(double score) {
  Answer answer;
  answer.score = score;
  answer.place = {{0, 0}, {0, 0}, {0, 0}};
  return answer;
}

void check_question_options(const linnet_question_options& options) {
  if (options.top_k < 1 || options.max_answer_length < 1) {
    throw Error(LINNET_INVALID_ARGUMENT,
                "top_k is " + std::to_string(options.top_k) + ", max_answer_length is " +
                    std::to_string(options.max_answer_length) + ", expected at least 1 each");
  }
}

}  // namespace

WindowSize window_size(const Task& task, const linnet_question_options& options) {
  const auto bound = static_cast<std::int32_t>(std::min<std::int64_t>(task.max_length(), INT32_MAX));
  const std::int32_t length = options.max_length == 0 ? std::min(bound, kLongestWindow) : options.max_length;
  if (length < 1 || length > bound) {
    throw Error(LINNET_INVALID_ARGUMENT, "max_length is " + std::to_string(length) +
                                             ", this file takes at most " + std::to_string(bound) +
                                             " tokens");
  }
  const std::int32_t stride = options.stride == -1 ? std::min(length / 2, kLargestStride) : options.stride;
  if (stride < 0 || stride > length) {
    throw Error(LINNET_INVALID_ARGUMENT, "stride is " + std::to_string(stride) +
                                             ", expected at least 0 and at most max_length, which is " +
                                             std::to_string(length));
  }
  return {length, stride};
}

Answers decode_spans(const Task& task, const std::vector<SpanLogits>& windows,
                     const linnet_question_options& options) {
  check_question_options(options);
  const auto top_k = static_cast<std::size_t>(options.top_k);
  // widening to words can make several spans the same answer, so more are taken than asked for, as many as in
  // the pipeline
  const std::size_t wanted = options.align_to_words != 0 ? top_k * 2 + 10 : top_k;
  double null_score = kLargestNullScore;
  Answers answers;
  std::vector<std::string> seen;
  for (const SpanLogits& logits : windows) {
    const Probabilities found = probabilities(task, logits);
    null_score = std::min(null_score, found.empty);
    const std::vector<std::int64_t> words =
        options.align_to_words != 0 ? logits.window.words() : std::vector<std::int64_t>();
    const std::vector<std::uint8_t> allowed = allowed_tokens(task, logits.window);
    for (const TokenSpan& span :
         best_spans(found.start.data(), found.end.data(), allowed.data(), allowed.size(), wanted,
                    static_cast<std::size_t>(options.max_answer_length))) {
      add_answer(answers, seen, span_answer(logits.window, words, span));
    }
  }
  if (options.allow_empty != 0) {
    answers.push_back(empty_answer(null_score));
  }
  std::stable_sort(answers.begin(), answers.end(),
                   [](const Answer& a, const Answer& b) { return better(a.score, b.score); });
  answers.resize(std::min(answers.size(), top_k));
  return answers;
}

}  // namespace linnet
