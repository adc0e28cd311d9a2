// Truncation: which tokens of one or two texts are kept, as the `tokenizers` package decides it.
#ifndef LINNET_RUNTIME_TOKENIZER_TRUNCATION_H_
#define LINNET_RUNTIME_TOKENIZER_TRUNCATION_H_

#include <cstddef>
#include <limits>
#include <vector>

#include "linnet.h"
#include "tokenizer/blob.h"
#include "tokenizer/text_tokens.h"

namespace linnet {

inline constexpr std::size_t kUnbounded = std::numeric_limits<std::size_t>::max();

// Tokens [begin, end) of a text.
struct TokenRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// What one window holds of each text.
struct Selection {
  TokenRange first;
  TokenRange second;
  bool truncated = false;  // tokens were left out that no other window holds
};

// What the caller asked for; numbers of tokens do not count the special ones.
struct TruncationOptions {
  linnet_truncation strategy = LINNET_TRUNCATE_NEVER;
  std::size_t room = kUnbounded;   // tokens of both texts together
  std::size_t special_tokens = 0;  // for error messages
  bool windows = false;            // several windows over the text that is cut
  std::size_t stride = 0;          // tokens that consecutive windows share
};

// Check what the caller asked for, and count the special tokens of the template. Throw
// LINNET_INVALID_ARGUMENT.
TruncationOptions truncation_options(const linnet_encode_options& options, const Template& pieces, bool pair);

// Read the texts as far as needed and select tokens: one selection, or one for each of several `windows`.
// `second` is nullptr for a single text. Throw LINNET_INVALID_UTF8, LINNET_TEXT_TOO_LONG, or
// LINNET_INVALID_ARGUMENT for a stride with which windows would not advance.
std::vector<Selection> select_tokens(TextTokens& first, TextTokens* second, const TruncationOptions& options);

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_TRUNCATION_H_
