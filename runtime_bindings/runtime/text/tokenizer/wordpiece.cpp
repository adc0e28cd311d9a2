#include "tokenizer/wordpiece.h"

#include <algorithm>
#include <string>
#include <utility>

#include "status.h"
#include "tokenizer/decoder.h"
#include "tokenizer/decoders/stages.h"
#include "tokenizer/unicode.h"
#include "tokenizer/word_tokens.h"

namespace linnet {
namespace {

template <typename Unit>
void require_strippable(const PatternSet<Unit>& patterns, bool begins_with_space) {
  if (patterns.any_rstrip() && begins_with_space) {
    throw Error(LINNET_TOKENIZER_INVALID,
                "the tokenizer bytes have an added token that begins with white space beside one that "
                "strips it (rstrip); remove one of them and export the model again");
  }
}

}  // namespace

WordPieceTokenizer::WordPieceTokenizer(std::string_view bytes) : WordPieceTokenizer(parse_tokenizer(bytes)) {}

WordPieceTokenizer::WordPieceTokenizer(TokenizerSpec spec)
    : spec_(std::move(spec)), vocabulary_(spec_), normalizer_(spec_.normalizer) {
  add_patterns();
  note_added();
}

void WordPieceTokenizer::note_added() {
  added_.assign(vocabulary_.size(), false);
  special_.assign(vocabulary_.size(), false);
  for (const AddedToken& token : spec_.added_tokens) {
    added_[token.id] = true;
    special_[token.id] = special_[token.id] || token.special;
    added_ids_.add(token.content, token.id);
  }
  added_ids_.finish();
}

std::int64_t WordPieceTokenizer::find(std::string_view token) const noexcept {
  if (token.empty()) {
    return -1;
  }
  const std::int64_t added = added_ids_.find(token);
  return added >= 0 ? added : vocabulary_.id_of(token);
}

std::int32_t WordPieceTokenizer::added_flags(std::size_t id) const noexcept {
  return (added_[id] ? LINNET_TOKEN_ADDED : 0) + (special_[id] ? LINNET_TOKEN_SPECIAL : 0);
}

std::string_view WordPieceTokenizer::decoded_token(std::int64_t id, bool skip_special) const {
  require_id(id);
  const auto at = static_cast<std::size_t>(id);
  return skip_special && special_[at] ? std::string_view() : vocabulary_.token(at);
}

void WordPieceTokenizer::open_decoder(Decoding& decoding) const {
  decoding.add<tables::WordPieceStage>(vocabulary_.continuation(), true);
}

// Sort added tokens by where they are searched: in the original text, or (`normalized`) in the normalized
// text, in their own normalized form.
void WordPieceTokenizer::add_patterns() {
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

std::vector<Window> WordPieceTokenizer::encode(std::string_view text, const std::string_view* pair,
                                               const linnet_encode_options& options) const {
  const Template& pieces = pair == nullptr ? spec_.single : spec_.pair;
  const TokenizerParts parts{vocabulary_,        normalizer_,      raw_tokens_,
                             normalized_tokens_, spec_.unknown_id, spec_.max_word_chars};
  return encode_texts<WordTokens>(text, pair, parts, pieces, options);
}

}  // namespace linnet
