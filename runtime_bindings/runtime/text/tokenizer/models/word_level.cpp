// WordLevel: a word is a token, or the unknown one.
//
//   id of the unknown token
#include "tokenizer/models/models.h"

namespace linnet::tables {
namespace {

class WordLevel final : public Model {
 public:
  WordLevel(std::uint32_t unknown_id, const TableVocabulary& vocabulary)
      : vocabulary_(vocabulary), unknown_id_(unknown_id) {}

  void tokenize(std::string_view word, std::vector<ModelToken>& tokens) const override {
    const std::uint32_t id = vocabulary_.find(word);
    tokens.push_back({id == kNone ? unknown_id_ : id, 0, word.size()});
  }

 private:
  const TableVocabulary& vocabulary_;
  std::uint32_t unknown_id_;
};

}  // namespace

std::unique_ptr<const Model> make_word_level(Reader& reader, const TableVocabulary& vocabulary) {
  const std::uint32_t unknown_id = reader.number();
  require(unknown_id < vocabulary.size(), "the unknown token is above the vocabulary");
  return std::make_unique<const WordLevel>(unknown_id, vocabulary);
}

}  // namespace linnet::tables
