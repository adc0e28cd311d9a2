// Encoding of a text: windows of ids, type ids, sequence ids and offsets.
#ifndef LINNET_RUNTIME_TOKENIZER_ENCODING_H_
#define LINNET_RUNTIME_TOKENIZER_ENCODING_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "linnet.h"
#include "tokenizer/blob.h"
#include "tokenizer/text_tokens.h"
#include "tokenizer/truncation.h"

namespace linnet {

// Start and end of each token in one unit, one after the other: 2 * tokens numbers.
using Offsets = std::vector<std::int64_t>;

// Offsets of tokens in three units. In an ASCII text all three are equal, so only `utf8` is filled.
struct TextOffsets {
  Offsets utf8;
  Offsets code_points;
  Offsets utf16;
  bool ascii = true;

  const Offsets& in_code_points() const noexcept { return ascii ? utf8 : code_points; }
  const Offsets& in_utf16() const noexcept { return ascii ? utf8 : utf16; }
};

// One window, special tokens included.
struct Window {
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> type_ids;
  std::vector<std::int32_t> sequence_ids;  // -1 special token, 0 first text, 1 second text
  TextOffsets offsets;
  std::vector<std::int64_t> words;  // number of each token's word in its text, -1 special token; may be empty
  bool truncated = false;
};

// Build the windows that `selections` describe. `second` is nullptr for a single text. The windows do not
// refer to the texts.
std::vector<Window> build_windows(const TextTokens& first, const TextTokens* second,
                                  const std::vector<Selection>& selections, const Template& pieces,
                                  bool add_special_tokens);

// Truncate the tokens of one or two texts and build their windows. Throw what linnet_tokenizer_encode
// returns.
std::vector<Window> encode_windows(TextTokens& first, TextTokens* second, const TruncationOptions& truncation,
                                   const Template& pieces, bool add_special_tokens);

// Encode a text, or a pair if `pair` is not nullptr, by tokens of the type `Tokens`, which `parts` make.
// Throw what linnet_tokenizer_encode returns.
template <typename Tokens, typename Parts>
std::vector<Window> encode_texts(std::string_view text, const std::string_view* pair, const Parts& parts,
                                 const Template& pieces, const linnet_encode_options& options) {
  const TruncationOptions truncation = truncation_options(options, pieces, pair != nullptr);
  const std::size_t kept = truncation.windows ? kUnbounded : truncation.room;
  Tokens first(text, parts, kept, "the text");
  std::optional<Tokens> second;
  if (pair != nullptr) {
    second.emplace(*pair, parts, kept, "the second text");
  }
  return encode_windows(first, second ? &*second : nullptr, truncation, pieces,
                        options.add_special_tokens != 0);
}

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_ENCODING_H_
