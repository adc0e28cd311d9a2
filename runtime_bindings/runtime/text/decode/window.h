// Window of an encoding with its text, as decoding reads it.
#ifndef LINNET_RUNTIME_DECODE_WINDOW_H_
#define LINNET_RUNTIME_DECODE_WINDOW_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "decode/answers.h"
#include "decode/task.h"
#include "tokenizer/encoding.h"

namespace linnet {

// What only another tokenizer, which made the tokens, can say about them.
struct ForeignTokens {
  std::vector<std::int64_t> words;
  std::vector<std::string> tokens;
  bool marks_words = false;
};

class WindowView {
 public:
  // Refer to everything given, which must outlive the view. `foreign` is NULL if the task's own tokenizer
  // made the tokens.
  WindowView(const Task& task, const Window& window, const ForeignTokens* foreign, std::string_view text);

  std::size_t size() const noexcept { return window_.ids.size(); }
  std::int64_t id(std::size_t token) const noexcept { return window_.ids[token]; }
  std::int32_t sequence(std::size_t token) const noexcept { return window_.sequence_ids[token]; }
  // Return the place from the start of one token to the end of another.
  Place place(std::size_t first, std::size_t last) const noexcept;
  // Return the text of a place, borrowed. Throw LINNET_INVALID_ARGUMENT if the text ends before it.
  std::string_view text(const Place& place) const;

  // Return the token itself, or the text that it stands for if it is the unknown token.
  std::string_view token(std::size_t at) const;
  // Tell whether the token continues the word of the token before it, as the pipeline decides it.
  bool continues(std::size_t at) const;
  // Return the number of each token's word; -1 for special tokens.
  std::vector<std::int64_t> words() const;
  // Return tokens as text; empty if another tokenizer made them.
  std::string join(const std::vector<std::string_view>& tokens) const;

 private:
  bool spaced(std::size_t at) const;

  const Task& task_;
  const Window& window_;
  const ForeignTokens* foreign_;
  const Tokenizer* tokenizer_;
  std::string_view text_;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_DECODE_WINDOW_H_
