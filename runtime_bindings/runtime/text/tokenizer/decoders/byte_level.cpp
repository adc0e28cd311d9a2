// ByteLevel decoder: characters back to bytes, all tokens as one; what is not UTF-8 becomes U+FFFD.
#include "tokenizer/tables/byte_level.h"

#include <utility>

#include "tokenizer/decoders/decoders.h"
#include "tokenizer/unicode.h"

namespace linnet::tables {
namespace {

// Append the bytes that the characters of a token stand for, or the token as it is if one stands for none.
void append_bytes(std::string& bytes, std::string_view token) {
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

// A character whose last bytes are still to come waits for them.
class ByteLevelStage final : public WholeTokens {
 public:
  using WholeTokens::WholeTokens;

  void end_text() override {
    pass(unicode::replace_invalid(bytes_));
    bytes_.clear();
    next().end_text();
  }

 private:
  void take(std::string_view token) override {
    append_bytes(bytes_, token);
    const std::size_t certain = bytes_.size() - unicode::incomplete_end(bytes_);
    next().text(unicode::replace_invalid(std::string_view(bytes_).substr(0, certain)));
    bytes_.erase(0, certain);
  }

  std::string bytes_;  // the beginning of a character
};

class ByteLevelDecoder final : public DecoderStep {
 public:
  std::unique_ptr<TokenSink> open(TokenSink& next) const override {
    return std::make_unique<ByteLevelStage>(next);
  }
  bool decode_alone(std::string& token, TokenPlace& place) const override {
    std::string bytes;
    append_bytes(bytes, token);
    token = std::move(bytes);
    place.is_joined = true;
    return true;
  }
};

}  // namespace

std::unique_ptr<const DecoderStep> make_byte_level_decoder(Reader&) {
  return std::make_unique<const ByteLevelDecoder>();
}

}  // namespace linnet::tables
