#include "tokenizer/tables/vocabulary.h"

#include "tokenizer/unicode.h"

namespace linnet::tables {

TableVocabulary::TableVocabulary(std::string_view bytes) {
  Reader reader(bytes);
  offsets_ = reader.array();
  pool_ = reader.block();
  require(offsets_.size() > 1 && offsets_.size() <= kMostIds,
          "the vocabulary is empty, or has too many tokens");
  bool ordered = offsets_[0] == 0 && offsets_[size()] == pool_.size();
  for (std::size_t id = 0; id < size(); ++id) {
    ordered &= offsets_[id] <= offsets_[id + 1];
  }
  require(ordered, "the token offsets do not divide the pool");
  slots_ = Slots(reader.array(), size());
  reader.finish();
}

std::string_view TableVocabulary::token(std::size_t id) const {
  const std::string_view found = bytes(id);
  require(unicode::is_valid_utf8(found), "a token is not UTF-8");
  return found;
}

}  // namespace linnet::tables
