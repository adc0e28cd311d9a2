#include "tokenizer/tables/post_processor.h"

#include <algorithm>

#include "tokenizer/tables/format.h"

namespace linnet::tables {
namespace {

constexpr std::uint32_t kTrimOffsets = 1;
constexpr std::uint32_t kAddPrefixSpace = 2;
constexpr std::size_t kPieceNumbers = 3;
constexpr std::size_t kMostPieces = 4096;

std::ptrdiff_t count_kind(const Template& pieces, TemplatePiece::Kind kind) {
  return std::count_if(pieces.begin(), pieces.end(),
                       [kind](const TemplatePiece& piece) { return piece.kind == kind; });
}

Template read_template(Reader& reader, const TableVocabulary& vocabulary, std::ptrdiff_t texts) {
  const std::size_t count = reader.number(kMostPieces, "the count of pieces of a template");
  const Numbers numbers = reader.numbers(kPieceNumbers * count);
  Template pieces;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t kind = numbers[kPieceNumbers * i];
    require(kind <= 2, "a template piece of an unknown kind");
    const TemplatePiece piece{static_cast<TemplatePiece::Kind>(kind), numbers[kPieceNumbers * i + 1],
                              numbers[kPieceNumbers * i + 2]};
    if (piece.kind == TemplatePiece::Kind::kSpecialToken) {
      require(piece.token_id < vocabulary.size(), "a template uses an id above the vocabulary");
    }
    pieces.push_back(piece);
  }
  require(count_kind(pieces, TemplatePiece::Kind::kFirstText) == 1 &&
              count_kind(pieces, TemplatePiece::Kind::kSecondText) == texts - 1,
          "a template does not hold each text once");
  return pieces;
}

}  // namespace

PostProcessor read_post_processor(std::string_view bytes, const TableVocabulary& vocabulary) {
  Reader reader(bytes);
  const std::uint32_t flags =
      reader.number(kTrimOffsets | kAddPrefixSpace, "the flags of the post-processor");
  PostProcessor result;
  result.trim_offsets = (flags & kTrimOffsets) != 0;
  result.add_prefix_space = (flags & kAddPrefixSpace) != 0;
  result.single = read_template(reader, vocabulary, 1);
  result.pair = read_template(reader, vocabulary, 2);
  reader.finish();
  return result;
}

}  // namespace linnet::tables
