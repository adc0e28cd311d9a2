// Precompiled: the character map of a SentencePiece model, as the crate spm_precompiled and `tokenizers`
// apply it.
//
//   array of the units of a trie (Darts-clone, https://github.com/s-yata/darts-clone), block of the new
//   texts, each ended by a zero byte
//
// A grapheme cluster below 6 bytes is replaced if any of its beginnings is in the map, by the text of the
// shortest one; otherwise each of its characters is, in the same way.
#include <algorithm>
#include <array>
#include <vector>

#include "tokenizer/graphemes.h"
#include "tokenizer/normalizers/normalizers.h"
#include "tokenizer/unicode.h"

namespace linnet::tables {
namespace {

constexpr std::size_t kLongestCluster = 5;  // bytes of a cluster that is looked for as a whole

// Fields of a unit.
bool has_value(std::uint32_t unit) noexcept { return (unit >> 8U & 1U) != 0; }
std::uint32_t value(std::uint32_t unit) noexcept { return unit & 0x7FFFFFFFU; }
std::uint32_t label(std::uint32_t unit) noexcept { return unit & 0x800000FFU; }
std::uint32_t offset(std::uint32_t unit) noexcept { return (unit >> 10U) << ((unit & (1U << 9U)) >> 6U); }

std::size_t count_characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return !unicode::is_continuation(byte); }));
}

class Precompiled final : public NormalizerStep {
 public:
  explicit Precompiled(Reader& reader) : units_(reader.array()), texts_(reader.text()) {
    require(units_.size() > 0, "a character map is empty");
    for (unsigned byte = 1; byte < begins_.size(); ++byte) {
      const std::size_t at = offset(units_[0]) ^ byte;
      begins_[byte] = at < units_.size() && label(units_[at]) == byte;
    }
  }

  void apply(AlignedText& text, Edges) const override {
    std::vector<Change> changes;
    changes.reserve(text.bytes.size());
    bool changed = false;
    for_each_part(text.bytes, [&](std::string_view part, const std::string_view* made) {
      changed = changed || made != nullptr;
      if (made != nullptr) {
        replace(changes, part, *made);
      } else {
        changes.push_back({unicode::decode(part).c, 0});
      }
      return true;
    });
    if (changed) {
      transform(text, changes);
    }
  }

  bool keeps(std::string_view bytes, Edges) const noexcept override {
    bool kept = true;
    for_each_part(bytes, [&](std::string_view, const std::string_view* made) {
      kept = made == nullptr;
      return kept;
    });
    return kept;
  }

  // `tokenizers` does not count characters that it removes before the first that stays: the places of all
  // that follows lag behind.
  bool needs_whole(std::string_view bytes) const noexcept override {
    while (!bytes.empty()) {
      const unicode::Decoded next = unicode::decode(bytes);
      const std::size_t size = std::max<std::size_t>(next.length, 1);
      std::string_view made;
      if (find(bytes.substr(0, std::max(size, unicode::grapheme_size(bytes))), made) && made.empty()) {
        return true;
      }
      if ((unicode::properties(next.c).more & unicode::kCombiningMark) == 0) {
        return false;  // a step before this one could have removed a mark
      }
      bytes.remove_prefix(size);
    }
    return false;
  }

 private:
  // Find the new text of the shortest beginning of `text` that is in the map.
  bool find(std::string_view text, std::string_view& made) const noexcept {
    std::size_t at = offset(units_[0]);
    for (const char c : text) {
      const std::uint32_t byte = static_cast<unsigned char>(c);
      at ^= byte;
      if (byte == 0 || at >= units_.size() || label(units_[at]) != byte) {
        return false;
      }
      const std::uint32_t unit = units_[at];
      at ^= offset(unit);
      if (has_value(unit)) {
        const std::size_t begin = at < units_.size() ? value(units_[at]) : texts_.size();
        made = begin < texts_.size() ? texts_.substr(begin) : std::string_view();
        made = made.substr(0, made.find('\0'));
        return true;
      }
    }
    return false;
  }

  // Call each(part, its new text or nullptr) for every part of `text` until it returns false; a part without
  // a new text is a character.
  template <typename Each>
  void for_each_part(std::string_view text, const Each& each) const {
    std::string_view made;
    while (!text.empty()) {
      const auto byte = static_cast<unsigned char>(text.front());
      const bool alone =
          byte < 0x80 && byte != '\r' && (text.size() == 1 || static_cast<unsigned char>(text[1]) < 0x80);
      const std::size_t size = alone ? 1 : unicode::grapheme_size(text);
      const std::string_view cluster = text.substr(0, size);
      text.remove_prefix(size);
      if (alone && !begins_[byte]) {
        if (!each(cluster, nullptr)) {
          return;
        }
      } else if (size <= kLongestCluster && find(cluster, made)) {
        if (!each(cluster, &made)) {
          return;
        }
      } else if (!for_each_character(cluster, each)) {
        return;
      }
    }
  }

  template <typename Each>
  bool for_each_character(std::string_view cluster, const Each& each) const {
    std::string_view made;
    while (!cluster.empty()) {
      const std::size_t size = std::max<std::size_t>(unicode::decode(cluster).length, 1);
      const std::string_view character = cluster.substr(0, size);
      cluster.remove_prefix(size);
      if (!each(character, find(character, made) ? &made : nullptr)) {
        return false;
      }
    }
    return true;
  }

  // As replace() in normalizers/precompiled.rs of `tokenizers`.
  static void replace(std::vector<Change>& changes, std::string_view part, std::string_view made) {
    const auto before = static_cast<std::ptrdiff_t>(count_characters(part));
    std::ptrdiff_t after = 0;
    for (; !made.empty(); ++after) {
      const unicode::Decoded next = unicode::decode(made);
      if (next.length == 0) {
        break;
      }
      changes.push_back({next.c, 0});
      made.remove_prefix(next.length);
    }
    for (std::ptrdiff_t i = 0; i < after - before; ++i) {
      changes[changes.size() - 1 - static_cast<std::size_t>(i)].change = 1;
    }
    if (after < before && !changes.empty()) {
      changes.back().change += after - before;
    }
  }

  Numbers units_;
  std::string_view texts_;
  std::array<bool, 128> begins_{};  // an entry begins with this byte
};

}  // namespace

std::unique_ptr<const NormalizerStep> make_precompiled(Reader& reader) {
  return std::make_unique<const Precompiled>(reader);
}

}  // namespace linnet::tables
