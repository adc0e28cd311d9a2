#include "tokenizer/tokenizer.h"

#include <algorithm>

#include "tokenizer/tables/format.h"
#include "tokenizer/tables/tables_tokenizer.h"
#include "tokenizer/wordpiece.h"

namespace linnet {

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
