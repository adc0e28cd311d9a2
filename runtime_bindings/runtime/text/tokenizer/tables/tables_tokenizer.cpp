#include "tokenizer/tables/tables_tokenizer.h"

#include <algorithm>
#include <string>

#include "tokenizer/decoder.h"
#include "tokenizer/decoders/stages.h"
#include "tokenizer/tables/format.h"
#include "tokenizer/tables/table_tokens.h"

namespace linnet::tables {
namespace {

// What a tokenizer without a pre-tokenizer does: a segment is one word.
class Whole final : public PreTokenizerStep {
 public:
  Piece next(std::string_view text, std::size_t, bool complete) const override {
    return {complete ? text.size() : kMore, true};
  }
};

PreTokenizers at_least_one(PreTokenizers steps) {
  if (steps.empty()) {
    steps.push_back(std::make_unique<const Whole>());
  }
  return steps;
}

}  // namespace

Blocks::Blocks(std::string_view bytes) {
  Reader reader(bytes);
  require(reader.bytes(kMagic.size()) == kMagic, "they do not begin with LNTOKTAB");
  const std::uint32_t version = reader.number();
  if (version != kVersion) {
    fail("found version " + std::to_string(version) + " of tables, this build reads version " +
         std::to_string(kVersion));
  }
  flags = reader.number(kCleanUp, "the flags");
  for (std::string_view* block :
       {&vocabulary, &added, &normalizers, &pre_tokenizers, &model, &post_processor, &decoders}) {
    *block = reader.block();
  }
  reader.finish();
}

TablesTokenizer::TablesTokenizer(const Blocks& blocks)
    : clean_up_((blocks.flags & kCleanUp) != 0),
      vocabulary_(blocks.vocabulary),
      added_(blocks.added, vocabulary_),
      normalizers_(read_normalizers(blocks.normalizers)),
      pre_tokenizers_(at_least_one(read_pre_tokenizers(blocks.pre_tokenizers))),
      model_(read_model(blocks.model, vocabulary_)),
      post_processor_(read_post_processor(blocks.post_processor, vocabulary_)),
      decoders_(read_decoders(blocks.decoders)),
      continuation_(model_->continuation()) {}

std::int64_t TablesTokenizer::find(std::string_view token) const noexcept {
  if (token.empty()) {
    return -1;
  }
  if (const std::int64_t added = added_.find(token); added >= 0) {
    return added;
  }
  const std::uint32_t id = vocabulary_.find(token);
  return id == kNone ? -1 : std::int64_t{id};
}

std::int32_t TablesTokenizer::added_flags(std::size_t id) const noexcept {
  const AddedToken* added = added_.find(id);
  return added == nullptr ? 0 : LINNET_TOKEN_ADDED + (added->special ? LINNET_TOKEN_SPECIAL : 0);
}

std::string_view TablesTokenizer::decoded_token(std::int64_t id, bool skip_special) const {
  require_id(id);
  const auto at = static_cast<std::size_t>(id);
  const AddedToken* added = added_.find(at);
  // as in `tokenizers`, which looks for the text among the special tokens: not one that is another when
  // normalized
  if (skip_special && added != nullptr && added->special && added->content == vocabulary_.bytes(at)) {
    return {};
  }
  return added != nullptr ? std::string_view(added->content) : vocabulary_.token(at);
}

// Decode by the decoders; without any, with a space between the tokens.
void TablesTokenizer::open_decoder(Decoding& decoding) const {
  if (clean_up_) {
    add_clean_up(decoding);
  }
  if (decoders_.empty()) {
    decoding.add<SpacedStage>();
  }
  std::for_each(decoders_.rbegin(), decoders_.rend(),
                [&](const auto& step) { decoding.add(step->open(decoding.front())); });
}

std::string TablesTokenizer::stream_bytes(std::int64_t id, bool first) const {
  std::string bytes(decoded_token(id, true));
  TokenPlace place = {first, false};
  const bool alone = !clean_up_ && !decoders_.empty() &&
                     std::all_of(decoders_.begin(), decoders_.end(),
                                 [&](const auto& step) { return step->decode_alone(bytes, place); });
  return alone ? bytes : Tokenizer::stream_bytes(id, first);
}

std::vector<Window> TablesTokenizer::encode(std::string_view text, const std::string_view* pair,
                                            const linnet_encode_options& options) const {
  const Template& pieces = pair == nullptr ? post_processor_.single : post_processor_.pair;
  const TableParts parts{vocabulary_, added_, normalizers_, pre_tokenizers_, *model_, post_processor_};
  return encode_texts<TableTokens>(text, pair, parts, pieces, options);
}

}  // namespace linnet::tables
