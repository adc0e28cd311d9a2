// Decoders of the tables, one file each. Each function reads the content of its step.
#ifndef LINNET_RUNTIME_TOKENIZER_DECODERS_DECODERS_H_
#define LINNET_RUNTIME_TOKENIZER_DECODERS_DECODERS_H_

#include <memory>

#include "tokenizer/tables/steps.h"

namespace linnet::tables {

// ByteLevel: nothing.
std::unique_ptr<const DecoderStep> make_byte_level_decoder(Reader& reader);
// ByteFallback: nothing.
std::unique_ptr<const DecoderStep> make_byte_fallback(Reader& reader);
// Fuse: nothing.
std::unique_ptr<const DecoderStep> make_fuse(Reader& reader);
// Replace: pattern (pattern.h), content (string).
std::unique_ptr<const DecoderStep> make_replace_decoder(Reader& reader);
// Strip: content (string), start, stop.
std::unique_ptr<const DecoderStep> make_strip_decoder(Reader& reader);
// WordPiece: prefix (string), cleanup.
std::unique_ptr<const DecoderStep> make_wordpiece_decoder(Reader& reader);
// BPEDecoder: suffix (string).
std::unique_ptr<const DecoderStep> make_bpe_decoder(Reader& reader);

// Metaspace: replacement (string), whether one was put before the text.
std::unique_ptr<const DecoderStep> make_metaspace_decoder(Reader& reader);

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_DECODERS_DECODERS_H_
