// Stages that more than one decoder consists of.
#ifndef LINNET_RUNTIME_TOKENIZER_DECODERS_STAGES_H_
#define LINNET_RUNTIME_TOKENIZER_DECODERS_STAGES_H_

#include <string>
#include <string_view>

#include "tokenizer/tables/pattern.h"
#include "tokenizer/token_sink.h"

namespace linnet::tables {

// Makes one token of all.
class FuseStage final : public DecoderStage {
 public:
  using DecoderStage::DecoderStage;

  void text(std::string_view part) override { next().text(part); }
  void end_token() override {}
  void end_text() override {
    next().end_token();
    next().end_text();
  }
};

// Puts a space between the tokens.
class SpacedStage final : public DecoderStage {
 public:
  using DecoderStage::DecoderStage;

  void text(std::string_view part) override {
    begin();
    next().text(part);
  }
  void end_token() override {
    begin();
    inside_ = false;
    next().end_token();
  }

 private:
  void begin() {
    if (!first_ && !inside_) {
      next().text(" ");
    }
    first_ = false;
    inside_ = true;
  }

  bool first_ = true;
  bool inside_ = false;  // of a token
};

// Replaces in each token what a pattern matches, from the left.
class ReplaceStage final : public DecoderStage {
 public:
  ReplaceStage(TokenSink& next, const Pattern& pattern, std::string_view content)
      : DecoderStage(next), pattern_(pattern), content_(content) {}

  void text(std::string_view part) override;
  void end_token() override;

 private:
  void replace(bool complete);

  Pattern pattern_;
  std::string_view content_;
  std::string kept_;  // the end of the token, in which a match may have begun
  std::string made_;  // scratch
};

// Turns tokens into text as WordPiece does: a space before each but the first and those with the prefix of a
// continued word, which is cut off; with `cleanup` none before punctuation, within each token.
class WordPieceStage final : public WholeTokens {
 public:
  WordPieceStage(TokenSink& next, std::string_view prefix, bool cleanup)
      : WholeTokens(next), prefix_(prefix), cleanup_(cleanup) {}

 private:
  void take(std::string_view token) override;

  std::string_view prefix_;
  bool cleanup_;
  bool first_ = true;
};

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_DECODERS_STAGES_H_
