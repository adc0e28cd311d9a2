// Lowercase, character by character, and spaces around CJK characters: steps of which a character can become
// several.
#include "tokenizer/normalizers/characters.h"
#include "tokenizer/normalizers/normalizers.h"

namespace linnet::tables {
namespace {

class Lowercase final : public NormalizerStep {
 public:
  void apply(AlignedText& text, Edges) const override {
    std::vector<Change> changes;
    for_each_character(text.bytes, [&](char32_t c) {
      const unicode::Mapped lowered =
          unicode::has(c, unicode::kLowers) ? unicode::to_lower(c) : unicode::Mapped{{c}, 1};
      for (std::size_t i = 0; i < lowered.size; ++i) {
        changes.push_back({lowered.chars[i], i == 0 ? 0 : 1});
      }
    });
    transform(text, changes);
  }

  bool keeps(std::string_view bytes, Edges) const noexcept override {
    return none_of_characters(bytes, [](char32_t c) { return unicode::has(c, unicode::kLowers); });
  }
};

class ChineseCharacters final : public NormalizerStep {
 public:
  void apply(AlignedText& text, Edges) const override {
    std::vector<Change> changes;
    for_each_character(text.bytes, [&](char32_t c) {
      if (unicode::has(c, unicode::kCjk)) {
        changes.insert(changes.end(), {{U' ', 0}, {c, 1}, {U' ', 1}});
      } else {
        changes.push_back({c, 0});
      }
    });
    transform(text, changes);
  }

  bool keeps(std::string_view bytes, Edges) const noexcept override {
    return none_of_characters(bytes, [](char32_t c) { return unicode::has(c, unicode::kCjk); });
  }
};

}  // namespace

std::unique_ptr<const NormalizerStep> make_lowercase(Reader&) { return std::make_unique<const Lowercase>(); }

std::unique_ptr<const NormalizerStep> make_chinese_characters(Reader&) {
  return std::make_unique<const ChineseCharacters>();
}

}  // namespace linnet::tables
