// Unigram: the way through a word whose tokens have the largest sum of scores.
//
//   flags: 1 byte_fallback; id of the unknown token; score (float64) of a character that no token is;
//   256 ids of the tokens <0x00> and so on, kNone without byte_fallback; array of the scores (float64) of all
//   ids; array of the units of a trie
//   a float64 is two numbers, the low half first
//
// The trie is a double array: a unit is two numbers. The first has the byte that leads to it in its lowest 8
// bits, and its base in the others: the child by byte b is unit base ^ b, if that is a used one of this byte;
// no two units have the same base. The second has the id of the token that ends here plus one, or 0, in its
// lowest 24 bits; bit 30: the unit is used; bit 31: no other token goes on like this one, so it has no
// children, and in place of the base: its next two bytes, 0 behind its end, and how many bytes are left plus
// one, at most 255 (0: not known, as older writers left it). Only a token of which more is left is compared.
//
// Time: a word of n bytes is O(n * the longest token); memory is 16 bytes for each.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <limits>

#include "per_thread.h"
#include "tokenizer/models/models.h"
#include "tokenizer/models/word_cache.h"
#include "tokenizer/tables/byte_ids.h"
#include "tokenizer/unicode.h"

namespace linnet::tables {
namespace {

constexpr std::uint32_t kByteFallback = 1;
constexpr std::uint32_t kByte = 0xFF;
constexpr std::uint32_t kId = 0xFFFFFF;
constexpr std::uint32_t kUsed = 1U << 30U;
constexpr std::uint32_t kWhole = 1U << 31U;
constexpr std::size_t kShown = 2;  // bytes of the rest of a token in its unit
constexpr std::size_t kUnitNumbers = 2;
constexpr std::size_t kScoreNumbers = 2;
constexpr std::size_t kShort = 64;  // bytes of a word whose ways need no memory of the heap

double load_double(const Numbers& numbers, std::size_t index) noexcept {
  const std::uint64_t bits = numbers[index] | std::uint64_t{numbers[index + 1]} << 32U;
  double value = 0.0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// The best way to a place: its score, and the token that ends there.
struct Way {
  double score;
  std::uint32_t begin;  // of the token; kNone: no way leads here
  std::uint32_t id;
};

// Return a number that no other model has.
std::uint64_t next_number() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

class Unigram final : public Model {
 public:
  Unigram(Reader& reader, const TableVocabulary& vocabulary);

  void tokenize(std::string_view word, std::vector<ModelToken>& tokens) const override;

 private:
  void tokenize_new(std::string_view word, std::vector<ModelToken>& tokens) const;
  void find_ways(std::string_view word, Way* ways) const;
  template <typename Found>
  void find_tokens(std::string_view text, const Found& found) const;
  std::size_t rest_size(std::string_view text, std::uint32_t shown, std::uint32_t id,
                        std::size_t known) const noexcept;
  void append_unknown(std::string_view word, std::size_t begin, std::size_t end,
                      std::vector<ModelToken>& tokens) const;

  const TableVocabulary& vocabulary_;
  std::uint64_t number_ = next_number();
  bool byte_fallback_;
  std::uint32_t unknown_id_;
  double unknown_score_;
  ByteIds byte_ids_;
  Numbers scores_;
  Numbers units_;
};

Unigram::Unigram(Reader& reader, const TableVocabulary& vocabulary)
    : vocabulary_(vocabulary),
      byte_fallback_(reader.number(kByteFallback, "the flags of Unigram") != 0),
      unknown_id_(reader.number()),
      unknown_score_(load_double(reader.numbers(kScoreNumbers), 0)),
      byte_ids_(reader, vocabulary.size()),
      scores_(reader.array()),
      units_(reader.array()) {
  require(unknown_id_ < vocabulary.size(), "the unknown token is above the vocabulary");
  require(scores_.size() == kScoreNumbers * vocabulary.size(), "the scores are not one for each id");
  require(units_.size() >= kUnitNumbers && units_.size() % kUnitNumbers == 0, "the trie is not whole units");
}

// Call found(id, size) for each token that `text` begins with, the shortest first.
template <typename Found>
void Unigram::find_tokens(std::string_view text, const Found& found) const {
  const std::size_t count = units_.size() / kUnitNumbers;
  std::uint32_t base = units_[0] >> 8U;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint32_t byte = static_cast<unsigned char>(text[i]);
    const std::size_t place = base ^ byte;
    if (place >= count) {
      return;
    }
    const std::uint32_t unit = units_[kUnitNumbers * place];
    const std::uint32_t value = units_[kUnitNumbers * place + 1];
    if ((unit & kByte) != byte || (value & kUsed) == 0) {
      return;
    }
    const std::uint32_t id = (value & kId) - 1;  // kNone or more than any id if there is none
    base = unit >> 8U;
    if ((value & kWhole) != 0) {
      const std::size_t rest = rest_size(text.substr(i + 1), base, id, i + 1);
      if (rest != std::string_view::npos) {
        found(id, i + 1 + rest);
      }
      return;
    }
    if (id < vocabulary_.size()) {
      found(id, i + 1);
    }
  }
}

// Return how many bytes of a token follow its first `known` ones if `text` begins with them, npos if not.
// `shown` is what its unit says of them.
std::size_t Unigram::rest_size(std::string_view text, std::uint32_t shown, std::uint32_t id,
                               std::size_t known) const noexcept {
  constexpr std::size_t kNot = std::string_view::npos;
  const std::size_t counted = shown >> 16U;
  if (id >= vocabulary_.size()) {
    return kNot;
  }
  for (std::size_t i = 0; i < kShown && i + 1 < counted; ++i) {
    if (i >= text.size() || static_cast<unsigned char>(text[i]) != (shown >> (8 * i) & kByte)) {
      return kNot;
    }
  }
  if (counted > 0 && counted <= kShown + 1) {
    return counted - 1;
  }
  const std::string_view token = vocabulary_.bytes(id);
  if (token.size() < known) {
    return kNot;
  }
  const std::string_view rest = token.substr(known);
  return text.substr(0, rest.size()) == rest ? rest.size() : kNot;
}

// Find the best way to each place of `word`, as encode_optimized of `tokenizers`: of equal ways the first.
void Unigram::find_ways(std::string_view word, Way* ways) const {
  std::fill(ways, ways + word.size() + 1, Way{0.0, kNone, 0});
  for (std::size_t begin = 0; begin < word.size();) {
    const double so_far = ways[begin].score;
    const std::size_t character = std::max<std::size_t>(unicode::decode(word.substr(begin)).length, 1);
    bool single = false;
    const auto offer = [&](std::uint32_t id, std::size_t size, double score) {
      Way& way = ways[begin + size];
      if (way.begin == kNone || score + so_far > way.score) {
        way = {score + so_far, static_cast<std::uint32_t>(begin), id};
      }
    };
    find_tokens(word.substr(begin), [&](std::uint32_t id, std::size_t size) {
      offer(id, size, load_double(scores_, std::size_t{kScoreNumbers} * id));
      single = single || size == character;
    });
    if (!single) {
      offer(unknown_id_, character, unknown_score_);
    }
    begin += character;
  }
}

void Unigram::tokenize(std::string_view word, std::vector<ModelToken>& tokens) const {
  WordCache* const cache = PerThread<WordCache>::find();  // nullptr if there is no memory for it
  if (cache != nullptr && cache->find(number_, word, tokens)) {
    return;
  }
  const std::size_t before = tokens.size();
  tokenize_new(word, tokens);
  if (cache != nullptr) {
    cache->keep(number_, word, tokens, before);
  }
}

void Unigram::tokenize_new(std::string_view word, std::vector<ModelToken>& tokens) const {
  if (word.size() >= std::numeric_limits<std::uint32_t>::max()) {
    fail("a word has more than 2^32 bytes");
  }
  std::array<Way, kShort + 1> few;
  std::vector<Way> many;
  Way* ways = few.data();
  if (word.size() > kShort) {
    many.resize(word.size() + 1);
    ways = many.data();
  }
  find_ways(word, ways);
  // from the end; unknown ones beside each other are one
  const auto first = static_cast<std::ptrdiff_t>(tokens.size());
  for (std::size_t end = word.size(); end > 0;) {
    const Way& way = ways[end];
    std::size_t begin = std::min<std::size_t>(way.begin, end - 1);
    while (way.id == unknown_id_ && begin > 0 && ways[begin].id == unknown_id_) {
      begin = std::min<std::size_t>(ways[begin].begin, begin - 1);
    }
    if (way.id == unknown_id_) {
      append_unknown(word, begin, end, tokens);
    } else {
      tokens.push_back({way.id, begin, end});
    }
    end = begin;
  }
  std::reverse(tokens.begin() + first, tokens.end());
}

// Append the tokens of an unknown part of a word, the last first.
void Unigram::append_unknown(std::string_view word, std::size_t begin, std::size_t end,
                             std::vector<ModelToken>& tokens) const {
  const std::string_view part = word.substr(begin, end - begin);
  // what is unknown piece by piece may be a token as a whole
  const std::uint32_t id = vocabulary_.find(part);
  if (id != kNone) {
    tokens.push_back({id, begin, end});
  } else if (byte_fallback_ && byte_ids_.have(part)) {
    std::for_each(part.rbegin(), part.rend(),
                  [&](char byte) { tokens.push_back({byte_ids_[byte], begin, end}); });
  } else {
    tokens.push_back({unknown_id_, begin, end});
  }
}

}  // namespace

std::unique_ptr<const Model> make_unigram(Reader& reader, const TableVocabulary& vocabulary) {
  return std::make_unique<const Unigram>(reader, vocabulary);
}

}  // namespace linnet::tables
