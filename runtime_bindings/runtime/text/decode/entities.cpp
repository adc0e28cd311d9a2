#include "decode/entities.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "decode/rows.h"
#include "decode/scores.h"
#include "status.h"

namespace linnet {
namespace {

// A token of the text, or a word with the combined scores of its tokens.
struct Piece {
  std::size_t first;
  std::size_t last;
  std::string word;
  std::vector<float> scores;  // of each label
};

// A label for a piece, or for a group of them.
struct Labelled {
  std::size_t first;
  std::size_t last;
  std::size_t label;
  float score;
  std::string word;
};

// Return the mean of the values that are not NaN; NaN if there are none.
template <typename Range, typename Value>
float mean(const Range& range, Value value) {
  double sum = 0;
  std::size_t count = 0;
  for (const auto& each : range) {
    const float found = value(each);
    if (!std::isnan(found)) {
      sum += static_cast<double>(found);
      ++count;
    }
  }
  return count == 0 ? std::nanf("") : static_cast<float>(sum / static_cast<double>(count));
}

std::vector<Piece> read_tokens(const WindowView& window, const Rows& logits) {
  std::vector<Piece> tokens;
  for (std::size_t i = 0; i < window.size(); ++i) {
    if (window.sequence(i) < 0) {
      continue;
    }
    Piece& token = tokens.emplace_back();
    token.first = token.last = i;
    token.word = window.token(i);
    token.scores.assign(logits.row(i), logits.row(i) + logits.columns);
    softmax(token.scores.data(), token.scores.size());
  }
  return tokens;
}

// Return the scores of a word: those of its first token, those of the token with the highest score, or the
// mean of all.
std::vector<float> word_scores(const std::vector<Piece>& tokens, linnet_aggregation strategy) {
  if (strategy == LINNET_AGGREGATE_FIRST) {
    return tokens.front().scores;
  }
  if (strategy == LINNET_AGGREGATE_MAX) {
    const auto surest = [](const Piece& token) {
      return token.scores[best_of(token.scores.data(), token.scores.size())];
    };
    return std::max_element(tokens.begin(), tokens.end(),
                            [&](const Piece& a, const Piece& b) { return better(surest(b), surest(a)); })
        ->scores;
  }
  std::vector<float> scores(tokens.front().scores.size());
  for (std::size_t label = 0; label < scores.size(); ++label) {
    scores[label] = mean(tokens, [label](const Piece& token) { return token.scores[label]; });
  }
  return scores;
}

template <typename Each>
std::string joined(const WindowView& window, const std::vector<Each>& parts) {
  std::vector<std::string_view> words;
  words.reserve(parts.size());
  for (const Each& part : parts) {
    words.push_back(part.word);
  }
  return window.join(words);
}

std::vector<Piece> make_words(const WindowView& window, std::vector<Piece> tokens,
                              linnet_aggregation strategy) {
  std::vector<std::vector<Piece>> words;
  for (Piece& token : tokens) {
    if (words.empty() || !window.continues(token.first)) {
      words.emplace_back();
    }
    words.back().push_back(std::move(token));
  }
  std::vector<Piece> pieces;
  pieces.reserve(words.size());
  for (const std::vector<Piece>& word : words) {
    pieces.push_back(
        {word.front().first, word.back().last, joined(window, word), word_scores(word, strategy)});
  }
  return pieces;
}

std::vector<Labelled> label_pieces(const std::vector<Piece>& pieces) {
  std::vector<Labelled> found;
  found.reserve(pieces.size());
  for (const Piece& piece : pieces) {
    const std::size_t best = best_of(piece.scores.data(), piece.scores.size());
    found.push_back({piece.first, piece.last, best, piece.scores[best], piece.word});
  }
  return found;
}

bool has_prefix(std::string_view label, std::string_view prefix) {
  return label.substr(0, prefix.size()) == prefix;
}

// Return the name of an entity without B- or I-.
std::string_view tag_of(std::string_view label) {
  return has_prefix(label, "B-") || has_prefix(label, "I-") ? label.substr(2) : label;
}

// Return the name of a group. Any label is split at its first hyphen, as the pipeline does, so "x-ray" gives
// "ray".
std::string_view group_name(std::string_view label) {
  const std::size_t hyphen = label.find('-');
  return hyphen == std::string_view::npos ? label : label.substr(hyphen + 1);
}

// Group neighbours of the same entity; a label with B- begins a new group.
std::vector<std::vector<Labelled>> group_pieces(const Task& task, std::vector<Labelled> pieces) {
  std::vector<std::vector<Labelled>> groups;
  for (Labelled& piece : pieces) {
    const std::string& label = task.labels()[piece.label];
    if (groups.empty() || has_prefix(label, "B-") ||
        tag_of(label) != tag_of(task.labels()[groups.back().back().label])) {
      groups.emplace_back();
    }
    groups.back().push_back(std::move(piece));
  }
  return groups;
}

Answer base_answer(const WindowView& window, std::size_t first, std::size_t last, float score) {
  Answer answer;
  answer.score = static_cast<double>(score);
  answer.first_token = static_cast<std::int64_t>(first);
  answer.last_token = static_cast<std::int64_t>(last);
  answer.place = window.place(first, last);
  return answer;
}

Answer token_answer(const Task& task, const WindowView& window, const Labelled& token) {
  Answer answer = base_answer(window, token.first, token.last, token.score);
  answer.label = task.labels()[token.label];
  answer.label_index = static_cast<std::int64_t>(token.label);
  answer.text = token.word;
  answer.index = static_cast<std::int64_t>(token.first);
  answer.words = {answer.index};
  return answer;
}

Answer group_answer(const Task& task, const WindowView& window, const std::vector<Labelled>& group) {
  const float score = mean(group, [](const Labelled& piece) { return piece.score; });
  Answer answer = base_answer(window, group.front().first, group.back().last, score);
  answer.label = group_name(task.labels()[group.front().label]);
  answer.text = joined(window, group);
  for (const Labelled& piece : group) {
    answer.words.push_back(static_cast<std::int64_t>(piece.first));
  }
  return answer;
}

bool is_ignored(const std::string& label, const linnet_entity_options& options) {
  const linnet_text* end = options.ignored + options.ignored_count;
  return std::any_of(options.ignored, end, [&](const linnet_text& ignored) {
    return std::string_view(ignored.bytes, ignored.size) == label;
  });
}

Rows checked_logits(const Task& task, const WindowView& window, const linnet_tensor& logits) {
  const bool has_rank = logits.rank == 2 || (logits.rank == 3 && logits.shape[0] == 1);
  const Rows rows = has_rank ? read_rows(logits, 2) : Rows{nullptr, 0, 0};
  if (rows.rows != window.size() || rows.columns != task.labels().size()) {
    throw Error(LINNET_MANIFEST_INVALID, "logits have the shape " + shape_text(logits) + ", expected " +
                                             std::to_string(window.size()) + " tokens and " +
                                             std::to_string(task.labels().size()) + " labels");
  }
  return rows;
}

}  // namespace

Answers decode_entities(const Task& task, const WindowView& window, const linnet_tensor& logits,
                        const linnet_entity_options& options) {
  const linnet_aggregation strategy = options.aggregation;
  std::vector<Piece> pieces = read_tokens(window, checked_logits(task, window, logits));
  if (strategy != LINNET_AGGREGATE_NONE && strategy != LINNET_AGGREGATE_SIMPLE) {
    pieces = make_words(window, std::move(pieces), strategy);
  }
  std::vector<Labelled> labelled = label_pieces(pieces);
  Answers answers;
  if (strategy == LINNET_AGGREGATE_NONE) {
    for (const Labelled& token : labelled) {
      answers.push_back(token_answer(task, window, token));
    }
  } else {
    for (const std::vector<Labelled>& group : group_pieces(task, std::move(labelled))) {
      answers.push_back(group_answer(task, window, group));
    }
  }
  answers.erase(std::remove_if(answers.begin(), answers.end(),
                               [&](const Answer& answer) { return is_ignored(answer.label, options); }),
                answers.end());
  return answers;
}

}  // namespace linnet
