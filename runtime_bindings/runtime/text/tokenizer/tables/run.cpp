#include "tokenizer/tables/run.h"

#include <utility>

namespace linnet::tables {
namespace {

std::size_t skip(std::string_view bytes, std::size_t at, std::size_t characters) noexcept {
  for (; characters > 0 && at < bytes.size(); --characters) {
    ++at;
    while (at < bytes.size() && unicode::is_continuation(bytes[at])) {
      ++at;
    }
  }
  return at;
}

}  // namespace

void transform(AlignedText& text, const std::vector<Change>& changes, std::size_t removed) {
  AlignedText made;
  made.bytes.reserve(text.bytes.size());
  made.spans.reserve(text.spans.size());
  std::size_t at = skip(text.bytes, 0, removed);
  for (const Change& change : changes) {
    if (change.change > 0) {
      made.append(change.c, at == 0 ? Span{} : text.spans[at - 1]);
      continue;
    }
    made.append(change.c, at < text.spans.size() ? text.spans[at] : Span{});
    at = skip(text.bytes, at, 1 + static_cast<std::size_t>(-change.change));
  }
  text = std::move(made);
}

}  // namespace linnet::tables
