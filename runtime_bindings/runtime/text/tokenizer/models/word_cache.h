// Tokens of the words that a thread met last: most words of a text have been there before.
#ifndef LINNET_RUNTIME_TOKENIZER_MODELS_WORD_CACHE_H_
#define LINNET_RUNTIME_TOKENIZER_MODELS_WORD_CACHE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "tokenizer/tables/hash.h"
#include "tokenizer/tables/steps.h"

namespace linnet::tables {

// One for each thread, shared by its models: 64 KB, in which a word replaces another one with the same hash.
class WordCache {
 public:
  // Append the tokens that `model` made of a word, and return whether they are there. `model` is a number
  // that no other model has had.
  bool find(std::uint64_t model, std::string_view word, std::vector<ModelToken>& tokens) const {
    if (word.size() > kMostBytes) {
      return false;
    }
    const Entry& entry = entries_[place_of(word)];
    if (entry.model != model || entry.size != word.size() ||
        std::memcmp(entry.bytes.data(), word.data(), word.size()) != 0) {
      return false;
    }
    std::size_t begin = 0;
    for (std::size_t i = 0; i < entry.count; ++i) {
      tokens.push_back({entry.ids[i], begin, entry.ends[i]});
      begin = entry.ends[i];
    }
    return true;
  }

  // Keep the tokens of a word from number `first` on, if they are few and stand side by side.
  void keep(std::uint64_t model, std::string_view word, const std::vector<ModelToken>& tokens,
            std::size_t first) noexcept {
    const std::size_t count = tokens.size() - first;
    if (word.size() > kMostBytes || count > kMostTokens) {
      return;
    }
    Entry entry{model, static_cast<std::uint8_t>(word.size()), static_cast<std::uint8_t>(count), {}, {}, {}};
    std::memcpy(entry.bytes.data(), word.data(), word.size());
    std::size_t begin = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const ModelToken& token = tokens[first + i];
      if (token.begin != begin) {
        return;
      }
      begin = token.end;
      entry.ids[i] = token.id;
      entry.ends[i] = static_cast<std::uint8_t>(token.end);
    }
    entries_[place_of(word)] = entry;
  }

 private:
  static constexpr std::size_t kEntries = 1024;
  static constexpr std::size_t kMostBytes = 22;
  static constexpr std::size_t kMostTokens = 5;

  // A line of the processor's cache.
  struct alignas(64) Entry {
    std::uint64_t model;  // 0: free
    std::uint8_t size;
    std::uint8_t count;
    std::array<char, kMostBytes> bytes;
    std::array<std::uint32_t, kMostTokens> ids;
    std::array<std::uint8_t, kMostTokens> ends;
  };

  static std::size_t place_of(std::string_view word) noexcept {
    return static_cast<std::size_t>(hash_of(word) >> 32U) % kEntries;
  }

  std::array<Entry, kEntries> entries_{};
};

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_MODELS_WORD_CACHE_H_
