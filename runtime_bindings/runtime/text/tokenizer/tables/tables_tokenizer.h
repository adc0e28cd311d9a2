// Tokenizer of kind "tables": every model, normalizer and pre-tokenizer in the lists of steps.cpp.
//
// A text is read as far as the result needs it, as tokenizer/wordpiece.h says it of WordPiece. What is read
// ahead: a block of 1024 bytes; the word at the bound, to its end; with several pre-tokenizers, the piece
// that the first one cuts; with normalizers, the text up to a place where it may be cut (inert.h).
#ifndef LINNET_RUNTIME_TOKENIZER_TABLES_TABLES_TOKENIZER_H_
#define LINNET_RUNTIME_TOKENIZER_TABLES_TABLES_TOKENIZER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/tables/added_vocabulary.h"
#include "tokenizer/tables/post_processor.h"
#include "tokenizer/tables/steps.h"
#include "tokenizer/tables/vocabulary.h"
#include "tokenizer/tokenizer.h"

namespace linnet::tables {

// What follows the magic: the blocks of format.h.
struct Blocks {
  explicit Blocks(std::string_view bytes);

  std::uint32_t flags = 0;
  std::string_view vocabulary;
  std::string_view added;
  std::string_view normalizers;
  std::string_view pre_tokenizers;
  std::string_view model;
  std::string_view post_processor;
  std::string_view decoders;
};

class TablesTokenizer final : public Tokenizer {
 public:
  // Borrow the bytes, which must outlive the tokenizer. Throw LINNET_TOKENIZER_INVALID.
  explicit TablesTokenizer(std::string_view bytes) : TablesTokenizer(Blocks(bytes)) {}
  // Own the bytes.
  TablesTokenizer(std::unique_ptr<const char[]> bytes, std::size_t size)
      : TablesTokenizer(std::string_view(bytes.get(), size)) {
    owned_ = std::move(bytes);
  }

  std::size_t size() const noexcept override { return vocabulary_.size(); }
  std::string_view token(std::size_t id) const override { return vocabulary_.token(id); }
  std::string_view continuation() const noexcept override { return continuation_; }
  std::int64_t find(std::string_view token) const noexcept override;
  std::string_view decoded_token(std::int64_t id, bool skip_special) const override;
  void open_decoder(Decoding& decoding) const override;
  std::string stream_bytes(std::int64_t id, bool first) const override;
  std::vector<Window> encode(std::string_view text, const std::string_view* pair,
                             const linnet_encode_options& options) const override;

 protected:
  std::int32_t added_flags(std::size_t id) const noexcept override;

 private:
  explicit TablesTokenizer(const Blocks& blocks);

  std::unique_ptr<const char[]> owned_;
  bool clean_up_;
  TableVocabulary vocabulary_;
  AddedVocabulary added_;
  Normalizers normalizers_;
  PreTokenizers pre_tokenizers_;
  std::unique_ptr<const Model> model_;
  PostProcessor post_processor_;
  Decoders decoders_;
  std::string_view continuation_;
};

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_TABLES_TABLES_TOKENIZER_H_
