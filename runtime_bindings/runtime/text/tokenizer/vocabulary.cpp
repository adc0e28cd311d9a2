#include "tokenizer/vocabulary.h"

#include <algorithm>
#include <utility>

#include "status.h"

namespace linnet {
namespace {

// FNV-1a, 64 bits, with the offset basis and prime of its definition
// (http://www.isthe.com/chongo/tech/comp/fnv). It can be continued byte by byte, so one pass over a word
// gives the hashes of all its prefixes.
constexpr std::uint64_t kHashSeed = 14695981039346656037ULL;
constexpr std::uint64_t kHashPrime = 1099511628211ULL;
// 2^64 divided by the golden ratio: spreads a hash over its high bits (Fibonacci hashing, Knuth, The Art of
// Computer Programming, volume 3, section 6.4).
constexpr std::uint64_t kSpread = 11400714819323198485ULL;
constexpr unsigned kHashBits = 64;

std::uint64_t extend_hash(std::uint64_t hash, std::string_view bytes) noexcept {
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * kHashPrime;
  }
  return hash;
}

// Return for each id whether WordPiece must not produce it.
std::vector<bool> only_added(const std::vector<AddedToken>& tokens, std::size_t size) {
  std::vector<bool> result(size, false);
  for (const AddedToken& token : tokens) {
    result[token.id] = !token.in_vocabulary;
  }
  return result;
}

// Return log2 of a table size that is at most half full with `tokens` entries, so that probing stays short.
unsigned table_bits(std::size_t tokens) noexcept {
  unsigned bits = 4;
  while ((std::size_t{1} << bits) < 2 * tokens) {
    ++bits;
  }
  return bits;
}

}  // namespace

Vocabulary::Vocabulary(TokenizerSpec& spec)
    : pool_(std::move(spec.pool)),
      offsets_(std::move(spec.token_offsets)),
      continuation_(std::move(spec.continuation)),
      continuation_hash_(extend_hash(kHashSeed, continuation_)) {
  const unsigned bits = table_bits(size());
  hash_shift_ = kHashBits - bits;
  slots_.resize(std::size_t{1} << bits);
  const std::vector<bool> skipped = only_added(spec.added_tokens, size());
  for (std::uint32_t id = 0; id < size(); ++id) {
    if (!skipped[id] && !token(id).empty()) {
      insert(id);
    }
  }
}

std::size_t Vocabulary::slot_of(std::uint64_t hash) const noexcept {
  return static_cast<std::size_t>((hash * kSpread) >> hash_shift_);
}

void Vocabulary::insert(std::uint32_t id) {
  const std::string_view text = token(id);
  const std::uint64_t hash = extend_hash(kHashSeed, text);
  const auto tag = static_cast<std::uint32_t>(hash);
  std::size_t slot = slot_of(hash);
  for (; slots_[slot].id_plus_one != 0; slot = (slot + 1) & (slots_.size() - 1)) {
    if (slots_[slot].tag == tag && token(slots_[slot].id_plus_one - 1) == text) {
      throw Error(LINNET_TOKENIZER_INVALID, "the tokenizer bytes hold the token '" + std::string(text) +
                                                "' twice; export the model again");
    }
  }
  slots_[slot] = {id + 1, tag};
  longest_token_ = std::max(longest_token_, text.size());
}

std::uint32_t Vocabulary::find(std::uint64_t hash, std::string_view prefix,
                               std::string_view rest) const noexcept {
  const auto tag = static_cast<std::uint32_t>(hash);
  std::size_t slot = slot_of(hash);
  for (; slots_[slot].id_plus_one != 0; slot = (slot + 1) & (slots_.size() - 1)) {
    if (slots_[slot].tag != tag) {
      continue;
    }
    const std::string_view text = token(slots_[slot].id_plus_one - 1);
    if (text.size() == prefix.size() + rest.size() && text.substr(0, prefix.size()) == prefix &&
        text.substr(prefix.size()) == rest) {
      return slots_[slot].id_plus_one;
    }
  }
  return 0;
}

std::int64_t Vocabulary::id_of(std::string_view token) const noexcept {
  return static_cast<std::int64_t>(find(extend_hash(kHashSeed, token), {}, token)) - 1;
}

Vocabulary::Match Vocabulary::longest(std::string_view word, const std::vector<std::uint32_t>& char_ends,
                                      std::size_t first_char, std::vector<std::uint64_t>& hashes) const {
  const bool inside = first_char > 0;
  const std::size_t begin = inside ? char_ends[first_char - 1] : 0;
  const std::string_view prefix = inside ? std::string_view(continuation_) : std::string_view();
  std::uint64_t hash = inside ? continuation_hash_ : kHashSeed;
  hashes.clear();
  std::size_t from = begin;
  for (std::size_t i = first_char; i < char_ends.size(); ++i) {
    if (prefix.size() + (char_ends[i] - begin) > longest_token_) {
      break;
    }
    hash = extend_hash(hash, word.substr(from, char_ends[i] - from));
    from = char_ends[i];
    hashes.push_back(hash);
  }
  for (std::size_t count = hashes.size(); count-- > 0;) {
    const std::size_t end = char_ends[first_char + count];
    const std::uint32_t found = find(hashes[count], prefix, word.substr(begin, end - begin));
    if (found != 0) {
      return {found - 1, first_char + count + 1, true};
    }
  }
  return {};
}

}  // namespace linnet
