// One window of an encoding and its text, as decoding sees them.
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

// What a tokenizer that is not built in knows of its tokens.
struct ForeignTokens {
  std::vector<std::int64_t> words;
  std::vector<std::string> tokens;
  bool marks_words = false;
};

class WindowView {
 public:
  // `foreign` is NULL if the tokens are of the task's own tokenizer. All outlive the view.
  WindowView(const Task& task, const Window& window, const ForeignTokens* foreign, std::string_view text);

  std::size_t size() const noexcept { return window_.ids.size(); }
  std::int64_t id(std::size_t token) const noexcept { return window_.ids[token]; }
  std::int32_t sequence(std::size_t token) const noexcept { return window_.sequence_ids[token]; }
  // From the start of one token to the end of another.
  Place place(std::size_t first, std::size_t last) const noexcept;
  // The text of a place.
  std::string_view text(const Place& place) const;

  // The token itself, or the text that it stands for if the vocabulary has none.
  std::string_view token(std::size_t at) const;
  // Whether the token goes on with the word of the token before it, as the pipeline sees it.
  bool continues(std::size_t at) const;
  // Number of each token's word within its text; -1 for special tokens.
  std::vector<std::int64_t> words() const;
  // Tokens as text; empty if the tokens are not of the task's own tokenizer.
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
