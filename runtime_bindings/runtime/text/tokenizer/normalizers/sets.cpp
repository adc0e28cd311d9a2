// Filter and Spaces: the characters of one set are removed, as NormalizedString::filter of `tokenizers` does
// it, or become a space each.
#include "tokenizer/normalizers/characters.h"
#include "tokenizer/normalizers/normalizers.h"

namespace linnet::tables {
namespace {

using Set = bool (*)(char32_t) noexcept;

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

constexpr Set kRemoved[] = {is_combining_mark, is_nonspacing_mark, is_control, is_nmt_control};
constexpr std::uint32_t kLastRemoved = 3;

// The white space of clean_text of BertNormalizer.
bool is_blank(char32_t c) noexcept { return c != U' ' && unicode::has(c, unicode::kWhitespace); }

// What Nmt turns into a space (do_nmt in tokenizers, normalizers/unicode.rs).
bool is_nmt_blank(char32_t c) noexcept {
  return c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 || (c >= 0x200B && c <= 0x200F) ||
         c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
}

constexpr Set kBlanks[] = {is_blank, is_nmt_blank};
constexpr std::uint32_t kLastBlanks = 1;

// A step that changes the characters of a set alone.
class ChangesSet : public NormalizerStep {
 public:
  explicit ChangesSet(Set set) : set_(set) {}

  bool keeps(std::string_view bytes, Edges) const noexcept final { return none_of_characters(bytes, set_); }

 protected:
  bool has(char32_t c) const noexcept { return set_(c); }

 private:
  Set set_;
};

class Filter final : public ChangesSet {
 public:
  using ChangesSet::ChangesSet;

  void apply(AlignedText& text, Edges) const override {
    std::vector<Change> changes;
    std::size_t removed_first = 0;
    for_each_character(text.bytes, [&](char32_t c) {
      if (!has(c)) {
        changes.push_back({c, 0});
      } else if (changes.empty()) {
        ++removed_first;
      } else {
        --changes.back().change;
      }
    });
    transform(text, changes, removed_first);
  }
};

class Spaces final : public ChangesSet {
 public:
  using ChangesSet::ChangesSet;

  void apply(AlignedText& text, Edges) const override {
    std::vector<Change> changes;
    for_each_character(text.bytes, [&](char32_t c) { changes.push_back({has(c) ? U' ' : c, 0}); });
    transform(text, changes);
  }
};

}  // namespace

std::unique_ptr<const NormalizerStep> make_filter(Reader& reader) {
  return std::make_unique<const Filter>(
      kRemoved[reader.number(kLastRemoved, "a set of characters to remove")]);
}

std::unique_ptr<const NormalizerStep> make_spaces(Reader& reader) {
  return std::make_unique<const Spaces>(kBlanks[reader.number(kLastBlanks, "a set of white space")]);
}

}  // namespace linnet::tables
