#include "tokenizer/unicode.h"

#include <algorithm>
#include <iterator>

namespace linnet::unicode {
namespace {

#include "tokenizer/unicode_tables.inc"

// Hangul syllables decompose by arithmetic: Unicode, section 3.12.
constexpr char32_t kSyllableFirst = 0xAC00;
constexpr char32_t kSyllableCount = 11172;
constexpr char32_t kLeadFirst = 0x1100;
constexpr char32_t kVowelFirst = 0x1161;
constexpr char32_t kTrailFirst = 0x11A7;
constexpr char32_t kVowelCount = 21;
constexpr char32_t kTrailCount = 28;

Mapped decompose_syllable(char32_t index) noexcept {
  const char32_t trail = index % kTrailCount;
  const char32_t vowel = index / kTrailCount % kVowelCount;
  const char32_t lead = index / kTrailCount / kVowelCount;
  return {{kLeadFirst + lead, kVowelFirst + vowel, kTrailFirst + trail, 0}, trail == 0 ? 2U : 3U};
}

// Look up `c` in a sorted table of mappings; return `c` itself if it is not there.
template <std::size_t N>
Mapped find_mapping(char32_t c, const char32_t (&keys)[N], const std::uint16_t* starts,
                    const char32_t* characters) noexcept {
  const auto* found = std::lower_bound(std::begin(keys), std::end(keys), c);
  if (found == std::end(keys) || *found != c) {
    return {{c, 0, 0, 0}, 1};
  }
  const auto row = found - std::begin(keys);
  Mapped mapped{{0, 0, 0, 0}, static_cast<std::size_t>(starts[row + 1] - starts[row])};
  std::copy_n(characters + starts[row], mapped.size, mapped.chars);
  return mapped;
}

bool is_continuation_at(std::string_view bytes, std::size_t index) noexcept {
  return index < bytes.size() && is_continuation(bytes[index]);
}

char32_t low_six(char byte) noexcept { return static_cast<unsigned char>(byte) & 0x3FU; }

}  // namespace

Properties properties(char32_t c) noexcept {
  const std::size_t block = kBlockIndex[c >> kBlockShift];
  const std::size_t within = c & ((1U << kBlockShift) - 1);
  return kRecords[kBlocks[(block << kBlockShift) + within]];
}

Mapped decompose(char32_t c) noexcept {
  if (c >= kSyllableFirst && c < kSyllableFirst + kSyllableCount) {
    return decompose_syllable(c - kSyllableFirst);
  }
  return find_mapping(c, kDecompositionKeys, kDecompositionStarts, kDecompositionCharacters);
}

void decompose_compatibly(char32_t c, std::u32string& characters) {
  const auto* found = std::lower_bound(std::begin(kCompatibilityKeys), std::end(kCompatibilityKeys), c);
  if (found != std::end(kCompatibilityKeys) && *found == c) {
    const auto row = found - std::begin(kCompatibilityKeys);
    characters.append(kCompatibilityCharacters + kCompatibilityStarts[row],
                      kCompatibilityCharacters + kCompatibilityStarts[row + 1]);
    return;
  }
  const Mapped canonical = decompose(c);
  characters.append(canonical.chars, canonical.size);
}

char32_t compose(char32_t first, char32_t second) noexcept {
  // Hangul composes by arithmetic: Unicode, section 3.12
  if (first >= kLeadFirst && first < kLeadFirst + kSyllableCount / kVowelCount / kTrailCount &&
      second >= kVowelFirst && second < kVowelFirst + kVowelCount) {
    return kSyllableFirst + ((first - kLeadFirst) * kVowelCount + (second - kVowelFirst)) * kTrailCount;
  }
  if (first >= kSyllableFirst && first < kSyllableFirst + kSyllableCount &&
      (first - kSyllableFirst) % kTrailCount == 0 && second > kTrailFirst &&
      second < kTrailFirst + kTrailCount) {
    return first + (second - kTrailFirst);
  }
  auto [begin, end] = std::equal_range(std::begin(kCompositionFirsts), std::end(kCompositionFirsts), first);
  const auto* seconds = kCompositionSeconds + (begin - std::begin(kCompositionFirsts));
  const auto* last = kCompositionSeconds + (end - std::begin(kCompositionFirsts));
  const auto* found = std::lower_bound(seconds, last, second);
  return found != last && *found == second ? kCompositionResults[found - kCompositionSeconds] : 0;
}

Mapped to_lower(char32_t c) noexcept {
  return find_mapping(c, kLowercaseKeys, kLowercaseStarts, kLowercaseCharacters);
}

Decoded decode(std::string_view bytes) noexcept {
  const auto first = static_cast<unsigned char>(bytes[0]);
  if (first < 0x80) {
    return {first, 1};
  }
  if (first < 0xC2 || first > 0xF4 || !is_continuation_at(bytes, 1)) {
    return {0, 0};
  }
  const char32_t second = low_six(bytes[1]);
  if (first < 0xE0) {
    return {((first & 0x1FU) << 6U) | second, 2};
  }
  if (!is_continuation_at(bytes, 2)) {
    return {0, 0};
  }
  const char32_t third = low_six(bytes[2]);
  if (first < 0xF0) {
    const char32_t c = ((first & 0x0FU) << 12U) | (second << 6U) | third;
    const bool surrogate = c >= 0xD800 && c < 0xE000;
    return c < 0x800 || surrogate ? Decoded{0, 0} : Decoded{c, 3};
  }
  if (!is_continuation_at(bytes, 3)) {
    return {0, 0};
  }
  const char32_t c = ((first & 0x07U) << 18U) | (second << 12U) | (third << 6U) | low_six(bytes[3]);
  return c < 0x10000 || c > 0x10FFFF ? Decoded{0, 0} : Decoded{c, 4};
}

Decoded decode_last(std::string_view bytes) noexcept {
  std::size_t begin = bytes.size() - 1;
  while (begin > 0 && is_continuation(bytes[begin])) {
    --begin;
  }
  return decode(bytes.substr(begin));
}

bool is_valid_utf8(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const Decoded next = decode(bytes);
    if (next.length == 0) {
      return false;
    }
    bytes.remove_prefix(next.length);
  }
  return true;
}

void append_utf8(std::string& bytes, char32_t c) {
  const auto put = [&bytes](char32_t value) { bytes.push_back(static_cast<char>(value)); };
  if (c < 0x80) {
    put(c);
    return;
  }
  if (c < 0x800) {
    put(0xC0U | (c >> 6U));
  } else {
    if (c < 0x10000) {
      put(0xE0U | (c >> 12U));
    } else {
      put(0xF0U | (c >> 18U));
      put(0x80U | ((c >> 12U) & 0x3FU));
    }
    put(0x80U | ((c >> 6U) & 0x3FU));
  }
  put(0x80U | (c & 0x3FU));
}

namespace {

// Return the size of the character that a byte begins, 1 if it begins none.
std::size_t wanted_length(char byte) noexcept {
  const auto first = static_cast<unsigned char>(byte);
  if (first < 0xC2 || first > 0xF4) {
    return 1;
  }
  return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

// Return how many bytes at the beginning, which are not UTF-8, one U+FFFD stands for: a lead byte with those
// of its continuation bytes that are there and allowed.
std::size_t invalid_length(std::string_view bytes) noexcept {
  const auto first = static_cast<unsigned char>(bytes[0]);
  const std::size_t wanted = wanted_length(bytes[0]);
  unsigned least = 0x80;
  unsigned most = 0xBF;
  if (first == 0xE0) {
    least = 0xA0;
  } else if (first == 0xED) {
    most = 0x9F;
  } else if (first == 0xF0) {
    least = 0x90;
  } else if (first == 0xF4) {
    most = 0x8F;
  }
  std::size_t length = 1;
  for (; length < wanted && length < bytes.size(); ++length) {
    const auto byte = static_cast<unsigned char>(bytes[length]);
    if (byte < least || byte > most) {
      break;
    }
    least = 0x80;
    most = 0xBF;
  }
  return length;
}

// Return true if more bytes may make a character of these, which are not one.
bool can_go_on(std::string_view bytes) noexcept {
  return bytes.size() < wanted_length(bytes[0]) && invalid_length(bytes) == bytes.size();
}

}  // namespace

std::string replace_invalid(std::string_view bytes) {
  constexpr char32_t kReplacement = 0xFFFD;
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const Decoded next = decode(bytes);
    const std::size_t length = next.length > 0 ? next.length : invalid_length(bytes);
    if (next.length > 0) {
      text.append(bytes.substr(0, length));
    } else {
      append_utf8(text, kReplacement);
    }
    bytes.remove_prefix(length);
  }
  return text;
}

std::size_t incomplete_end(std::string_view bytes) noexcept {
  constexpr std::size_t kMost = 3;
  for (std::size_t size = 1; size <= std::min(kMost, bytes.size()); ++size) {
    const std::string_view end = bytes.substr(bytes.size() - size);
    if (!is_continuation(end[0])) {
      return can_go_on(end) ? size : 0;
    }
  }
  return 0;
}

}  // namespace linnet::unicode
