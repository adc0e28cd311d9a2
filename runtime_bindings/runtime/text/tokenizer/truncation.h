// Which tokens of one or two texts stay, as `tokenizers` decides it.
#ifndef LINNET_RUNTIME_TOKENIZER_TRUNCATION_H_
#define LINNET_RUNTIME_TOKENIZER_TRUNCATION_H_

#include <cstddef>
#include <limits>
#include <vector>

#include "linnet.h"
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

// What the caller asked for, without the special tokens.
struct TruncationOptions {
  linnet_truncation strategy = LINNET_TRUNCATE_NEVER;
  std::size_t room = kUnbounded;   // tokens of both texts together
  std::size_t special_tokens = 0;  // for error messages
  bool windows = false;            // several windows over the second text
  std::size_t stride = 0;          // tokens that consecutive windows share
};

// Reads the texts as far as needed and selects tokens: at least one selection, more only for `windows`.
// `second` is nullptr for a single text. Errors: LINNET_INVALID_UTF8, LINNET_TEXT_TOO_LONG,
// LINNET_INVALID_ARGUMENT (a stride that leaves no progress).
std::vector<Selection> select_tokens(TextTokens& first, TextTokens* second, const TruncationOptions& options);

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_TRUNCATION_H_
