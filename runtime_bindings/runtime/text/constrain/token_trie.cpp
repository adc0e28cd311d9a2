#include "constrain/token_trie.h"

#include <algorithm>
#include <utility>

namespace linnet::constrain {

TokenTexts::TokenTexts(const Tokenizer& tokenizer, const std::vector<std::int64_t>& end_ids, bool first) {
  ends_.reserve(tokenizer.size());
  for (std::size_t id = 0; id < tokenizer.size(); ++id) {
    const auto number = static_cast<std::int64_t>(id);
    if (std::find(end_ids.begin(), end_ids.end(), number) == end_ids.end()) {
      pool_ += tokenizer.stream_bytes(number, first);
    }
    ends_.push_back(pool_.size());
  }
}

TokenTrie::TokenTrie(const TokenTexts& texts) {
  struct Range {
    std::uint32_t node;
    std::size_t begin;
    std::size_t end;
    std::size_t depth;
  };
  for (std::size_t id = 0; id < texts.size(); ++id) {
    if (!texts[id].empty()) {
      tokens_.push_back(static_cast<std::uint32_t>(id));
    }
  }
  std::sort(tokens_.begin(), tokens_.end(), [&](std::uint32_t a, std::uint32_t b) {
    const int order = texts[a].compare(texts[b]);
    return order != 0 ? order < 0 : a < b;
  });
  nodes_.emplace_back();
  std::vector<Range> later = {{0, 0, tokens_.size(), 0}};
  for (std::size_t i = 0; i < later.size(); ++i) {
    auto [node, begin, end, depth] = later[i];
    nodes_[node].first_token = static_cast<std::uint32_t>(begin);
    while (begin < end && texts[tokens_[begin]].size() == depth) {
      ++begin;
    }
    nodes_[node].tokens = static_cast<std::uint32_t>(begin) - nodes_[node].first_token;
    nodes_[node].first_child = static_cast<std::uint32_t>(nodes_.size());
    while (begin < end) {
      const char byte = texts[tokens_[begin]][depth];
      std::size_t behind = begin + 1;
      while (behind < end && texts[tokens_[behind]][depth] == byte) {
        ++behind;
      }
      later.push_back({static_cast<std::uint32_t>(nodes_.size()), begin, behind, depth + 1});
      nodes_.emplace_back();
      nodes_.back().byte = static_cast<std::uint8_t>(byte);
      ++nodes_[node].children;
      begin = behind;
    }
  }
}

StreamVocabulary::StreamVocabulary(const Tokenizer& tokenizer, const std::vector<std::int64_t>& end_ids) {
  others = std::make_shared<const Part>(TokenTexts(tokenizer, end_ids, false));
  TokenTexts beginning(tokenizer, end_ids, true);
  first = beginning == others->texts ? others : std::make_shared<const Part>(std::move(beginning));
}

}  // namespace linnet::constrain
