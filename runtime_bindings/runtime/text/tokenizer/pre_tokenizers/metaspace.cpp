// Metaspace: spaces become a visible character, which begins the next word; one more may stand before the
// text.
//
//   replacement (a string of one character), scheme (0 always, 1 first, 2 never), split
#include <algorithm>

#include "tokenizer/pre_tokenizers/pre_tokenizers.h"
#include "tokenizer/unicode.h"

namespace linnet::tables {
namespace {

enum class Scheme : std::uint32_t { kAlways, kFirst, kNever };

class Metaspace final : public PreTokenizerStep {
 public:
  Metaspace(std::string_view replacement, Scheme scheme, bool split)
      : replacement_(replacement), scheme_(scheme), split_(split) {}

  Piece next(std::string_view text, std::size_t at, bool complete) const override {
    if (split_) {
      const std::size_t found = text.find(replacement_, at + 1);
      if (found != std::string_view::npos) {
        return {found, true};
      }
    }
    return {complete ? text.size() : kMore, true};
  }

  bool changes() const noexcept override { return true; }

  void change(const Run& run, bool first, AlignedText& text) const override {
    const std::string_view bytes = run.bytes;
    if (bytes.empty()) {
      return;
    }
    const Span front = run.span(0, std::max<std::size_t>(unicode::decode(bytes).length, 1));
    const bool wanted = scheme_ == Scheme::kAlways || (scheme_ == Scheme::kFirst && front.begin == 0);
    const bool there = bytes.front() == ' ' || bytes.substr(0, replacement_.size()) == replacement_;
    if (first && wanted && !there) {
      append(front, text);
    }
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t space = std::min(bytes.find(' ', at), bytes.size());
      text.append(run.part(at, space));
      if (space < bytes.size()) {
        append(run.span(space, space + 1), text);
      }
      at = space + 1;
    }
  }

 private:
  void append(const Span& span, AlignedText& text) const {
    text.bytes.append(replacement_);
    text.spans.resize(text.bytes.size(), span);
  }

  std::string_view replacement_;
  Scheme scheme_;
  bool split_;
};

}  // namespace

std::unique_ptr<const PreTokenizerStep> make_metaspace(Reader& reader) {
  const std::string_view replacement = reader.text();
  const auto scheme = static_cast<Scheme>(
      reader.number(static_cast<std::uint32_t>(Scheme::kNever), "the scheme of Metaspace"));
  const bool split = reader.number(1, "split") != 0;
  require(!replacement.empty() && unicode::decode(replacement).length == replacement.size(),
          "the replacement of Metaspace is not one character");
  return std::make_unique<const Metaspace>(replacement, scheme, split);
}

}  // namespace linnet::tables
