// Replace: each match becomes a text that stands for what the last character of the match stands for.
#include "tokenizer/normalizers/normalizers.h"
#include "tokenizer/tables/pattern.h"

namespace linnet::tables {
namespace {

class Replace final : public NormalizerStep {
 public:
  Replace(const Pattern& pattern, std::string_view content) : pattern_(pattern), content_(content) {}

  void apply(AlignedText& text, Edges) const override {
    const Run old{text.bytes, text.spans.data(), 0};
    AlignedText made;
    std::size_t at = 0;
    for (Pattern::Match match = pattern_.find(text.bytes, 0); match.found;
         match = pattern_.find(text.bytes, match.end)) {
      made.append(old.part(at, match.begin));
      made.bytes.append(content_);
      made.spans.resize(made.bytes.size(), text.spans[match.end - 1]);
      at = match.end;
    }
    made.append(old.part(at, text.bytes.size()));
    text = std::move(made);
  }

  bool keeps(std::string_view bytes, Edges) const noexcept override { return !pattern_.find(bytes, 0).found; }
  bool may_cut_behind(char32_t c) const noexcept override { return !pattern_.may_contain(c); }

 private:
  Pattern pattern_;
  std::string_view content_;
};

}  // namespace

std::unique_ptr<const NormalizerStep> make_replace(Reader& reader) {
  const Pattern pattern(reader);
  return std::make_unique<const Replace>(pattern, reader.text());
}

}  // namespace linnet::tables
