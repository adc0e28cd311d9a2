// Byte-pair encoding, with or without byte-level characters.
//
//   flags: 1 byte-level (a word is bytes, its symbols are the characters of byte_level.h), 2 ignore_merges,
//   4 byte_fallback, 8 fuse_unk; id of the unknown token or kNone; continuing_subword_prefix,
//   end_of_word_suffix (strings); bytes of the longest token; 256 ids of bytes: of their characters if
//   byte-level, of <0x00> and so on with byte_fallback, else kNone; bits of the tokens that come out whole
//   when they are a word (block); array of merges: left, right and merged id each, in the order of their
//   ranks; array of the slots of the merges, by the hash of left and right
//
// Time: a word of n symbols is merged in O(n log n), whatever it is made of; memory is 32 bytes a symbol.
#include <algorithm>
#include <array>
#include <optional>
#include <queue>
#include <string>
#include <utility>

#include "tokenizer/models/models.h"
#include "tokenizer/tables/byte_ids.h"
#include "tokenizer/tables/byte_level.h"
#include "tokenizer/tables/hash.h"
#include "tokenizer/unicode.h"

namespace linnet::tables {
namespace {

constexpr std::uint32_t kByteLevel = 1;
constexpr std::uint32_t kIgnoreMerges = 2;
constexpr std::uint32_t kByteFallback = 4;
constexpr std::uint32_t kFuseUnknown = 8;
constexpr std::uint32_t kAllFlags = 15;

constexpr std::size_t kMergeNumbers = 3;
// Up to this many symbols, looking at all pairs for the best one is faster than a heap.
constexpr std::size_t kFewSymbols = 32;

// A piece of a word on its way to a token: its id, and where it ends in the word (it begins where the one
// before ends).
struct Symbol {
  std::uint32_t id;
  std::size_t size;
};

// UTF-8 of the character of each byte.
struct ByteText {
  char bytes[2];
  std::uint8_t size;
};

constexpr std::array<ByteText, 256> byte_texts() {
  std::array<ByteText, 256> texts{};
  for (std::size_t byte = 0; byte < texts.size(); ++byte) {
    const unsigned c = kByteCharacters[byte];
    if (c < 0x80) {
      texts[byte] = {{static_cast<char>(c), 0}, 1};
    } else {
      texts[byte] = {{static_cast<char>(0xC0U | (c >> 6U)), static_cast<char>(0x80U | (c & 0x3FU))}, 2};
    }
  }
  return texts;
}

constexpr std::array<ByteText, 256> kByteTexts = byte_texts();

class Bpe final : public Model {
 public:
  Bpe(Reader& reader, const TableVocabulary& vocabulary);

  void tokenize(std::string_view word, std::vector<ModelToken>& tokens) const override {
    if (has(kByteLevel)) {
      tokenize_bytes(word, tokens);
    } else if (!find_whole(word, word.size(), tokens)) {
      std::vector<Symbol> symbols;
      split(word, symbols);
      merge_and_append(symbols, tokens);
    }
  }

  std::string_view continuation() const noexcept override { return prefix_; }

 private:
  struct Merge {
    std::uint32_t rank = kNone;  // kNone: the pair is not merged
    std::uint32_t id = 0;
  };

  Merge merge_of(std::uint32_t left, std::uint32_t right) const {
    const std::uint32_t rank = merge_slots_.find(hash_of(left, right), [&](std::uint32_t merge) {
      return merges_[kMergeNumbers * merge] == left && merges_[kMergeNumbers * merge + 1] == right;
    });
    return rank == kNone ? Merge{} : Merge{rank, merges_[kMergeNumbers * rank + 2]};
  }

  bool has(std::uint32_t flag) const noexcept { return (flags_ & flag) != 0; }

  bool comes_whole(std::uint32_t id) const noexcept {
    return has(kIgnoreMerges) ||
           ((unsigned{static_cast<unsigned char>(whole_[id / 8])} >> (id % 8)) & 1U) != 0;
  }

  bool find_whole(std::string_view token, std::size_t word_size, std::vector<ModelToken>& tokens) const;
  void tokenize_bytes(std::string_view word, std::vector<ModelToken>& tokens) const;
  void tokenize_unknown_bytes(std::string_view word, const std::string& text,
                              std::vector<ModelToken>& tokens) const;
  void split(std::string_view word, std::vector<Symbol>& symbols) const;
  bool fall_back(std::string_view character, std::vector<Symbol>& symbols) const;
  void merge_few(const Symbol* symbols, std::size_t count, std::vector<ModelToken>& tokens) const;
  void merge_many(const std::vector<Symbol>& symbols, std::vector<ModelToken>& tokens) const;
  void merge_and_append(const std::vector<Symbol>& symbols, std::vector<ModelToken>& tokens) const;

  const TableVocabulary& vocabulary_;
  std::uint32_t flags_;
  std::uint32_t unknown_id_;
  std::string_view prefix_;
  std::string_view suffix_;
  std::size_t longest_;
  ByteIds byte_ids_;
  std::string_view whole_;
  Numbers merges_;
  Slots merge_slots_;
};

Bpe::Bpe(Reader& reader, const TableVocabulary& vocabulary)
    : vocabulary_(vocabulary),
      flags_(reader.number(kAllFlags, "the flags of BPE")),
      unknown_id_(reader.number()),
      prefix_(reader.text()),
      suffix_(reader.text()),
      longest_(reader.number()),
      byte_ids_(reader, vocabulary.size()),
      whole_(reader.block()),
      merges_(reader.array()) {
  require(whole_.size() == (vocabulary.size() + 7) / 8,
          "the bits of whole tokens are not one for each token");
  require(merges_.size() % kMergeNumbers == 0, "a merge has not three ids");
  require(merges_.size() / kMergeNumbers <= kMostIds, "there are too many merges");
  merge_slots_ = Slots(reader.array(), merges_.size() / kMergeNumbers);
  bool inside = unknown_id_ == kNone || unknown_id_ < vocabulary.size();
  for (std::size_t i = 0; i < merges_.size(); ++i) {
    inside &= merges_[i] < vocabulary.size();
  }
  require(inside, "the model names an id above the vocabulary");
}

// Append the token that a whole word is, if there is one that needs no merging. `token` is the word in the
// characters of the vocabulary.
bool Bpe::find_whole(std::string_view token, std::size_t word_size, std::vector<ModelToken>& tokens) const {
  if (token.size() > longest_) {
    return false;
  }
  const std::uint32_t id = vocabulary_.find(token);
  if (id == kNone || !comes_whole(id)) {
    return false;
  }
  tokens.push_back({id, 0, word_size});
  return true;
}

void Bpe::tokenize_bytes(std::string_view word, std::vector<ModelToken>& tokens) const {
  constexpr std::size_t kShort = 64;
  std::array<char, 2 * kShort> short_text;
  std::string long_text;
  char* text = short_text.data();
  if (word.size() > kShort) {
    long_text.resize(2 * word.size());
    text = long_text.data();
  }
  std::size_t size = 0;
  for (const char byte : word) {
    const ByteText& own = kByteTexts[static_cast<unsigned char>(byte)];
    text[size] = own.bytes[0];
    text[size + 1] = own.bytes[1];
    size += own.size;
  }
  if (find_whole({text, size}, word.size(), tokens)) {
    return;
  }
  std::array<Symbol, kFewSymbols> few;
  std::vector<Symbol> many;
  Symbol* symbols = few.data();
  if (word.size() > few.size()) {
    many.resize(word.size());
    symbols = many.data();
  }
  for (std::size_t i = 0; i < word.size(); ++i) {
    symbols[i] = {byte_ids_[word[i]], 1};
    if (symbols[i].id == kNone) {
      tokenize_unknown_bytes(word, std::string(text, size), tokens);
      return;
    }
  }
  if (many.empty()) {
    merge_few(symbols, word.size(), tokens);
  } else {
    merge_many(many, tokens);
  }
}

// Tokenize a byte-level word with a byte that the vocabulary lacks. `text` is the word in characters. As
// `tokenizers` counts the characters of the tokens, those behind one that is left out move to the left.
void Bpe::tokenize_unknown_bytes(std::string_view word, const std::string& text,
                                 std::vector<ModelToken>& tokens) const {
  std::vector<Symbol> symbols;
  split(text, symbols);
  std::vector<std::size_t> byte_of;  // index of the byte that each byte of `text` belongs to
  for (std::size_t i = 0; i < word.size(); ++i) {
    byte_of.insert(byte_of.end(), kByteTexts[static_cast<unsigned char>(word[i])].size, i);
  }
  const std::size_t before = tokens.size();
  merge_and_append(symbols, tokens);
  for (std::size_t i = before; i < tokens.size(); ++i) {
    tokens[i].begin = byte_of[tokens[i].begin];
    tokens[i].end = byte_of[tokens[i].end - 1] + 1;
  }
}

// Append the bytes of a character as symbols, if the vocabulary has all of them.
bool Bpe::fall_back(std::string_view character, std::vector<Symbol>& symbols) const {
  if (!has(kByteFallback) || !byte_ids_.have(character)) {
    return false;
  }
  for (const char byte : character) {
    symbols.push_back({byte_ids_[byte], 1});
  }
  return true;
}

// Split a word into the symbols of its characters, as BPE::merge_word of `tokenizers` does.
void Bpe::split(std::string_view word, std::vector<Symbol>& symbols) const {
  std::optional<Symbol> unknown;  // held back to be fused with the next
  const auto flush = [&] {
    if (unknown) {
      symbols.push_back(*unknown);
      unknown.reset();
    }
  };
  std::string decorated;
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t size = std::max<std::size_t>(unicode::decode(word.substr(at)).length, 1);
    std::string_view character = word.substr(at, size);
    const bool first = at == 0;
    at += size;
    const bool last = at == word.size();
    if ((!first && !prefix_.empty()) || (last && !suffix_.empty())) {
      decorated.assign(first ? std::string_view() : prefix_);
      decorated.append(character);
      decorated.append(last ? suffix_ : std::string_view());
      character = decorated;
    }
    const std::uint32_t id = vocabulary_.find(character);
    if (id != kNone) {
      flush();
      symbols.push_back({id, size});
    } else if (!fall_back(character, symbols) && unknown_id_ != kNone) {
      if (unknown && has(kFuseUnknown)) {
        unknown->size += size;
      } else {
        flush();
        unknown = Symbol{unknown_id_, size};
      }
    }
  }
  flush();
}

void Bpe::merge_and_append(const std::vector<Symbol>& symbols, std::vector<ModelToken>& tokens) const {
  if (symbols.size() <= kFewSymbols) {
    merge_few(symbols.data(), symbols.size(), tokens);
  } else {
    merge_many(symbols, tokens);
  }
}

// Merge at most kFewSymbols symbols: always the pair with the lowest rank, the leftmost of several.
void Bpe::merge_few(const Symbol* symbols, std::size_t count, std::vector<ModelToken>& tokens) const {
  std::array<Symbol, kFewSymbols> left;
  std::array<Merge, kFewSymbols> merges;  // of each symbol with the next one
  std::copy(symbols, symbols + count, left.begin());
  for (std::size_t i = 0; i + 1 < count; ++i) {
    merges[i] = merge_of(left[i].id, left[i + 1].id);
  }
  while (count > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < count; ++i) {
      best = merges[i].rank < merges[best].rank ? i : best;
    }
    if (merges[best].rank == kNone) {
      break;
    }
    left[best] = {merges[best].id, left[best].size + left[best + 1].size};
    --count;
    for (std::size_t i = best + 1; i < count; ++i) {
      left[i] = left[i + 1];
      merges[i - 1] = merges[i];
    }
    if (best > 0) {
      merges[best - 1] = merge_of(left[best - 1].id, left[best].id);
    }
    if (best + 1 < count) {
      merges[best] = merge_of(left[best].id, left[best + 1].id);
    }
  }
  std::size_t begin = 0;
  for (std::size_t i = 0; i < count; ++i) {
    tokens.push_back({left[i].id, begin, begin + left[i].size});
    begin += left[i].size;
  }
}

// Merge any number of symbols by a heap of the pairs that can be merged: O(n log n).
void Bpe::merge_many(const std::vector<Symbol>& symbols, std::vector<ModelToken>& tokens) const {
  struct Node {
    std::uint32_t id;
    std::uint32_t previous;
    std::uint32_t next;
    bool merged;  // into the one before it
  };
  if (symbols.size() >= kNone) {
    fail("a word has more than 2^32 symbols");
  }
  const auto count = static_cast<std::uint32_t>(symbols.size());
  std::vector<Node> nodes;
  nodes.reserve(count);
  std::vector<std::uint64_t> heap_memory;
  heap_memory.reserve(count);
  // a pair is its rank in the high half and the number of its left node in the low one: the least comes first
  std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> heap(std::greater<>(),
                                                                                      std::move(heap_memory));
  const auto push = [&](std::uint32_t left, std::uint32_t right) {
    const Merge merge = merge_of(nodes[left].id, nodes[right].id);
    if (merge.rank != kNone) {
      heap.push(std::uint64_t{merge.rank} << 32U | left);
    }
  };
  for (std::uint32_t i = 0; i < count; ++i) {
    nodes.push_back({symbols[i].id, i == 0 ? kNone : i - 1, i + 1 == count ? kNone : i + 1, false});
    if (i > 0) {
      push(i - 1, i);
    }
  }
  while (!heap.empty()) {
    const auto rank = static_cast<std::uint32_t>(heap.top() >> 32U);
    const auto at = static_cast<std::uint32_t>(heap.top());
    heap.pop();
    Node& node = nodes[at];
    if (node.merged || node.next == kNone) {
      continue;
    }
    const std::uint32_t right = node.next;
    const Merge merge = merge_of(node.id, nodes[right].id);
    if (merge.rank != rank) {
      continue;  // one of the two has changed since
    }
    node.id = merge.id;
    node.next = nodes[right].next;
    nodes[right].merged = true;
    if (node.next != kNone) {
      nodes[node.next].previous = at;
      push(at, node.next);
    }
    if (node.previous != kNone) {
      push(node.previous, at);
    }
  }
  std::size_t begin = 0;
  for (std::uint32_t i = 0; i < count;) {
    std::size_t end = begin + symbols[i].size;
    const std::uint32_t next = nodes[i].next == kNone ? count : nodes[i].next;
    for (std::uint32_t part = i + 1; part < next; ++part) {
      end += symbols[part].size;
    }
    tokens.push_back({nodes[i].id, begin, end});
    begin = end;
    i = next;
  }
}

}  // namespace

std::unique_ptr<const Model> make_bpe(Reader& reader, const TableVocabulary& vocabulary) {
  return std::make_unique<const Bpe>(reader, vocabulary);
}

}  // namespace linnet::tables
