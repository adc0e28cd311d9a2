// Normalizers of the tables, one file each. Each function reads the content of its step.
#ifndef LINNET_RUNTIME_TOKENIZER_NORMALIZERS_NORMALIZERS_H_
#define LINNET_RUNTIME_TOKENIZER_NORMALIZERS_NORMALIZERS_H_

#include <memory>

#include "tokenizer/tables/steps.h"

namespace linnet::tables {

// NFC, NFD, NFKC, NFKD: number of the form.
std::unique_ptr<const NormalizerStep> make_normal_form(Reader& reader);

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_NORMALIZERS_NORMALIZERS_H_
