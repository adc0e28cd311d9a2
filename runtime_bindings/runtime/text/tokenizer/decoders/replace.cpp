// Replace: what a pattern matches in a token becomes another text.
#include <algorithm>

#include "tokenizer/decoders/decoders.h"
#include "tokenizer/decoders/stages.h"

namespace linnet::tables {

void ReplaceStage::text(std::string_view part) {
  kept_.append(part);
  replace(false);
}

void ReplaceStage::end_token() {
  replace(true);
  next().end_token();
}

// Pass on the token up to where a match may have begun that its next part decides; all if it is complete.
void ReplaceStage::replace(bool complete) {
  made_.clear();
  const std::string_view text = kept_;
  std::size_t at = 0;
  for (Pattern::Match match = pattern_.find(text, 0); match.found; match = pattern_.find(text, at)) {
    if (!complete && match.end == text.size() && pattern_.goes_on()) {
      break;
    }
    made_.append(text.substr(at, match.begin - at));
    made_.append(content_);
    at = match.end;
  }
  const std::size_t open = complete ? 0 : pattern_.open_end(text.substr(at));
  made_.append(text.substr(at, text.size() - at - open));
  kept_.erase(0, text.size() - open);
  if (!made_.empty()) {
    next().text(made_);
  }
}

namespace {

class Replace final : public DecoderStep {
 public:
  Replace(const Pattern& pattern, std::string_view content) : pattern_(pattern), content_(content) {}

  std::unique_ptr<TokenSink> open(TokenSink& next) const override {
    return std::make_unique<ReplaceStage>(next, pattern_, content_);
  }
  bool decode_alone(std::string& token, TokenPlace& place) const override {
    std::string made;
    std::size_t at = 0;
    for (Pattern::Match match = pattern_.find(token, 0); match.found; match = pattern_.find(token, at)) {
      made.append(token, at, match.begin - at);
      made.append(content_);
      at = match.end;
    }
    token = made.append(token, at);
    return !place.is_joined;
  }

 private:
  Pattern pattern_;
  std::string_view content_;
};

}  // namespace

std::unique_ptr<const DecoderStep> make_replace_decoder(Reader& reader) {
  const Pattern pattern(reader);
  return std::make_unique<const Replace>(pattern, reader.text());
}

}  // namespace linnet::tables
