// Pre-tokenizers of the tables, one file each. Each function reads the content of its step.
#ifndef LINNET_RUNTIME_TOKENIZER_PRE_TOKENIZERS_PRE_TOKENIZERS_H_
#define LINNET_RUNTIME_TOKENIZER_PRE_TOKENIZERS_PRE_TOKENIZERS_H_

#include <memory>

#include "tokenizer/tables/steps.h"

namespace linnet::tables {

// ByteLevel: add_prefix_space, use_regex. It is the last step: the model itself turns bytes into characters.
std::unique_ptr<const PreTokenizerStep> make_byte_level(Reader& reader);
// Digits: individual_digits.
std::unique_ptr<const PreTokenizerStep> make_digits(Reader& reader);
// Split: number of the expression, behavior, invert.
std::unique_ptr<const PreTokenizerStep> make_split(Reader& reader);
// Split by a text: the text, behavior, invert.
std::unique_ptr<const PreTokenizerStep> make_text_split(Reader& reader);
// Whitespace: nothing.
std::unique_ptr<const PreTokenizerStep> make_whitespace(Reader& reader);
// WhitespaceSplit: nothing.
std::unique_ptr<const PreTokenizerStep> make_whitespace_split(Reader& reader);
// Punctuation: behavior.
std::unique_ptr<const PreTokenizerStep> make_punctuation(Reader& reader);

// Metaspace, see metaspace.cpp.
std::unique_ptr<const PreTokenizerStep> make_metaspace(Reader& reader);

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_PRE_TOKENIZERS_PRE_TOKENIZERS_H_
