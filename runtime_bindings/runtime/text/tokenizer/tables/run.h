// Runs of text with the place in the original text that each byte stands for.
#ifndef LINNET_RUNTIME_TOKENIZER_TABLES_RUN_H_
#define LINNET_RUNTIME_TOKENIZER_TABLES_RUN_H_

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/unicode.h"

namespace linnet::tables {

// Bytes [begin, end) of the original text; they are whole characters.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// A run of text, borrowed. Without spans it is a part of the original text.
struct Run {
  std::string_view bytes;
  const Span* spans = nullptr;  // of each byte
  std::size_t base = 0;         // without spans: where the run begins in the original text

  Run part(std::size_t begin, std::size_t end) const noexcept {
    return {bytes.substr(begin, end - begin), spans == nullptr ? nullptr : spans + begin, base + begin};
  }

  // Return what the bytes [begin, end), which must not be empty, stand for, widened to whole characters.
  Span span(std::size_t begin, std::size_t end) const noexcept {
    if (spans != nullptr) {
      return {spans[begin].begin, spans[end - 1].end};
    }
    while (begin > 0 && unicode::is_continuation(bytes[begin])) {
      --begin;
    }
    while (end < bytes.size() && unicode::is_continuation(bytes[end])) {
      ++end;
    }
    return {base + begin, base + end};
  }
};

// A text that steps change, with a span for each byte.
struct AlignedText {
  std::string bytes;
  std::vector<Span> spans;

  void clear() noexcept {
    bytes.clear();
    spans.clear();
  }
  void append(const Run& run) {
    const std::size_t size = run.bytes.size();
    bytes.append(run.bytes);
    if (run.spans != nullptr) {
      spans.insert(spans.end(), run.spans, run.spans + size);
      return;
    }
    const std::size_t before = spans.size();
    spans.resize(before + size);  // and not insert() for each character, which took a fifth of all time
    Span* next = spans.data() + before;
    for (std::size_t begin = 0; begin < size;) {
      std::size_t end = begin + 1;
      while (end < size && unicode::is_continuation(run.bytes[end])) {
        ++end;
      }
      next = std::fill_n(next, end - begin, Span{run.base + begin, run.base + end});
      begin = end;
    }
  }
  void append(char32_t c, const Span& span) {
    unicode::append_utf8(bytes, c);
    while (spans.size() < bytes.size()) {
      spans.push_back(span);
    }
  }
  void erase_front(std::size_t count) {
    bytes.erase(0, count);
    spans.erase(spans.begin(), spans.begin() + static_cast<std::ptrdiff_t>(count));
  }
  Run run() const noexcept { return {bytes, spans.data(), 0}; }
};

// One character of a text that a normalizer makes, as NormalizedString::transform of `tokenizers` takes it.
struct Change {
  char32_t c;
  // 1: a new character, which stands for what the one before it stands for; 0: in place of one old character;
  // -n: in place of one, and n more old ones behind it are removed.
  std::ptrdiff_t change;
};

// Replace a whole text by `changes`; `removed` characters at its beginning are left out before the first.
void transform(AlignedText& text, const std::vector<Change>& changes, std::size_t removed = 0);

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_TABLES_RUN_H_
