// Vocabulary of the tables: the token of an id, added tokens included, and the id of a token of the model.
//
//   array of the N + 1 offsets into the pool, pool (block): token i is pool[offsets[i]:offsets[i + 1]], empty
//   if the id is unused; array of the slots of the model's tokens, by the hash of the token
#ifndef LINNET_RUNTIME_TOKENIZER_TABLES_VOCABULARY_H_
#define LINNET_RUNTIME_TOKENIZER_TABLES_VOCABULARY_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tokenizer/tables/format.h"
#include "tokenizer/tables/hash.h"

namespace linnet::tables {

class TableVocabulary {
 public:
  explicit TableVocabulary(std::string_view bytes);

  // Return the number of ids.
  std::size_t size() const noexcept { return offsets_.size() - 1; }

  // Return the bytes of the token of an id below size(), borrowed; empty if the id is unused.
  std::string_view bytes(std::size_t id) const noexcept {
    const std::uint32_t begin = offsets_[id];
    const std::uint32_t end = offsets_[id + 1];
    return begin <= end && end <= pool_.size() ? pool_.substr(begin, end - begin) : std::string_view();
  }

  // Return the same. Throw LINNET_TOKENIZER_INVALID if it is not UTF-8: the pool is not checked as a whole,
  // which would take longer than opening may.
  std::string_view token(std::size_t id) const;

  // Return the id of a token that the model may produce, kNone if there is none.
  std::uint32_t find(std::string_view token) const noexcept {
    return slots_.find(hash_of(token), [&](std::uint32_t id) { return bytes(id) == token; });
  }

 private:
  Numbers offsets_;
  std::string_view pool_;
  Slots slots_;
};

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_TABLES_VOCABULARY_H_
