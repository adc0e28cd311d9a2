#include "tokenizer/graphemes.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "tokenizer/unicode.h"

namespace linnet::unicode {
namespace {

#include "tokenizer/grapheme_tables.inc"

constexpr std::uint32_t kClassBits = 5;

// In the order of CLASSES in tools/generate_grapheme_tables.py; those of syllables are not in the table.
enum class Class : std::uint8_t {
  kOther,
  kCarriageReturn,
  kLineFeed,
  kControl,
  kJoiner,
  kLinker,
  kConjunctExtend,
  kExtend,
  kSpacingMark,
  kPrepend,
  kRegionalIndicator,
  kLeading,
  kVowel,
  kTrailing,
  kPictographic,
  kConsonant,
  kLeadingVowel,
  kLeadingVowelTrailing
};

constexpr char32_t kFirstMark = 0x300;
constexpr char32_t kFirstSyllable = 0xAC00;
constexpr char32_t kSyllables = 11172;
constexpr char32_t kTrailings = 28;  // syllables of a leading consonant and a vowel

Class class_of(char32_t c) noexcept {
  if (c - kFirstSyllable < kSyllables) {
    return (c - kFirstSyllable) % kTrailings == 0 ? Class::kLeadingVowel : Class::kLeadingVowelTrailing;
  }
  const auto* const behind =
      std::upper_bound(std::begin(kRuns), std::end(kRuns), c << kClassBits | ((1U << kClassBits) - 1U));
  return static_cast<Class>(*(behind - 1) & ((1U << kClassBits) - 1U));
}

bool is_extend(Class c) noexcept { return c >= Class::kLinker && c <= Class::kExtend; }
bool is_control(Class c) noexcept { return c >= Class::kCarriageReturn && c <= Class::kControl; }

bool joins_syllable(Class before, Class after) noexcept {
  switch (before) {
    case Class::kLeading:
      return after == Class::kLeading || after == Class::kVowel || after == Class::kLeadingVowel ||
             after == Class::kLeadingVowelTrailing;
    case Class::kLeadingVowel:
    case Class::kVowel:
      return after == Class::kVowel || after == Class::kTrailing;
    case Class::kLeadingVowelTrailing:
    case Class::kTrailing:
      return after == Class::kTrailing;
    default:
      return false;
  }
}

// What of a cluster, so far, decides whether it goes on.
class Cluster {
 public:
  explicit Cluster(Class first) noexcept
      : last_(first),
        pictographic_(first == Class::kPictographic),
        consonant_(first == Class::kConsonant),
        indicators_(first == Class::kRegionalIndicator ? 1 : 0) {}

  // Add a character, unless a boundary lies before it; return whether it was added.
  bool add(Class next) noexcept {
    if (!continues(next)) {
      return false;
    }
    const bool keeps = is_extend(next) || next == Class::kJoiner;
    pictographic_ = next == Class::kPictographic || (pictographic_ && keeps);
    const bool conjunct = next == Class::kLinker || next == Class::kConjunctExtend || next == Class::kJoiner;
    linked_ = consonant_ && conjunct && (linked_ || next == Class::kLinker);
    consonant_ = next == Class::kConsonant || (consonant_ && conjunct);
    indicators_ = next == Class::kRegionalIndicator ? indicators_ + 1 : 0;
    last_ = next;
    return true;
  }

 private:
  bool continues(Class next) const noexcept {
    if (last_ == Class::kCarriageReturn && next == Class::kLineFeed) {
      return true;
    }
    if (is_control(last_) || is_control(next)) {
      return false;
    }
    if (is_extend(next) || next == Class::kJoiner || next == Class::kSpacingMark ||
        last_ == Class::kPrepend) {
      return true;
    }
    return joins_syllable(last_, next) || (linked_ && next == Class::kConsonant) ||
           (pictographic_ && last_ == Class::kJoiner && next == Class::kPictographic) ||
           (next == Class::kRegionalIndicator && indicators_ % 2 == 1);
  }

  Class last_;
  bool pictographic_;  // it ends with a pictogram, and marks behind it
  bool consonant_;     // it ends with a consonant, and marks of its conjunct
  bool linked_ = false;
  unsigned indicators_;
};

}  // namespace

std::size_t grapheme_size(std::string_view text) noexcept {
  const Decoded first = decode(text);
  std::size_t size = std::max<std::size_t>(first.length, 1);
  if (size == text.size()) {
    return size;
  }
  const char32_t second = decode(text.substr(size)).c;
  if (first.c >= ' ' && first.c < kFirstMark && second < kFirstMark) {
    return size;  // nothing below the first mark joins, except the two characters of a line end
  }
  Cluster cluster(class_of(first.c));
  while (size < text.size()) {
    const Decoded next = decode(text.substr(size));
    if (next.length == 0 || !cluster.add(class_of(next.c))) {
      break;
    }
    size += next.length;
  }
  return size;
}

}  // namespace linnet::unicode
