// Decoders of the tables, one file each. Each function reads the content of its step.
#ifndef LINNET_RUNTIME_TOKENIZER_DECODERS_DECODERS_H_
#define LINNET_RUNTIME_TOKENIZER_DECODERS_DECODERS_H_

#include <memory>

#include "tokenizer/tables/steps.h"

namespace linnet::tables {

// ByteLevel: nothing.
std::unique_ptr<const DecoderStep> make_byte_level_decoder(Reader& reader);

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_DECODERS_DECODERS_H_
