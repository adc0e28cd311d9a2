// Steps of a tokenizer in the tables, and the registries that make them. One file for each step, in the
// folders normalizers, pre_tokenizers, models and decoders beside this one; its number in the bytes is the
// place in the list here, and the writer has the same lists (export/linnet_export/tokenizer/tables).
#ifndef LINNET_RUNTIME_TOKENIZER_TABLES_STEPS_H_
#define LINNET_RUNTIME_TOKENIZER_TABLES_STEPS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/tables/format.h"
#include "tokenizer/tables/run.h"
#include "tokenizer/tables/vocabulary.h"
#include "tokenizer/token_sink.h"

namespace linnet::tables {

// ---- normalizers
// ----------------------------------------------------------------------------------------------

// Whether a chunk of a text begins and ends the stretch between two added tokens that it is cut out of.
struct Edges {
  bool first = true;
  bool last = true;
};

// A normalizer. A long text goes through it in chunks, which are cut between two inert characters (inert.h)
// where no step objects.
class NormalizerStep {
 public:
  NormalizerStep() = default;
  NormalizerStep(const NormalizerStep&) = delete;
  NormalizerStep& operator=(const NormalizerStep&) = delete;
  virtual ~NormalizerStep() = default;

  // Normalize a chunk in place.
  virtual void apply(AlignedText& text, Edges edges) const = 0;
  // Return true if the chunk stays as it is; false decides nothing. True spares the copy of the chunk.
  virtual bool keeps(std::string_view bytes, Edges edges) const noexcept = 0;
  // Return true if a text that begins with `bytes` must be normalized as a whole.
  virtual bool needs_whole(std::string_view) const noexcept { return false; }
  // Return true if a text may be cut behind this inert character.
  virtual bool may_cut_behind(char32_t) const noexcept { return true; }
};

// ---- pre-tokenizers
// -------------------------------------------------------------------------------------------

// A piece of a text: from where it was asked for to `end`, or to be left out.
struct Piece {
  std::size_t end;
  bool kept;
};

inline constexpr std::size_t kMore =
    static_cast<std::size_t>(-1);  // Piece::end: it depends on text that follows

// A pre-tokenizer. Each step cuts the pieces of the step before it further.
class PreTokenizerStep {
 public:
  PreTokenizerStep() = default;
  PreTokenizerStep(const PreTokenizerStep&) = delete;
  PreTokenizerStep& operator=(const PreTokenizerStep&) = delete;
  virtual ~PreTokenizerStep() = default;

  // Return the piece of `text` that begins at `at`, which is inside of the text and where the last piece
  // ended. Without `complete` more text may follow; the step returns kMore if the piece depends on it.
  virtual Piece next(std::string_view text, std::size_t at, bool complete) const = 0;

  // Return true if the step changes a text before it cuts it; change() then does.
  virtual bool changes() const noexcept { return false; }
  // Append the changed form of `run` to `text`. A long text comes in several runs; `first` is true for the
  // first.
  virtual void change(const Run& run, bool first, AlignedText& text) const;
};

// ---- models
// ---------------------------------------------------------------------------------------------------

// A token and the bytes of its word that it stands for, not empty.
struct ModelToken {
  std::uint32_t id;
  std::size_t begin;
  std::size_t end;
};

class Model {
 public:
  Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  virtual ~Model() = default;

  // Append the tokens of a word, which is not empty, to `tokens`.
  virtual void tokenize(std::string_view word, std::vector<ModelToken>& tokens) const = 0;
  // Return the prefix of tokens inside a word, borrowed from the bytes; empty if there is none.
  virtual std::string_view continuation() const noexcept { return {}; }
};

// ---- decoders
// -------------------------------------------------------------------------------------------------

// Where a token is that is decoded alone.
struct TokenPlace {
  bool is_first;   // of its text
  bool is_joined;  // with the tokens beside it, by a step before
};

class DecoderStep {
 public:
  DecoderStep() = default;
  DecoderStep(const DecoderStep&) = delete;
  DecoderStep& operator=(const DecoderStep&) = delete;
  virtual ~DecoderStep() = default;

  // Return a stage that decodes one text and passes on to `next`; what comes out of the last one is joined
  // without anything between. It refers to this step and to `next`.
  virtual std::unique_ptr<TokenSink> open(TokenSink& next) const = 0;

  // Turn a token into the bytes that it becomes among others. Return false if they depend on these.
  virtual bool decode_alone(std::string&, TokenPlace&) const { return false; }
};

// ---- making them
// ----------------------------------------------------------------------------------------------

using Normalizers = std::vector<std::unique_ptr<const NormalizerStep>>;
using PreTokenizers = std::vector<std::unique_ptr<const PreTokenizerStep>>;
using Decoders = std::vector<std::unique_ptr<const DecoderStep>>;

// Each reads its part of the bytes, borrowed. Throw LINNET_TOKENIZER_INVALID.
Normalizers read_normalizers(std::string_view bytes);
PreTokenizers read_pre_tokenizers(std::string_view bytes);
std::unique_ptr<const Model> read_model(std::string_view bytes, const TableVocabulary& vocabulary);
Decoders read_decoders(std::string_view bytes);

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_TABLES_STEPS_H_
