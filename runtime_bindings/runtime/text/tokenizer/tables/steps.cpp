#include "tokenizer/tables/steps.h"

#include <iterator>

#include "tokenizer/decoders/decoders.h"
#include "tokenizer/models/models.h"
#include "tokenizer/normalizers/normalizers.h"
#include "tokenizer/pre_tokenizers/pre_tokenizers.h"

namespace linnet::tables {
namespace {

// More steps than any tokenizer has; each costs memory that the bytes do not pay for.
constexpr std::uint32_t kMostSteps = 256;

template <typename Step>
using Make = std::unique_ptr<const Step> (*)(Reader&);

// Read a list of steps; the kind of a step is its place in `makers`.
template <typename Step, std::size_t N>
std::vector<std::unique_ptr<const Step>> read_steps(std::string_view bytes, const Make<Step> (&makers)[N],
                                                    const char* name) {
  Reader reader(bytes);
  std::vector<std::unique_ptr<const Step>> steps;
  const std::uint32_t count = reader.number(kMostSteps, "a count of steps");
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t kind = reader.number(N - 1, name);
    Reader content(reader.block());
    steps.push_back(makers[kind](content));
    content.finish();
  }
  reader.finish();
  return steps;
}

// In the order of NORMALIZERS in the writer.
constexpr Make<NormalizerStep> kNormalizers[] = {
    make_normal_form, make_filter,  make_spaces,  make_lowercase,   make_chinese_characters,
    make_strip,       make_prepend, make_replace, make_precompiled,
};

// In the order of PRE_TOKENIZERS in the writer.
constexpr Make<PreTokenizerStep> kPreTokenizers[] = {
    make_byte_level, make_digits,           make_split,       make_text_split,
    make_whitespace, make_whitespace_split, make_punctuation, make_metaspace,
};

// In the order of DECODERS in the writer.
constexpr Make<DecoderStep> kDecoders[] = {
    make_byte_level_decoder, make_byte_fallback,     make_fuse,        make_replace_decoder,
    make_strip_decoder,      make_wordpiece_decoder, make_bpe_decoder, make_metaspace_decoder,
};

using MakeModel = std::unique_ptr<const Model> (*)(Reader&, const TableVocabulary&);

// In the order of MODELS in the writer.
constexpr MakeModel kModels[] = {
    make_bpe,
    make_word_level,
    make_unigram,
};

}  // namespace

void PreTokenizerStep::change(const Run& run, bool, AlignedText& text) const { text.append(run); }

Normalizers read_normalizers(std::string_view bytes) {
  return read_steps<NormalizerStep>(bytes, kNormalizers, "the kind of a normalizer");
}

PreTokenizers read_pre_tokenizers(std::string_view bytes) {
  return read_steps<PreTokenizerStep>(bytes, kPreTokenizers, "the kind of a pre-tokenizer");
}

Decoders read_decoders(std::string_view bytes) {
  return read_steps<DecoderStep>(bytes, kDecoders, "the kind of a decoder");
}

std::unique_ptr<const Model> read_model(std::string_view bytes, const TableVocabulary& vocabulary) {
  Reader reader(bytes);
  const std::uint32_t kind = reader.number(std::size(kModels) - 1, "the kind of the model");
  Reader content(reader.block());
  std::unique_ptr<const Model> model = kModels[kind](content, vocabulary);
  content.finish();
  reader.finish();
  return model;
}

}  // namespace linnet::tables
