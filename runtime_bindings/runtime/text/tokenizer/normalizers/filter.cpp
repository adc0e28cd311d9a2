// Filter: characters of one set are removed, as NormalizedString::filter of `tokenizers` does it.
#include "tokenizer/normalizers/characters.h"
#include "tokenizer/normalizers/normalizers.h"

namespace linnet::tables {
namespace {

bool is_combining_mark(char32_t c) noexcept {
  return (unicode::properties(c).more & unicode::kCombiningMark) != 0;
}

bool is_nonspacing_mark(char32_t c) noexcept { return unicode::has(c, unicode::kMark); }

// What clean_text of BertNormalizer removes.
bool is_control(char32_t c) noexcept { return c == 0 || c == 0xFFFD || unicode::has(c, unicode::kDropped); }

// What Nmt removes (do_nmt in tokenizers, normalizers/unicode.rs).
bool is_nmt_control(char32_t c) noexcept {
  return (c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F ||
         c == 0x9F;
}

using IsRemoved = bool (*)(char32_t) noexcept;

constexpr IsRemoved kSets[] = {is_combining_mark, is_nonspacing_mark, is_control, is_nmt_control};
constexpr std::uint32_t kLastSet = 3;

class Filter final : public NormalizerStep {
 public:
  explicit Filter(IsRemoved is_removed) : is_removed_(is_removed) {}

  void apply(AlignedText& text, Edges) const override {
    std::vector<Change> changes;
    std::size_t removed_first = 0;
    for_each_character(text.bytes, [&](char32_t c) {
      if (!is_removed_(c)) {
        changes.push_back({c, 0});
      } else if (changes.empty()) {
        ++removed_first;
      } else {
        --changes.back().change;
      }
    });
    transform(text, changes, removed_first);
  }

  bool keeps(std::string_view bytes, Edges) const noexcept override {
    return none_of_characters(bytes, is_removed_);
  }

 private:
  IsRemoved is_removed_;
};

}  // namespace

std::unique_ptr<const NormalizerStep> make_filter(Reader& reader) {
  return std::make_unique<const Filter>(kSets[reader.number(kLastSet, "a set of characters to remove")]);
}

}  // namespace linnet::tables
