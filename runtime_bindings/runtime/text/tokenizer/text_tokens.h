// Tokens of one text, made only as far as they are needed.
#ifndef LINNET_RUNTIME_TOKENIZER_TEXT_TOKENS_H_
#define LINNET_RUNTIME_TOKENIZER_TEXT_TOKENS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tokenizer/source_text.h"
#include "tokenizer/vocabulary.h"
#include "tokenizer/words.h"

namespace linnet {

// A token and the bytes of the original text that it stands for.
struct Token {
  std::uint32_t id = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
};

// What all texts of a tokenizer share; borrowed from it.
struct TokenizerParts {
  const Vocabulary& vocabulary;
  const NormalizerTable& normalizer;
  const SourceText::Patterns& raw_tokens;
  const Splitter::Patterns& normalized_tokens;
  std::uint32_t unknown_id;
  std::size_t max_word_chars;
};

class TextTokens {
 public:
  // Refer to text and parts, which must outlive the object. At most `keep` tokens are kept, further ones only
  // counted. `name` is what errors call the text.
  TextTokens(std::string_view text, const TokenizerParts& parts, std::size_t keep, const char* name)
      : text_(text),
        parts_(parts),
        keep_(keep),
        source_(text, parts.raw_tokens, name),
        words_(source_, parts.normalizer, parts.normalized_tokens, parts.max_word_chars) {}

  // Read one word or added token; return false at the end of the text.
  bool advance();
  // Read until there are more than `count` tokens or the text ends.
  void advance_beyond(std::size_t count);

  std::size_t count() const noexcept { return count_; }  // tokens so far
  bool ended() const noexcept { return ended_; }
  const std::vector<Token>& tokens() const noexcept { return tokens_; }
  std::string_view text() const noexcept { return text_; }
  bool ascii() const noexcept { return source_.ascii(); }

 private:
  void add(const Token& token);
  void add_word(const Word& word);

  std::string_view text_;
  const TokenizerParts& parts_;
  std::size_t keep_;
  SourceText source_;
  WordReader words_;
  std::vector<Token> tokens_;
  std::vector<Token> pieces_;          // scratch: the tokens of one word
  std::vector<std::uint64_t> hashes_;  // scratch of Vocabulary::longest
  std::size_t count_ = 0;
  bool ended_ = false;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_TEXT_TOKENS_H_
