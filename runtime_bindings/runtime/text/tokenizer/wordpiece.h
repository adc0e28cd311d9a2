// WordPiece tokenizer: text to ids, as the `tokenizers` package gives them.
//
// A text is read, and checked for UTF-8, only as far as the result needs it: a 10 MB text with a max_length
// of 128 costs as much as its first 128 tokens. Three cases read more:
//   - without a bound, or with windows: the whole text;
//   - white space or a long word at the bound: to its end;
//   - longest_first with two texts that are both longer than half of an odd number of tokens: the longer
//     text gets the odd token. To find out which that is, the shorter one is read to its end, and the
//     longer one about as far.
#ifndef LINNET_RUNTIME_TOKENIZER_WORDPIECE_H_
#define LINNET_RUNTIME_TOKENIZER_WORDPIECE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/blob.h"
#include "tokenizer/encoding.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/source_text.h"
#include "tokenizer/splitter.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocabulary.h"

namespace linnet {

class WordPieceTokenizer final : public Tokenizer {
 public:
  // Parse tokenizer bytes and copy what is needed of them. Throw LINNET_TOKENIZER_INVALID.
  explicit WordPieceTokenizer(std::string_view bytes);

  std::size_t size() const noexcept override { return vocabulary_.size(); }
  std::string_view token(std::size_t id) const override { return vocabulary_.token(id); }
  std::string_view continuation() const noexcept override { return vocabulary_.continuation(); }
  std::int64_t find(std::string_view token) const noexcept override;
  std::string_view decoded_token(std::int64_t id, bool skip_special) const override;
  void open_decoder(Decoding& decoding) const override;
  std::vector<Window> encode(std::string_view text, const std::string_view* pair,
                             const linnet_encode_options& options) const override;

 protected:
  std::int32_t added_flags(std::size_t id) const noexcept override;

 private:
  explicit WordPieceTokenizer(TokenizerSpec spec);
  void add_patterns();
  void note_added();

  TokenizerSpec spec_;  // without pool, offsets and prefix, which the vocabulary took
  Vocabulary vocabulary_;
  NormalizerTable normalizer_;
  SourceText::Patterns raw_tokens_;
  Splitter::Patterns normalized_tokens_;
  AddedIds added_ids_;
  std::vector<bool> added_;    // by id
  std::vector<bool> special_;  // by id
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_WORDPIECE_H_
