// Vocabulary of a tokenizer: the token of an id, and the longest token that begins at a place in a word.
#ifndef LINNET_RUNTIME_TOKENIZER_VOCABULARY_H_
#define LINNET_RUNTIME_TOKENIZER_VOCABULARY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/blob.h"

namespace linnet {

class Vocabulary {
 public:
  // Move pool, offsets and continuation prefix out of `spec`. Throw LINNET_TOKENIZER_INVALID if two ids have
  // the same token.
  explicit Vocabulary(TokenizerSpec& spec);

  // Return the number of ids.
  std::size_t size() const noexcept { return offsets_.size() - 1; }

  // Return the token of an id below size(), borrowed; empty if the id is unused.
  std::string_view token(std::size_t id) const noexcept {
    return std::string_view(pool_).substr(offsets_[id], offsets_[id + 1] - offsets_[id]);
  }

  // Return the prefix of tokens inside a word, "##", borrowed; empty if there is none.
  std::string_view continuation() const noexcept { return continuation_; }

  // Return the id of a token that WordPiece may produce, or -1.
  std::int64_t id_of(std::string_view token) const noexcept;

  // A token that matches the bytes word[begin, end).
  struct Match {
    std::uint32_t id = 0;
    std::size_t end_char = 0;  // index into `char_ends`, one past the last character
    bool found = false;
  };

  // Find the longest token that begins at character `first_char` of `word` and ends where a character ends.
  // `char_ends[i]` is the byte where character i ends. Inside a word (`first_char` > 0) the token carries the
  // continuation prefix. `hashes` is scratch memory, which the caller keeps to save allocations.
  Match longest(std::string_view word, const std::vector<std::uint32_t>& char_ends, std::size_t first_char,
                std::vector<std::uint64_t>& hashes) const;

 private:
  // One entry of the open-addressing table; tag is the low half of the token's hash.
  struct Slot {
    std::uint32_t id_plus_one = 0;  // 0: free
    std::uint32_t tag = 0;
  };

  std::size_t slot_of(std::uint64_t hash) const noexcept;
  void insert(std::uint32_t id);
  // Return the id plus one of the token that is `prefix` followed by `rest` and has the hash `hash`; 0 if
  // none.
  std::uint32_t find(std::uint64_t hash, std::string_view prefix, std::string_view rest) const noexcept;

  std::string pool_;
  std::vector<std::uint32_t> offsets_;
  std::string continuation_;
  std::uint64_t continuation_hash_ = 0;
  std::size_t longest_token_ = 0;  // bytes
  unsigned hash_shift_ = 0;
  std::vector<Slot> slots_;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_VOCABULARY_H_
