#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <utility>

#include "status.h"
#include "tokenizer/decoder.h"
#include "tokenizer/tables/format.h"
#include "tokenizer/tables/tables_tokenizer.h"
#include "tokenizer/wordpiece.h"

namespace linnet {

bool Tokenizer::continues_word(std::int64_t id) const {
  const std::string_view prefix = continuation();
  if (prefix.empty() || !has(id)) {
    return false;
  }
  const auto at = static_cast<std::size_t>(id);
  return added_flags(at) == 0 && token(at).substr(0, prefix.size()) == prefix;
}

std::int32_t Tokenizer::flags(std::size_t id) const {
  // kinds are separate bits, so their sum is their union
  return added_flags(id) + (continues_word(static_cast<std::int64_t>(id)) ? LINNET_TOKEN_CONTINUES : 0);
}

void Tokenizer::require_id(std::int64_t id) const {
  if (!has(id)) {
    throw Error(LINNET_INPUT_OUT_OF_RANGE, "token id " + std::to_string(id) +
                                               " is outside of a vocabulary of " + std::to_string(size()));
  }
}

std::string Tokenizer::stream_bytes(std::int64_t, bool) const {
  throw Error(LINNET_INVALID_ARGUMENT,
              "the text of a token depends on the tokens beside it, expected a tokenizer as decoders have it "
              "(byte-level, or with spaces in its tokens); constraints cannot be used with this file");
}

std::string Tokenizer::decode(const std::vector<std::int64_t>& ids, bool skip_special) const {
  Decoding decoding;
  open_decoder(decoding);
  for (const std::int64_t id : ids) {
    const std::string_view token = decoded_token(id, skip_special);
    if (!token.empty()) {
      decoding.push(token);
    }
  }
  decoding.finish();
  return std::move(decoding.text());
}

std::string Tokenizer::join(const std::vector<std::string_view>& tokens) const {
  Decoding decoding;
  open_decoder(decoding);
  for (const std::string_view token : tokens) {
    decoding.push(token);
  }
  decoding.finish();
  return std::move(decoding.text());
}

std::unique_ptr<const Tokenizer> open_tokenizer(std::string_view bytes) {
  if (bytes.substr(0, tables::kMagic.size()) == tables::kMagic) {
    return std::make_unique<const tables::TablesTokenizer>(bytes);
  }
  return std::make_unique<const WordPieceTokenizer>(bytes);
}

std::unique_ptr<const Tokenizer> open_tokenizer_copy(std::string_view bytes) {
  if (bytes.substr(0, tables::kMagic.size()) != tables::kMagic) {
    return std::make_unique<const WordPieceTokenizer>(bytes);
  }
  auto copy = std::make_unique<char[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.get());
  return std::make_unique<const tables::TablesTokenizer>(std::move(copy), bytes.size());
}

}  // namespace linnet
