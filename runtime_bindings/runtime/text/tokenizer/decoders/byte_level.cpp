// ByteLevel decoder: characters back to bytes, all tokens together; what is not UTF-8 becomes U+FFFD.
#include "tokenizer/tables/byte_level.h"

#include "tokenizer/decoders/decoders.h"
#include "tokenizer/unicode.h"

namespace linnet::tables {
namespace {

// Append the bytes that the characters of a token stand for, or the token as it is if one stands for none.
void append_bytes(std::string& bytes, const std::string& token) {
  const std::size_t before = bytes.size();
  for (std::string_view rest = token; !rest.empty();) {
    const unicode::Decoded next = unicode::decode(rest);
    const std::int16_t byte = next.length > 0 && next.c < kByteCharacterEnd ? kCharacterBytes[next.c] : -1;
    if (byte < 0) {
      bytes.resize(before);
      bytes.append(token);
      return;
    }
    bytes.push_back(static_cast<char>(byte));
    rest.remove_prefix(next.length);
  }
}

class ByteLevelDecoder final : public DecoderStep {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::string bytes;
    for (const std::string& token : tokens) {
      append_bytes(bytes, token);
    }
    tokens.assign(1, unicode::replace_invalid(bytes));
  }
};

}  // namespace

std::unique_ptr<const DecoderStep> make_byte_level_decoder(Reader&) {
  return std::make_unique<const ByteLevelDecoder>();
}

}  // namespace linnet::tables
