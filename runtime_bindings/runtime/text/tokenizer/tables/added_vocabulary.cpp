#include "tokenizer/tables/added_vocabulary.h"

#include <algorithm>
#include <string>

#include "tokenizer/tables/format.h"
#include "tokenizer/unicode.h"

namespace linnet::tables {
namespace {

constexpr std::uint32_t kSpecial = 1;
constexpr std::uint32_t kNormalized = 2;
constexpr std::uint32_t kLstrip = 4;
constexpr std::uint32_t kRstrip = 8;
constexpr std::uint32_t kSingleWord = 16;
constexpr std::uint32_t kAllFlags = 31;

AddedToken read_token(Reader& reader, const TableVocabulary& vocabulary) {
  AddedToken token;
  token.id = reader.number();
  const std::uint32_t flags = reader.number(kAllFlags, "the flags of an added token");
  token.special = (flags & kSpecial) != 0;
  token.normalized = (flags & kNormalized) != 0;
  token.lstrip = (flags & kLstrip) != 0;
  token.rstrip = (flags & kRstrip) != 0;
  token.single_word = (flags & kSingleWord) != 0;
  token.content = reader.text();
  require(!token.content.empty(), "an added token is empty");
  require(token.id < vocabulary.size() && !vocabulary.bytes(token.id).empty(),
          "an added token has an unused id");
  return token;
}

void check_strippable(const PatternSet<char>& patterns) {
  const bool spaced = patterns.any_begins_with([](const std::string& pattern) {
    return unicode::has(unicode::decode(pattern).c, unicode::kWhitespace);
  });
  require(!(patterns.any_rstrip() && spaced),
          "an added token begins with white space beside one that strips it");
}

}  // namespace

AddedVocabulary::AddedVocabulary(std::string_view bytes, const TableVocabulary& vocabulary) {
  Reader reader(bytes);
  const std::size_t count = reader.number();
  for (std::size_t i = 0; i < count; ++i) {
    tokens_.push_back(read_token(reader, vocabulary));
    require(i == 0 || tokens_[i - 1].id < tokens_[i].id,
            "the added tokens are not in the order of their ids");
  }
  reader.finish();
  for (const AddedToken& token : tokens_) {
    ids_.add(vocabulary.bytes(token.id), token.id);
    (token.normalized ? normalized_ : raw_).add(token.content, token);
  }
  ids_.finish();
  for (PatternSet<char>* patterns : {&raw_, &normalized_}) {
    patterns->finish();
    check_strippable(*patterns);
  }
}

const AddedToken* AddedVocabulary::find(std::uint64_t id) const noexcept {
  const auto found =
      std::lower_bound(tokens_.begin(), tokens_.end(), id,
                       [](const AddedToken& token, std::uint64_t wanted) { return token.id < wanted; });
  return found != tokens_.end() && found->id == id ? &*found : nullptr;
}

}  // namespace linnet::tables
