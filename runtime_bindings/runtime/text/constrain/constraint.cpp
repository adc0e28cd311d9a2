#include "constrain/constraint.h"

#include <algorithm>
#include <string>
#include <utility>

#include "constrain/nfa.h"
#include "constrain/regex.h"
#include "constrain/token_distance.h"
#include "tokenizer/unicode.h"

namespace linnet::constrain {
namespace {

constexpr std::size_t kMostMaskWords = std::size_t{1} << 22U;  // 32 MiB
constexpr std::size_t kMostChoices = 10000;

Automaton make_automaton(const Expressions& expressions, Node root, const StreamVocabulary& vocabulary) {
  Nfa nfa(expressions, root);
  std::vector<std::uint32_t> distances = token_distances(nfa, vocabulary.others->trie);
  return {std::move(nfa), std::move(distances)};
}

std::size_t words_for(const StreamVocabulary& vocabulary, const std::vector<std::int64_t>& end_ids) {
  std::size_t ids = vocabulary.others->texts.size();
  for (const std::int64_t id : end_ids) {
    ids = std::max(ids, static_cast<std::size_t>(id) + 1);
  }
  return (ids + 63) / 64;
}

void allow(TokenSet& tokens, std::size_t id) { tokens[id / 64] |= std::uint64_t{1} << (id % 64); }

}  // namespace

Constraint::Constraint(const Expressions& expressions, Node root,
                       std::shared_ptr<const StreamVocabulary> vocabulary, std::vector<std::int64_t> end_ids)
    : vocabulary_(std::move(vocabulary)),
      end_ids_(std::move(end_ids)),
      words_(words_for(*vocabulary_, end_ids_)),
      automaton_(make_automaton(expressions, root, *vocabulary_)) {
  const Cursor cursor = start();
  if (cursor.members.empty()) {
    refuse("no text fulfils the constraint; allow more");
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (mask(cursor)->is_empty && !automaton_.accepts(cursor.state)) {
    refuse(
        "no text of this file's vocabulary fulfils the constraint; allow more characters, or make what "
        "refers to itself "
        "optional");
  }
}

Cursor Constraint::start() {
  const std::lock_guard<std::mutex> lock(mutex_);
  Cursor cursor;
  cursor.state = automaton_.start();
  cursor.life = life_;
  if (cursor.state != Automaton::kDead) {
    cursor.members = automaton_.members(cursor.state);
  }
  return cursor;
}

// Forget states if there are too many, and give the cursor the number that its state has now.
void Constraint::visit(Cursor& cursor) {
  if (automaton_.is_full() || masks_.size() * words_ > kMostMaskWords) {
    automaton_.forget();
    masks_.clear();
    ++life_;
  }
  if (cursor.life != life_) {
    cursor.state = automaton_.intern(cursor.members);
    cursor.life = life_;
  }
}

std::shared_ptr<TokenMask> Constraint::make_mask(const Cursor& cursor, std::size_t left) {
  struct Visit {
    std::uint32_t node;
    std::uint32_t state;
  };
  const TokenTrie& trie = part(cursor).trie;
  auto made = std::make_shared<TokenMask>();
  made->tokens.resize(words_);
  std::vector<Visit> later = {{0, cursor.state}};
  while (!later.empty()) {
    const auto [parent, before] = later.back();
    later.pop_back();
    const TokenTrie::Node& node = trie[parent];
    for (std::uint32_t number = node.first_child; number < node.first_child + node.children; ++number) {
      const TokenTrie::Node& child = trie[number];
      const std::uint32_t state = automaton_.step(before, child.byte);
      if (state == Automaton::kDead) {
        continue;
      }
      const std::uint32_t distance = automaton_.distance(state);
      if (child.tokens > 0 && distance != Automaton::kNever && distance < left) {
        made->is_empty = false;
        made->least = std::min(made->least, distance);
        made->most = std::max(made->most, distance);
        for (std::uint32_t i = 0; i < child.tokens; ++i) {
          allow(made->tokens, trie.tokens()[child.first_token + i]);
        }
      }
      if (child.children > 0) {
        later.push_back({number, state});
      }
    }
  }
  if (automaton_.accepts(cursor.state)) {
    for (const std::int64_t id : end_ids_) {
      allow(made->tokens, static_cast<std::size_t>(id));
    }
  }
  return made;
}

std::shared_ptr<const TokenMask> Constraint::mask(const Cursor& cursor) {
  std::shared_ptr<const TokenMask>& kept = cursor.is_first ? first_mask_ : masks_[cursor.state];
  if (kept == nullptr) {
    kept = make_mask(cursor, SIZE_MAX);
  }
  return kept;
}

std::size_t Constraint::least(const Cursor& cursor) {
  if (automaton_.accepts(cursor.state)) {
    return 0;
  }
  // the first token may be another text than the distances take it for
  return cursor.is_first ? std::size_t{mask(cursor)->least} + 1 : automaton_.distance(cursor.state);
}

std::shared_ptr<const TokenMask> Constraint::allowed(Cursor& cursor, std::size_t left) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (cursor.has_ended) {
    auto nothing = std::make_shared<TokenMask>();
    nothing->tokens.resize(words_);
    return nothing;
  }
  visit(cursor);
  if (left > 0 && least(cursor) > left) {
    refuse(std::to_string(left) + " tokens are left, the constraint needs " + std::to_string(least(cursor)) +
           " to end the text; raise the token limit, or allow shorter texts");
  }
  std::shared_ptr<const TokenMask> all = mask(cursor);
  if (left == 0 || all->most < left) {
    return all;
  }
  return make_mask(cursor, left);
}

bool Constraint::is_end(std::int64_t id) const {
  return std::find(end_ids_.begin(), end_ids_.end(), id) != end_ids_.end();
}

void Constraint::advance(Cursor& cursor, std::int64_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  visit(cursor);
  if (is_end(id) && !cursor.has_ended && automaton_.accepts(cursor.state)) {
    cursor.has_ended = true;
    return;
  }
  const TokenTexts& texts = part(cursor).texts;
  const bool is_token = id >= 0 && static_cast<std::uint64_t>(id) < texts.size();
  const std::string_view bytes = is_token ? texts[static_cast<std::size_t>(id)] : std::string_view();
  std::uint32_t state = bytes.empty() || cursor.has_ended ? Automaton::kDead : cursor.state;
  for (std::size_t i = 0; i < bytes.size() && state != Automaton::kDead; ++i) {
    state = automaton_.step(state, static_cast<std::uint8_t>(bytes[i]));
  }
  if (state == Automaton::kDead || automaton_.distance(state) == Automaton::kNever) {
    refuse("token " + std::to_string(id) +
           " may not come next; take one of those that the constraint allows");
  }
  cursor.state = state;
  cursor.members = automaton_.members(state);
  cursor.is_first = false;
}

Progress Constraint::progress(Cursor& cursor) {
  const std::lock_guard<std::mutex> lock(mutex_);
  visit(cursor);
  const bool is_complete = automaton_.accepts(cursor.state);
  const bool is_finished = is_complete && (cursor.has_ended || end_ids_.empty() || mask(cursor)->is_empty);
  return {is_complete, is_finished, least(cursor)};
}

Node regex_root(Expressions& expressions, std::string_view text) {
  return read_regex(expressions, text, python_dialect());
}

Node choices_root(Expressions& expressions, const std::vector<std::string_view>& choices) {
  if (choices.empty() || choices.size() > kMostChoices) {
    refuse("found " + std::to_string(choices.size()) + " choices, expected 1 to " +
           std::to_string(kMostChoices));
  }
  std::vector<Node> nodes;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (choices[i].empty() || !unicode::is_valid_utf8(choices[i])) {
      refuse("choice " + std::to_string(i) + (choices[i].empty() ? " is empty" : " is not UTF-8") +
             ", expected a text of UTF-8 with a character");
    }
    nodes.push_back(expressions.text(choices[i]));
  }
  return expressions.any_of(std::move(nodes));
}

}  // namespace linnet::constrain
