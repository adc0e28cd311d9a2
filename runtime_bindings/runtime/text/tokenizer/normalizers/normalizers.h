// Normalizers of the tables, one file each. Each function reads the content of its step.
#ifndef LINNET_RUNTIME_TOKENIZER_NORMALIZERS_NORMALIZERS_H_
#define LINNET_RUNTIME_TOKENIZER_NORMALIZERS_NORMALIZERS_H_

#include <memory>

#include "tokenizer/tables/steps.h"

namespace linnet::tables {

// NFC, NFD, NFKC, NFKD: number of the form.
std::unique_ptr<const NormalizerStep> make_normal_form(Reader& reader);
// Filter: number of the set of characters to remove: 0 combining marks, 1 nonspacing marks, 2 what clean_text
// of BertNormalizer removes, 3 what Nmt removes.
std::unique_ptr<const NormalizerStep> make_filter(Reader& reader);
// Spaces: number of the set that becomes spaces: 0 white space, 1 that of Nmt.
std::unique_ptr<const NormalizerStep> make_spaces(Reader& reader);
// Lowercase: nothing.
std::unique_ptr<const NormalizerStep> make_lowercase(Reader& reader);
// handle_chinese_chars of BertNormalizer: nothing.
std::unique_ptr<const NormalizerStep> make_chinese_characters(Reader& reader);
// Strip: strip_left, strip_right.
std::unique_ptr<const NormalizerStep> make_strip(Reader& reader);
// Prepend: the text.
std::unique_ptr<const NormalizerStep> make_prepend(Reader& reader);
// Replace: pattern (pattern.h), content (string).
std::unique_ptr<const NormalizerStep> make_replace(Reader& reader);

// Precompiled, see precompiled.cpp.
std::unique_ptr<const NormalizerStep> make_precompiled(Reader& reader);

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_NORMALIZERS_NORMALIZERS_H_
