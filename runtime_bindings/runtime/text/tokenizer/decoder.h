// Decoding of tokens to text, one token after the other, as the `tokenizers` package gives it for all at
// once.
#ifndef LINNET_RUNTIME_TOKENIZER_DECODER_H_
#define LINNET_RUNTIME_TOKENIZER_DECODER_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/token_sink.h"

namespace linnet {

class Decoding {
 public:
  Decoding() = default;
  Decoding(const Decoding&) = delete;
  Decoding& operator=(const Decoding&) = delete;
  ~Decoding() = default;

  // The first stage, which takes the tokens; the text itself if there is none.
  TokenSink& front() noexcept { return *front_; }
  // Put a stage before front(), to which it refers.
  void add(std::unique_ptr<TokenSink> stage) {
    stages_.push_back(std::move(stage));
    front_ = stages_.back().get();
  }
  template <typename Stage, typename... Arguments>
  void add(Arguments&&... arguments) {
    add(std::make_unique<Stage>(*front_, std::forward<Arguments>(arguments)...));
  }

  void push(std::string_view token) {
    front_->text(token);
    front_->end_token();
  }
  void finish() { front_->end_text(); }

  // The text that is certain so far: whole characters of UTF-8. The caller may take it away.
  std::string& text() noexcept { return end_.joined; }

 private:
  // Joins the tokens that come out of the last stage.
  struct End final : TokenSink {
    void text(std::string_view part) override { joined.append(part); }
    void end_token() override {}
    void end_text() override {}

    std::string joined;
  };

  End end_;
  std::vector<std::unique_ptr<TokenSink>> stages_;
  TokenSink* front_ = &end_;
};

// Add stages that remove the spaces before punctuation, as `transformers` does in the whole text
// (clean_up_tokenization_spaces).
void add_clean_up(Decoding& decoding);

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_DECODER_H_
