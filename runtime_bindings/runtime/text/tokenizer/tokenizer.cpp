#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "status.h"
#include "tokenizer/decoder.h"
#include "tokenizer/truncation.h"
#include "tokenizer/unicode.h"

namespace linnet {
namespace {

[[noreturn]] void fail_argument(const std::string& what) { throw Error(LINNET_INVALID_ARGUMENT, what); }

void check_options(const linnet_encode_options& options) {
  if (options.max_length < 0) {
    fail_argument("max_length is " + std::to_string(options.max_length) + "; pass 0 (no bound) or more");
  }
  // read as a number: a C caller may have stored any value there, and reading it as an enum would be
  // undefined
  std::underlying_type_t<linnet_truncation> truncation = 0;
  std::memcpy(&truncation, &options.truncation, sizeof truncation);
  if (truncation > LINNET_TRUNCATE_ONLY_SECOND) {
    fail_argument("truncation is " + std::to_string(truncation) + "; pass a value of linnet_truncation");
  }
  if (options.stride < -1) {
    fail_argument("stride is " + std::to_string(options.stride) + "; pass -1 (one window) or more");
  }
  if (options.add_special_tokens != 0 && options.add_special_tokens != 1) {
    fail_argument("add_special_tokens is " + std::to_string(options.add_special_tokens) + "; pass 0 or 1");
  }
}

std::size_t special_tokens(const Template& pieces) {
  return static_cast<std::size_t>(std::count_if(pieces.begin(), pieces.end(), [](const TemplatePiece& piece) {
    return piece.kind == TemplatePiece::Kind::kSpecialToken;
  }));
}

// A pair has windows over its second text only, since longest_first cuts both.
TruncationOptions truncation_options(const linnet_encode_options& options, const Template& pieces,
                                     bool pair) {
  TruncationOptions result;
  result.strategy = options.truncation;
  result.special_tokens = options.add_special_tokens != 0 ? special_tokens(pieces) : 0;
  const linnet_truncation cut = pair ? LINNET_TRUNCATE_ONLY_SECOND : LINNET_TRUNCATE_LONGEST_FIRST;
  result.windows = options.truncation == cut && options.stride >= 0;
  result.stride = result.windows ? static_cast<std::size_t>(options.stride) : 0;
  if (options.max_length == 0) {
    return result;
  }
  const auto max_length = static_cast<std::size_t>(options.max_length);
  if (max_length < result.special_tokens) {
    fail_argument("max_length is " + std::to_string(max_length) + ", but the special tokens alone are " +
                  std::to_string(result.special_tokens) + "; raise it");
  }
  result.room = max_length - result.special_tokens;
  return result;
}

template <typename Unit>
void require_strippable(const PatternSet<Unit>& patterns, bool begins_with_space) {
  if (patterns.any_rstrip() && begins_with_space) {
    throw Error(LINNET_TOKENIZER_INVALID,
                "the tokenizer bytes have an added token that begins with white space beside one that "
                "strips it (rstrip); remove one of them and export the model again");
  }
}

}  // namespace

Tokenizer::Tokenizer(std::string_view bytes) : Tokenizer(parse_tokenizer(bytes)) {}

Tokenizer::Tokenizer(TokenizerSpec spec)
    : spec_(std::move(spec)), vocabulary_(spec_), normalizer_(spec_.normalizer) {
  add_patterns();
  note_added();
}

void Tokenizer::note_added() {
  added_.assign(vocabulary_.size(), false);
  special_.assign(vocabulary_.size(), false);
  for (const AddedToken& token : spec_.added_tokens) {
    added_[token.id] = true;
    special_[token.id] = special_[token.id] || token.special;
  }
}

std::int64_t Tokenizer::find(std::string_view token) const noexcept {
  if (token.empty()) {
    return -1;
  }
  for (const AddedToken& added : spec_.added_tokens) {
    if (added.content == token) {
      return added.id;
    }
  }
  return vocabulary_.id_of(token);
}

std::int32_t Tokenizer::flags(std::size_t id) const noexcept {
  // kinds are separate bits, so their sum is their union
  return (special_[id] ? LINNET_TOKEN_SPECIAL : 0) + (added_[id] ? LINNET_TOKEN_ADDED : 0) +
         (continues_word(static_cast<std::int64_t>(id)) ? LINNET_TOKEN_CONTINUES : 0);
}

bool Tokenizer::continues_word(std::int64_t id) const noexcept {
  const std::string_view prefix = vocabulary_.continuation();
  if (prefix.empty() || id < 0 || static_cast<std::uint64_t>(id) >= vocabulary_.size()) {
    return false;
  }
  const auto at = static_cast<std::size_t>(id);
  return !added_[at] && vocabulary_.token(at).substr(0, prefix.size()) == prefix;
}

std::string Tokenizer::decode(const std::vector<std::int64_t>& ids, bool skip_special) const {
  std::vector<std::string_view> tokens;
  tokens.reserve(ids.size());
  for (const std::int64_t id : ids) {
    if (id < 0 || static_cast<std::uint64_t>(id) >= vocabulary_.size()) {
      throw Error(LINNET_INPUT_OUT_OF_RANGE, "token id " + std::to_string(id) +
                                                 " is outside of a vocabulary of " +
                                                 std::to_string(vocabulary_.size()));
    }
    const auto at = static_cast<std::size_t>(id);
    if (!vocabulary_.token(at).empty() && !(skip_special && special_[at])) {
      tokens.push_back(vocabulary_.token(at));
    }
  }
  return join_tokens(tokens, vocabulary_.continuation());
}

// Sort added tokens by where they are searched: in the original text, or (`normalized`) in the normalized
// text, in their own normalized form.
void Tokenizer::add_patterns() {
  bool raw_space = false;
  bool normalized_space = false;
  for (const AddedToken& token : spec_.added_tokens) {
    if (!token.normalized) {
      raw_space = raw_space || unicode::has(unicode::decode(token.content).c, unicode::kWhitespace);
      raw_tokens_.add(token.content, token);
      continue;
    }
    std::u32string pattern = normalize(token.content, normalizer_);
    if (pattern.empty()) {
      throw Error(LINNET_TOKENIZER_INVALID, "the added token '" + token.content +
                                                "' of the tokenizer bytes is empty when normalized; "
                                                "remove it and export the model again");
    }
    normalized_space = normalized_space || unicode::has(pattern.front(), unicode::kWhitespace);
    normalized_tokens_.add(std::move(pattern), token);
  }
  require_strippable(raw_tokens_, raw_space);
  require_strippable(normalized_tokens_, normalized_space);
  raw_tokens_.finish();
  normalized_tokens_.finish();
}

std::vector<Window> Tokenizer::encode(std::string_view text, const std::string_view* pair,
                                      const linnet_encode_options& options) const {
  check_options(options);
  const Template& pieces = pair == nullptr ? spec_.single : spec_.pair;
  const TruncationOptions truncation = truncation_options(options, pieces, pair != nullptr);
  const TokenizerParts parts{vocabulary_,        normalizer_,      raw_tokens_,
                             normalized_tokens_, spec_.unknown_id, spec_.max_word_chars};
  const std::size_t kept = truncation.windows ? kUnbounded : truncation.room;
  TextTokens first(text, parts, kept, "the text");
  std::optional<TextTokens> second;
  if (pair != nullptr) {
    second.emplace(*pair, parts, kept, "the second text");
  }
  TextTokens* const second_or_null = second ? &*second : nullptr;
  const std::vector<Selection> selections = select_tokens(first, second_or_null, truncation);
  return build_windows(first, second_or_null, selections, pieces, options.add_special_tokens != 0);
}

}  // namespace linnet
