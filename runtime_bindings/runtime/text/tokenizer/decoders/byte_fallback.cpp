// ByteFallback: tokens such as <0xE4> become bytes; a run of them that is not UTF-8 becomes one U+FFFD each.
#include <algorithm>
#include <string>

#include "tokenizer/decoders/decoders.h"
#include "tokenizer/unicode.h"

namespace linnet::tables {
namespace {

int digit(char c) noexcept {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char folded = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  return folded >= 'a' && folded <= 'f' ? folded - 'a' + 10 : -1;
}

// Return the byte that a token stands for, -1 for other tokens. u8::from_str_radix of Rust takes a plus sign
// too.
int byte_of(std::string_view token) noexcept {
  if (token.size() != 6 || token.substr(0, 3) != "<0x" || token.back() != '>') {
    return -1;
  }
  const int high = token[3] == '+' ? 0 : digit(token[3]);
  const int low = digit(token[4]);
  return high < 0 || low < 0 ? -1 : 16 * high + low;
}

// A run of bytes waits for its end, which decides about all of them.
class ByteFallbackStage final : public WholeTokens {
 public:
  using WholeTokens::WholeTokens;

  void end_text() override {
    release();
    next().end_text();
  }

 private:
  void take(std::string_view token) override {
    const int byte = byte_of(token);
    if (byte >= 0) {
      bytes_.push_back(static_cast<char>(byte));
      return;
    }
    release();
    pass(token);
  }

  void release() {
    if (!bytes_.empty() && unicode::is_valid_utf8(bytes_)) {
      pass(bytes_);
    } else {
      std::for_each(bytes_.begin(), bytes_.end(), [this](char) { pass("\xEF\xBF\xBD"); });
    }
    bytes_.clear();
  }

  std::string bytes_;
};

class ByteFallback final : public DecoderStep {
 public:
  std::unique_ptr<TokenSink> open(TokenSink& next) const override {
    return std::make_unique<ByteFallbackStage>(next);
  }
  // Bytes beside each other are one token for the steps behind.
  bool decode_alone(std::string& token, TokenPlace& place) const override {
    if (const int byte = byte_of(token); byte >= 0) {
      token.assign(1, static_cast<char>(byte));
    }
    place.is_joined = true;
    return true;
  }
};

}  // namespace

std::unique_ptr<const DecoderStep> make_byte_fallback(Reader&) {
  return std::make_unique<const ByteFallback>();
}

}  // namespace linnet::tables
