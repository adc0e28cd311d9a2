// Tokens of one text, made only as far as they are needed.
#ifndef LINNET_RUNTIME_TOKENIZER_TEXT_TOKENS_H_
#define LINNET_RUNTIME_TOKENIZER_TEXT_TOKENS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace linnet {

// A token and the bytes of the original text that it stands for.
struct Token {
  std::uint32_t id = 0;
  std::uint32_t word = 0;  // number of its word in the text, where the kind of tokenizer counts them
  std::size_t begin = 0;
  std::size_t end = 0;
};

// What a tokenizer makes of one text. Each kind of tokenizer has its own advance().
class TextTokens {
 public:
  TextTokens(const TextTokens&) = delete;
  TextTokens& operator=(const TextTokens&) = delete;
  virtual ~TextTokens() = default;

  // Read one word or added token; return false at the end of the text.
  virtual bool advance() = 0;
  // Return true if all bytes looked at so far are ASCII.
  virtual bool ascii() const noexcept = 0;

  // Return true if the tokens carry the number of their word.
  virtual bool counts_words() const noexcept { return false; }
  // Return a kept token with the place that it has as the first one of its text in a window.
  virtual Token first_in_window(std::size_t index) const { return tokens_[index]; }

  // Read until there are more than `count` tokens or the text ends.
  void advance_beyond(std::size_t count) {
    while (count_ <= count && advance()) {
    }
  }

  std::size_t count() const noexcept { return count_; }  // tokens so far
  bool ended() const noexcept { return ended_; }
  const std::vector<Token>& tokens() const noexcept { return tokens_; }
  std::string_view text() const noexcept { return text_; }

 protected:
  // Refer to the text, which must outlive the object. At most `keep` tokens are kept, further ones only
  // counted.
  TextTokens(std::string_view text, std::size_t keep) : text_(text), keep_(keep) {
    constexpr std::size_t kBytesOfToken = 4;  // of most texts; it saves copies, no more
    tokens_.reserve(std::min(keep, text.size() / kBytesOfToken + 1));
  }

  void add(const Token& token) {
    ++count_;
    if (tokens_.size() < keep_) {
      tokens_.push_back(token);
    }
  }
  void end() noexcept { ended_ = true; }

 private:
  std::string_view text_;
  std::size_t keep_;
  std::vector<Token> tokens_;
  std::size_t count_ = 0;
  bool ended_ = false;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_TEXT_TOKENS_H_
