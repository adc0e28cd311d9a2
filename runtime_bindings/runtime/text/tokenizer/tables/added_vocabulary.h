// Added tokens of the tables: what is found in a text before it is cut into words.
//
//   count; for each, in ascending order of its id: id, flags (as AddedToken, from bit 0: special, normalized,
//   lstrip, rstrip, single_word), pattern (string): what is searched, the token itself or its normalized form
#ifndef LINNET_RUNTIME_TOKENIZER_TABLES_ADDED_VOCABULARY_H_
#define LINNET_RUNTIME_TOKENIZER_TABLES_ADDED_VOCABULARY_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "tokenizer/added_tokens.h"
#include "tokenizer/blob.h"
#include "tokenizer/tables/vocabulary.h"

namespace linnet::tables {

class AddedVocabulary {
 public:
  AddedVocabulary(std::string_view bytes, const TableVocabulary& vocabulary);

  // Return the added token of an id, nullptr if it is none.
  const AddedToken* find(std::uint64_t id) const noexcept;
  // Return the id of the added token that is this text, -1 if there is none.
  std::int64_t find(std::string_view token) const noexcept { return ids_.find(token); }

  // Patterns that are searched in the original text, and those that are searched in the normalized one.
  const PatternSet<char>& raw() const noexcept { return raw_; }
  const PatternSet<char>& normalized() const noexcept { return normalized_; }

 private:
  std::vector<AddedToken> tokens_;  // content is the pattern
  AddedIds ids_;
  PatternSet<char> raw_;
  PatternSet<char> normalized_;
};

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_TABLES_ADDED_VOCABULARY_H_
