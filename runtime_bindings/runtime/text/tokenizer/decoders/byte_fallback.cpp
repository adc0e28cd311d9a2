// ByteFallback: tokens such as <0xE4> become bytes; a run of them that is not UTF-8 becomes one U+FFFD each.
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

class ByteFallback final : public DecoderStep {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::vector<std::string> made;
    std::string bytes;
    const auto flush = [&] {
      if (!bytes.empty() && unicode::is_valid_utf8(bytes)) {
        made.push_back(bytes);
      } else {
        made.insert(made.end(), bytes.size(), "\xEF\xBF\xBD");
      }
      bytes.clear();
    };
    for (std::string& token : tokens) {
      const int byte = byte_of(token);
      if (byte >= 0) {
        bytes.push_back(static_cast<char>(byte));
        continue;
      }
      flush();
      made.push_back(std::move(token));
    }
    flush();
    tokens = std::move(made);
  }
};

}  // namespace

std::unique_ptr<const DecoderStep> make_byte_fallback(Reader&) {
  return std::make_unique<const ByteFallback>();
}

}  // namespace linnet::tables
