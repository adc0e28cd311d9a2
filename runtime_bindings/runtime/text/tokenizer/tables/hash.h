// Hash functions of the tables: the writer lays the entries out by them.
//
// A table has any number of slots, more than entries; entry e with hash h lies in the first free slot from
// ((h >> 32) * slots) >> 32 on, in a circle. A slot is 0 if it is free, else the number of the entry plus
// one, in 24 bits, and the low 8 bits of its hash on top, which spare most looks at entries that differ.
#ifndef LINNET_RUNTIME_TOKENIZER_TABLES_HASH_H_
#define LINNET_RUNTIME_TOKENIZER_TABLES_HASH_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tokenizer/tables/format.h"

namespace linnet::tables {

// 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming, volume 3, section 6.4).
inline constexpr std::uint64_t kSpread = 11400714819323198485ULL;

inline std::uint64_t mix(std::uint64_t hash, std::uint64_t word) noexcept {
  hash = (hash ^ word) * kSpread;
  return hash ^ (hash >> 32U);
}

// Hash of a string: its size, then its bytes, 8 at a time as little-endian numbers, zeros behind the last.
inline std::uint64_t hash_of(std::string_view text) noexcept {
  std::uint64_t hash = text.size() * kSpread;
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= 8; at += 8, left -= 8) {
    hash = mix(hash, load32(at) | std::uint64_t{load32(at + 4)} << 32U);
  }
  if (left >= 4) {
    const std::uint64_t high = std::uint64_t{load32(at + left - 4)} >> (8 * (8 - left));
    return mix(hash, load32(at) | high << 32U);
  }
  if (left > 0) {
    const auto byte = [at](std::size_t index) {
      return std::uint64_t{static_cast<unsigned char>(at[index])};
    };
    const std::size_t middle = left / 2;
    return mix(hash, byte(0) | byte(middle) << (8 * middle) | byte(left - 1) << (8 * (left - 1)));
  }
  return hash;
}

// Hash of a pair of ids.
inline std::uint64_t hash_of(std::uint32_t left, std::uint32_t right) noexcept {
  return mix(0, left | std::uint64_t{right} << 32U);
}

class Slots {
 public:
  Slots() = default;
  // Read the slots of `entries` entries. Throw LINNET_TOKENIZER_INVALID for a number of an entry that does
  // not exist, and for a table that is full, in which a search would not end.
  Slots(Numbers slots, std::size_t entries);

  // Return the number of the entry with this hash for which `equal` is true, kNone if there is none.
  template <typename Equal>
  std::uint32_t find(std::uint64_t hash, Equal equal) const {
    const std::size_t size = slots_.size();
    if (size == 0) {
      return kNone;
    }
    const auto tag = static_cast<std::uint32_t>(hash) << 24U;
    auto slot = static_cast<std::size_t>(((hash >> 32U) * size) >> 32U);
    // the bound keeps a table that changed after it was checked from being searched without an end
    for (std::size_t seen = 0; seen < size; ++seen) {
      const std::uint32_t value = slots_[slot];
      if (value == 0) {
        break;
      }
      const std::uint32_t entry = (value & kEntry) - 1;
      if ((value & ~kEntry) == tag && entry < entries_ && equal(entry)) {
        return entry;
      }
      slot = slot + 1 == size ? 0 : slot + 1;
    }
    return kNone;
  }

 private:
  static constexpr std::uint32_t kEntry = 0xFFFFFF;

  Numbers slots_;
  std::size_t entries_ = 0;
};

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_TABLES_HASH_H_
