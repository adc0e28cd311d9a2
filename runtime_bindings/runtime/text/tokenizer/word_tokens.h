// Tokens of one text by WordPiece.
#ifndef LINNET_RUNTIME_TOKENIZER_WORD_TOKENS_H_
#define LINNET_RUNTIME_TOKENIZER_WORD_TOKENS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tokenizer/source_text.h"
#include "tokenizer/text_tokens.h"
#include "tokenizer/vocabulary.h"
#include "tokenizer/words.h"

namespace linnet {

// What all texts of a tokenizer share; borrowed from it.
struct TokenizerParts {
  const Vocabulary& vocabulary;
  const NormalizerTable& normalizer;
  const SourceText::Patterns& raw_tokens;
  const Splitter::Patterns& normalized_tokens;
  std::uint32_t unknown_id;
  std::size_t max_word_chars;
};

class WordTokens final : public TextTokens {
 public:
  // Refer to text and parts, which must outlive the object. At most `keep` tokens are kept, further ones only
  // counted. `name` is what errors call the text.
  WordTokens(std::string_view text, const TokenizerParts& parts, std::size_t keep, const char* name)
      : TextTokens(text, keep),
        parts_(parts),
        source_(text, parts.raw_tokens, name),
        words_(source_, parts.normalizer, parts.normalized_tokens, parts.max_word_chars) {}

  bool advance() override;
  bool ascii() const noexcept override { return source_.ascii(); }

 private:
  void add_word(const Word& word);

  const TokenizerParts& parts_;
  SourceText source_;
  WordReader words_;
  std::vector<Token> pieces_;          // scratch: the tokens of one word
  std::vector<std::uint64_t> hashes_;  // scratch of Vocabulary::longest
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_WORD_TOKENS_H_
