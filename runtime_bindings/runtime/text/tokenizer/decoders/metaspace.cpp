// Metaspace decoder: the visible character becomes a space again.
#include "tokenizer/decoders/decoders.h"

namespace linnet::tables {
namespace {

// A space for each such character; none for those of the first token if one was put before the text.
class MetaspaceStage final : public WholeTokens {
 public:
  MetaspaceStage(TokenSink& next, std::string_view replacement, bool prepended)
      : WholeTokens(next), replacement_(replacement), drops_(prepended) {}

 private:
  void take(std::string_view token) override {
    const std::string_view space = drops_ ? "" : " ";
    drops_ = false;
    made_.clear();
    for (std::size_t found = token.find(replacement_); found != std::string_view::npos;
         found = token.find(replacement_)) {
      made_.append(token.substr(0, found));
      made_.append(space);
      token.remove_prefix(found + replacement_.size());
    }
    pass(made_.append(token));
  }

  std::string_view replacement_;
  bool drops_;        // the next token is the first, behind a space that was put before the text
  std::string made_;  // scratch
};

class MetaspaceDecoder final : public DecoderStep {
 public:
  MetaspaceDecoder(std::string_view replacement, bool prepended)
      : replacement_(replacement), prepended_(prepended) {}

  std::unique_ptr<TokenSink> open(TokenSink& next) const override {
    return std::make_unique<MetaspaceStage>(next, replacement_, prepended_);
  }
  bool decode_alone(std::string& token, TokenPlace& place) const override {
    const std::string_view space = prepended_ && place.is_first ? "" : " ";
    for (std::size_t found = token.find(replacement_); found != std::string::npos;
         found = token.find(replacement_, found + space.size())) {
      token.replace(found, replacement_.size(), space);
    }
    return !place.is_joined;
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
