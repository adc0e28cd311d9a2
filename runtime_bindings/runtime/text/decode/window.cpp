#include "decode/window.h"

#include <algorithm>

#include "status.h"
#include "tokenizer/unicode.h"

namespace linnet {
namespace {

linnet_span between(const Offsets& offsets, std::size_t first, std::size_t last) noexcept {
  return {offsets[2 * first], offsets[2 * last + 1]};
}

std::int64_t code_points(std::string_view text) noexcept {
  return std::count_if(text.begin(), text.end(), [](char byte) { return !unicode::is_continuation(byte); });
}

}  // namespace

WindowView::WindowView(const Task& task, const Window& window, const ForeignTokens* foreign,
                       std::string_view text)
    : task_(task),
      window_(window),
      foreign_(foreign),
      tokenizer_(foreign == nullptr ? task.tokenizer().get() : nullptr),
      text_(text) {}

Place WindowView::place(std::size_t first, std::size_t last) const noexcept {
  const TextOffsets& offsets = window_.offsets;
  return {between(offsets.in_code_points(), first, last), between(offsets.utf8, first, last),
          between(offsets.in_utf16(), first, last)};
}

std::string_view WindowView::text(const Place& place) const {
  const auto [start, end] = place.utf8;
  if (start < 0 || start > end) {
    return {};
  }
  if (static_cast<std::uint64_t>(end) > text_.size()) {
    throw Error(LINNET_INVALID_ARGUMENT, "the text is shorter than the one that was encoded; pass the same");
  }
  return text_.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(end - start));
}

std::string_view WindowView::token(std::size_t at) const {
  if (id(at) == task_.unknown_id()) {
    return text(place(at, at));
  }
  if (foreign_ != nullptr) {
    return foreign_->tokens[at];
  }
  const auto token = static_cast<std::uint64_t>(id(at));
  return token < tokenizer_->size() ? tokenizer_->token(static_cast<std::size_t>(token)) : std::string_view();
}

// As in transformers 5.23 (pipelines/token_classification.py): if the vocabulary has a prefix, a token whose
// length differs from that of its text carries it; if not, words are what spaces separate.
bool WindowView::continues(std::size_t at) const {
  if (id(at) == task_.unknown_id()) {
    return false;
  }
  const linnet_span where = place(at, at).code_points;
  const bool marks = foreign_ != nullptr ? foreign_->marks_words : !tokenizer_->continuation().empty();
  return marks ? code_points(token(at)) != where.end - where.start : where.start > 0 && !spaced(at);
}

// Tell whether a space stands before the token or is its first character.
bool WindowView::spaced(std::size_t at) const {
  const auto start = static_cast<std::size_t>(place(at, at).utf8.start);
  return (start > 0 && start <= text_.size() && text_[start - 1] == ' ') ||
         (start < text_.size() && text_[start] == ' ');
}

std::vector<std::int64_t> WindowView::words() const {
  if (foreign_ != nullptr) {
    return foreign_->words;
  }
  if (window_.words.size() == size()) {
    return window_.words;
  }
  std::vector<std::int64_t> words(size(), -1);
  std::int64_t word = 0;
  for (std::size_t i = 0; i < size(); ++i) {
    word += tokenizer_->continues_word(id(i)) ? 0 : 1;
    words[i] = sequence(i) >= 0 ? word : -1;
  }
  return words;
}

std::string WindowView::join(const std::vector<std::string_view>& tokens) const {
  return foreign_ != nullptr ? "" : tokenizer_->join(tokens);
}

}  // namespace linnet
