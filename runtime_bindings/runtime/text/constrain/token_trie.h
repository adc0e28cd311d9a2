// Bytes that the tokens of a tokenizer add to a generated text, and a trie of them.
#ifndef LINNET_RUNTIME_CONSTRAIN_TOKEN_TRIE_H_
#define LINNET_RUNTIME_CONSTRAIN_TOKEN_TRIE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace linnet::constrain {

// The bytes of each token; those of special, unused and end tokens are empty.
class TokenTexts {
 public:
  // Read them for the first token of a text (`first`), or for the others. Throw LINNET_INVALID_ARGUMENT if
  // the bytes of a token depend on the tokens beside it.
  TokenTexts(const Tokenizer& tokenizer, const std::vector<std::int64_t>& end_ids, bool first);

  std::size_t size() const noexcept { return ends_.size(); }
  std::string_view operator[](std::size_t id) const noexcept {
    const std::size_t begin = id == 0 ? 0 : ends_[id - 1];
    return std::string_view(pool_).substr(begin, ends_[id] - begin);
  }
  bool operator==(const TokenTexts& other) const { return pool_ == other.pool_ && ends_ == other.ends_; }

 private:
  std::string pool_;
  std::vector<std::size_t> ends_;
};

// Nodes are the beginnings of tokens, the first one the empty beginning; the children of a node are beside
// each other, in the order of their bytes.
class TokenTrie {
 public:
  struct Node {
    std::uint32_t first_child = 0;
    std::uint32_t first_token = 0;  // place in tokens()
    std::uint32_t tokens = 0;       // that are these bytes
    std::uint16_t children = 0;
    std::uint8_t byte = 0;  // the last one
  };

  // Leave out tokens without bytes.
  explicit TokenTrie(const TokenTexts& texts);

  const Node& operator[](std::uint32_t node) const noexcept { return nodes_[node]; }
  // Ids in the order of their bytes.
  const std::vector<std::uint32_t>& tokens() const noexcept { return tokens_; }

 private:
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> tokens_;
};

// The texts of a tokenizer, and their tries: of the first token, and of the others.
struct StreamVocabulary {
  struct Part {
    explicit Part(TokenTexts all) : texts(std::move(all)), trie(texts) {}
    TokenTexts texts;
    TokenTrie trie;
  };

  StreamVocabulary(const Tokenizer& tokenizer, const std::vector<std::int64_t>& end_ids);

  std::shared_ptr<const Part> first;
  std::shared_ptr<const Part> others;  // the same object if it is the same
};

}  // namespace linnet::constrain

#endif  // LINNET_RUNTIME_CONSTRAIN_TOKEN_TRIE_H_
