// Spaces: characters of one set become a space each.
#include "tokenizer/normalizers/characters.h"
#include "tokenizer/normalizers/normalizers.h"

namespace linnet::tables {
namespace {

// The white space of clean_text of BertNormalizer.
bool is_blank(char32_t c) noexcept { return c != U' ' && unicode::has(c, unicode::kWhitespace); }

// What Nmt turns into a space (do_nmt in tokenizers, normalizers/unicode.rs).
bool is_nmt_blank(char32_t c) noexcept {
  return c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 || (c >= 0x200B && c <= 0x200F) ||
         c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
}

using IsBlank = bool (*)(char32_t) noexcept;

constexpr IsBlank kSets[] = {is_blank, is_nmt_blank};
constexpr std::uint32_t kLastSet = 1;

class Spaces final : public NormalizerStep {
 public:
  explicit Spaces(IsBlank is_blank) : is_blank_(is_blank) {}

  void apply(AlignedText& text, Edges) const override {
    std::vector<Change> changes;
    for_each_character(text.bytes, [&](char32_t c) { changes.push_back({is_blank_(c) ? U' ' : c, 0}); });
    transform(text, changes);
  }

  bool keeps(std::string_view bytes, Edges) const noexcept override {
    return none_of_characters(bytes, is_blank_);
  }

 private:
  IsBlank is_blank_;
};

}  // namespace

std::unique_ptr<const NormalizerStep> make_spaces(Reader& reader) {
  return std::make_unique<const Spaces>(kSets[reader.number(kLastSet, "a set of white space")]);
}

}  // namespace linnet::tables
