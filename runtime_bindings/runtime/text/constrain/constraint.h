// Constraint of a generated text: which tokens may come next.
#ifndef LINNET_RUNTIME_CONSTRAIN_CONSTRAINT_H_
#define LINNET_RUNTIME_CONSTRAIN_CONSTRAINT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "constrain/automaton.h"
#include "constrain/expression.h"
#include "constrain/token_trie.h"
#include "generate/token_set.h"

namespace linnet::constrain {

// Tokens that may come next.
struct TokenMask {
  TokenSet tokens;
  bool is_empty = true;  // but for end tokens
  // Tokens that are needed behind one of these, at least and at most, end tokens left out.
  std::uint32_t least = Automaton::kNever;
  std::uint32_t most = 0;
};

// Where a text is. Small: a copy goes on alone.
struct Cursor {
  StateSet members;
  std::uint32_t state = 0;  // of the automaton, in its life number `life`
  std::uint64_t life = 0;
  bool is_first = true;    // no token came yet
  bool has_ended = false;  // an end token came
};

struct Progress {
  bool is_complete;   // the text fulfils the constraint
  bool is_finished;   // and nothing but its end can follow
  std::size_t least;  // tokens until it does; an upper bound of the least number
};

// An expression and a vocabulary, and what was found out about them. Safe to use from several threads, with a
// cursor for each.
//
// A token may come next if so few tokens can finish the text behind it that they fit; the distances of the
// automaton make sure that there is always one. Where the file has no end tokens, a text is finished as soon
// as it is complete.
class Constraint {
 public:
  // Throw LINNET_INVALID_ARGUMENT if the expression is too large, or this vocabulary cannot write any of its
  // texts.
  Constraint(const Expressions& expressions, Node root, std::shared_ptr<const StreamVocabulary> vocabulary,
             std::vector<std::int64_t> end_ids);

  Cursor start();
  // Return the tokens that may come next if `left` tokens are left, that one included; 0: any number. Throw
  // LINNET_INVALID_ARGUMENT if so few cannot finish the text.
  std::shared_ptr<const TokenMask> allowed(Cursor& cursor, std::size_t left);
  // Take a token. Throw LINNET_INVALID_ARGUMENT if it may not come next, which changes nothing.
  void advance(Cursor& cursor, std::int64_t id);
  Progress progress(Cursor& cursor);

 private:
  const StreamVocabulary::Part& part(const Cursor& cursor) const {
    return cursor.is_first ? *vocabulary_->first : *vocabulary_->others;
  }
  void visit(Cursor& cursor);
  std::shared_ptr<const TokenMask> mask(const Cursor& cursor);
  std::shared_ptr<TokenMask> make_mask(const Cursor& cursor, std::size_t left);
  std::size_t least(const Cursor& cursor);
  bool is_end(std::int64_t id) const;

  std::shared_ptr<const StreamVocabulary> vocabulary_;
  std::vector<std::int64_t> end_ids_;
  std::size_t words_;  // of a mask
  std::mutex mutex_;   // around what follows
  Automaton automaton_;
  std::uint64_t life_ = 1;
  std::unordered_map<std::uint32_t, std::shared_ptr<const TokenMask>> masks_;  // of states behind a token
  std::shared_ptr<const TokenMask> first_mask_;
};

// Make the constraint of a text that matches a regular expression, has a JSON schema, or is one of some
// choices. Throw LINNET_INVALID_ARGUMENT.
Node regex_root(Expressions& expressions, std::string_view text);
Node choices_root(Expressions& expressions, const std::vector<std::string_view>& choices);

}  // namespace linnet::constrain

#endif  // LINNET_RUNTIME_CONSTRAIN_CONSTRAINT_H_
