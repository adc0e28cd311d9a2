// WordPiece: words with spaces between, without the prefix of tokens that continue a word.
#include "tokenizer/decoders/decoders.h"
#include "tokenizer/decoders/stages.h"

namespace linnet::tables {
namespace {

struct Replacement {
  std::string_view found;
  std::string_view replacement;
};

// The replacements of `cleanup` in tokenizers, decoders/wordpiece.rs. Their order matters, as each works on
// the result of the one before.
constexpr Replacement kCleanup[] = {{" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
                                    {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
                                    {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};

void replace_all(std::string& text, const Replacement& rule) {
  std::size_t at = text.find(rule.found);
  while (at != std::string::npos) {
    text.replace(at, rule.found.size(), rule.replacement);
    at = text.find(rule.found, at + rule.replacement.size());
  }
}

class WordPiece final : public DecoderStep {
 public:
  WordPiece(std::string_view prefix, bool cleanup) : prefix_(prefix), cleanup_(cleanup) {}

  std::unique_ptr<TokenSink> open(TokenSink& next) const override {
    return std::make_unique<WordPieceStage>(next, prefix_, cleanup_);
  }

 private:
  std::string_view prefix_;
  bool cleanup_;
};

}  // namespace

void WordPieceStage::take(std::string_view token) {
  const bool continues = !first_ && token.substr(0, prefix_.size()) == prefix_;
  std::string piece(!first_ && !continues ? " " : "");
  piece.append(continues ? token.substr(prefix_.size()) : token);
  first_ = false;
  if (cleanup_) {
    for (const Replacement& rule : kCleanup) {
      replace_all(piece, rule);
    }
  }
  pass(piece);
}

std::unique_ptr<const DecoderStep> make_wordpiece_decoder(Reader& reader) {
  const std::string_view prefix = reader.text();
  return std::make_unique<const WordPiece>(prefix, reader.number(1, "cleanup") != 0);
}

}  // namespace linnet::tables
