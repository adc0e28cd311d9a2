// Models of the tables, one file each. Each function reads the content of its model.
#ifndef LINNET_RUNTIME_TOKENIZER_MODELS_MODELS_H_
#define LINNET_RUNTIME_TOKENIZER_MODELS_MODELS_H_

#include <memory>

#include "tokenizer/tables/steps.h"

namespace linnet::tables {

// Byte-pair encoding, see bpe.cpp.
std::unique_ptr<const Model> make_bpe(Reader& reader, const TableVocabulary& vocabulary);
// WordLevel, see word_level.cpp.
std::unique_ptr<const Model> make_word_level(Reader& reader, const TableVocabulary& vocabulary);

// Unigram, see unigram.cpp.
std::unique_ptr<const Model> make_unigram(Reader& reader, const TableVocabulary& vocabulary);

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_MODELS_MODELS_H_
