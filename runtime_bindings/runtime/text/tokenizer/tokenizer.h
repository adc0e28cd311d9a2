// WordPiece tokenizer: text to ids, as the `tokenizers` package gives them.
//
// How far a text is read. Text is checked and read only as far as the answer needs: a 10 MB text with a
// max_length of 128 costs what its first 128 tokens cost, and bytes behind them are neither read nor
// checked for UTF-8. Three cases need more of a text: no bound or windows (all of it), white space or one
// long word at the bound (to its end), and two texts that are both longer than half of an odd room under
// longest_first: which one gets the odd token depends on which one is longer, so the shorter one is read
// to its end (and the longer one about as far).
#ifndef LINNET_RUNTIME_TOKENIZER_TOKENIZER_H_
#define LINNET_RUNTIME_TOKENIZER_TOKENIZER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "linnet.h"
#include "tokenizer/blob.h"
#include "tokenizer/encoding.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/source_text.h"
#include "tokenizer/splitter.h"
#include "tokenizer/text_tokens.h"
#include "tokenizer/vocabulary.h"

namespace linnet {

// Immutable after construction: safe to use from several threads.
class Tokenizer {
 public:
  // Copies what it needs of the bytes. Throws Error(LINNET_TOKENIZER_INVALID).
  explicit Tokenizer(std::string_view bytes);

  // Parts refer to each other.
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  const Vocabulary& vocabulary() const noexcept { return vocabulary_; }

  // Id of a token, added tokens included, or -1.
  std::int64_t find(std::string_view token) const noexcept;

  // True if the token goes on with the word of the token before it.
  bool continues_word(std::int64_t id) const noexcept;

  // The sum of LINNET_TOKEN_* of an id below vocabulary().size().
  std::int32_t flags(std::size_t id) const noexcept;

  // Ids as text; ids without a token are left out, special ones too if asked for. Throws
  // Error(LINNET_INPUT_OUT_OF_RANGE).
  std::string decode(const std::vector<std::int64_t>& ids, bool skip_special) const;

  // Encodes a text, or a pair if `pair` is not nullptr; at least one window. Errors as
  // linnet_tokenizer_encode.
  std::vector<Window> encode(std::string_view text, const std::string_view* pair,
                             const linnet_encode_options& options) const;

 private:
  explicit Tokenizer(TokenizerSpec spec);
  void add_patterns();
  void note_added();

  TokenizerSpec spec_;  // without pool, offsets and prefix, which the vocabulary took
  Vocabulary vocabulary_;
  NormalizerTable normalizer_;
  SourceText::Patterns raw_tokens_;
  Splitter::Patterns normalized_tokens_;
  std::vector<bool> added_;    // by id
  std::vector<bool> special_;  // by id
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_TOKENIZER_H_
