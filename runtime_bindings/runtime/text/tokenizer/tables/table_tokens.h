// Tokens of one text by the tables.
#ifndef LINNET_RUNTIME_TOKENIZER_TABLES_TABLE_TOKENS_H_
#define LINNET_RUNTIME_TOKENIZER_TABLES_TABLE_TOKENS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tokenizer/source_text.h"
#include "tokenizer/tables/added_vocabulary.h"
#include "tokenizer/tables/pieces.h"
#include "tokenizer/tables/post_processor.h"
#include "tokenizer/tables/segments.h"
#include "tokenizer/tables/steps.h"
#include "tokenizer/tables/vocabulary.h"
#include "tokenizer/text_tokens.h"

namespace linnet::tables {

// What all texts of a tokenizer share; borrowed from it.
struct TableParts {
  const TableVocabulary& vocabulary;
  const AddedVocabulary& added;
  const Normalizers& normalizers;
  const PreTokenizers& pre_tokenizers;
  const Model& model;
  const PostProcessor& post_processor;
};

class TableTokens final : public TextTokens {
 public:
  // Refer to text and parts, which must outlive the object. At most `keep` tokens are kept, further ones only
  // counted. `name` is what errors call the text.
  TableTokens(std::string_view text, const TableParts& parts, std::size_t keep, const char* name)
      : TextTokens(text, keep),
        parts_(parts),
        source_(text, parts.added.raw(), name),
        segments_(text, source_, parts.normalizers, parts.added.normalized()),
        pieces_(segments_, parts.pre_tokenizers) {}

  bool advance() override;
  bool ascii() const noexcept override { return source_.ascii(); }
  bool counts_words() const noexcept override { return true; }
  Token first_in_window(std::size_t index) const override;

 private:
  // A token whose leading space is left out unless it is the first in a window.
  struct Untrimmed {
    std::size_t index;
    Span span;
  };

  void add_trimmed(Token token, std::string_view text);

  const TableParts& parts_;
  SourceText source_;
  Segments segments_;
  Pieces pieces_;
  std::vector<ModelToken> scratch_;
  std::vector<Untrimmed> untrimmed_;  // in the order of the tokens
  std::uint32_t word_ = 0;
};

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_TABLES_TABLE_TOKENS_H_
