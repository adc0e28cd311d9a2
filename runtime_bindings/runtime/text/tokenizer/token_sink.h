// Stages of a decoder: each takes the tokens of a text one after the other and passes on what they become.
#ifndef LINNET_RUNTIME_TOKENIZER_TOKEN_SINK_H_
#define LINNET_RUNTIME_TOKENIZER_TOKEN_SINK_H_

#include <string>
#include <string_view>

namespace linnet {

class TokenSink {
 public:
  TokenSink() = default;
  TokenSink(const TokenSink&) = delete;
  TokenSink& operator=(const TokenSink&) = delete;
  virtual ~TokenSink() = default;

  // Take the next part of the current token: whole characters of UTF-8.
  virtual void text(std::string_view part) = 0;
  // Take note that the current token, which may be empty, has ended.
  virtual void end_token() = 0;
  // Take note that there are no more tokens.
  virtual void end_text() = 0;
};

// A stage before another one. It passes on what later tokens cannot change any more, and keeps the rest.
class DecoderStage : public TokenSink {
 public:
  // Refer to the next stage, which must outlive this one.
  explicit DecoderStage(TokenSink& next) : next_(next) {}

  void end_token() override { next_.end_token(); }
  void end_text() override { next_.end_text(); }

 protected:
  TokenSink& next() const noexcept { return next_; }
  // Pass on a token.
  void pass(std::string_view token) const {
    next_.text(token);
    next_.end_token();
  }

 private:
  TokenSink& next_;
};

// A stage that looks at whole tokens.
class WholeTokens : public DecoderStage {
 public:
  using DecoderStage::DecoderStage;

  void text(std::string_view part) final { token_.append(part); }
  void end_token() final {
    take(token_);
    token_.clear();
  }

 private:
  virtual void take(std::string_view token) = 0;

  std::string token_;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_TOKEN_SINK_H_
