// Metaspace decoder: the visible character becomes a space again.
#include "tokenizer/decoders/decoders.h"

namespace linnet::tables {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  std::string made;
  std::size_t at = 0;
  for (std::size_t found = text.find(from); found != std::string::npos; found = text.find(from, at)) {
    made.append(text, at, found - at);
    made.append(to);
    at = found + from.size();
  }
  if (at > 0) {
    text = made.append(text, at, std::string::npos);
  }
}

// A character for each space; none for those of the first token if one was put before the text.
class MetaspaceDecoder final : public DecoderStep {
 public:
  MetaspaceDecoder(std::string_view replacement, bool prepended)
      : replacement_(replacement), prepended_(prepended) {}

  void apply(std::vector<std::string>& tokens) const override {
    bool first = prepended_;
    for (std::string& token : tokens) {
      replace_all(token, replacement_, first ? "" : " ");
      first = false;
    }
  }

 private:
  std::string_view replacement_;
  bool prepended_;
};

}  // namespace

std::unique_ptr<const DecoderStep> make_metaspace_decoder(Reader& reader) {
  const std::string_view replacement = reader.text();
  const bool prepended = reader.number(1, "whether a space is prepended") != 0;
  require(!replacement.empty(), "the replacement of Metaspace is empty");
  return std::make_unique<const MetaspaceDecoder>(replacement, prepended);
}

}  // namespace linnet::tables
