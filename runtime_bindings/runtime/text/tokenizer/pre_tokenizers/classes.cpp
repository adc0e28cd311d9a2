#include "tokenizer/pre_tokenizers/classes.h"

namespace linnet::tables {
namespace {

// By Properties::category.
constexpr std::uint16_t kOfCategory[] = {0,
                                         kLetter | kUpperLetter,
                                         kLetter | kLowerLetter,
                                         kLetter | kUpperLetter,
                                         kLetter | kCaselessLetter,
                                         kLetter | kCaselessLetter,
                                         kMark,
                                         kNumber,
                                         kPunctuation,
                                         kSymbol};

constexpr struct {
  unsigned flag;
  unsigned bit;
} kOfFlags[] = {{unicode::kWhitespace, kBlank},
                {unicode::kWordChar, kWord},
                {unicode::kPunctuation, kBertPunctuation}},
  kOfMore[] = {{unicode::kRegexSpace, kSpace}, {unicode::kNumeric, kNumeric}};

std::array<std::uint16_t, 128> make_ascii_classes() noexcept {
  std::array<std::uint16_t, 128> classes{};
  for (std::size_t c = 0; c < classes.size(); ++c) {
    classes[c] = static_cast<std::uint16_t>(class_of(static_cast<char32_t>(c)));
  }
  return classes;
}

}  // namespace

unsigned class_of(char32_t c) noexcept {
  const unicode::Properties properties = unicode::properties(c);
  unsigned result = kOfCategory[properties.category];
  for (const auto& [flag, bit] : kOfFlags) {
    result |= (properties.flags & flag) != 0 ? bit : 0;
  }
  for (const auto& [flag, bit] : kOfMore) {
    result |= (properties.more & flag) != 0 ? bit : 0;
  }
  return result | (c == U'\r' || c == U'\n' ? kNewline : 0);
}

const std::array<std::uint16_t, 128>& ascii_classes() noexcept {
  static const std::array<std::uint16_t, 128> classes = make_ascii_classes();
  return classes;
}

}  // namespace linnet::tables
