// WordPiece tokenizer: text to ids, as the `tokenizers` package gives them.
//
// A text is read, and checked for UTF-8, only as far as the result needs it: a 10 MB text with a max_length
// of 128 costs as much as its first 128 tokens. Three cases read more:
//   - without a bound, or with windows: the whole text;
//   - white space or a long word at the bound: to its end;
//   - longest_first with two texts that are both longer than half of an odd number of tokens: the longer
//     text gets the odd token. To find out which that is, the shorter one is read to its end, and the
//     longer one about as far.
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
  // Parse tokenizer bytes and copy what is needed of them. Throw LINNET_TOKENIZER_INVALID.
  explicit Tokenizer(std::string_view bytes);

  // no copies, because the members refer to each other
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  const Vocabulary& vocabulary() const noexcept { return vocabulary_; }

  // Return the id of a token, added tokens included, or -1.
  std::int64_t find(std::string_view token) const noexcept;

  // Return true if the token continues the word of the token before it.
  bool continues_word(std::int64_t id) const noexcept;

  // Return the sum of LINNET_TOKEN_* of an id, which must be below vocabulary().size().
  std::int32_t flags(std::size_t id) const noexcept;

  // Turn ids into text; unused ids are left out, special tokens too if asked for. Throw
  // LINNET_INPUT_OUT_OF_RANGE for an id outside the vocabulary.
  std::string decode(const std::vector<std::int64_t>& ids, bool skip_special) const;

  // Encode a text, or a pair if `pair` is not nullptr, to at least one window. The windows do not refer to
  // the texts. Throw what linnet_tokenizer_encode returns.
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
