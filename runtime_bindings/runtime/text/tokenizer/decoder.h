// WordPiece decoder: from tokens back to text, as the `tokenizers` package does it.
#ifndef LINNET_RUNTIME_TOKENIZER_DECODER_H_
#define LINNET_RUNTIME_TOKENIZER_DECODER_H_

#include <string>
#include <string_view>
#include <vector>

namespace linnet {

// Join tokens with a space before each, except the first and those with the continuation prefix, which is cut
// off; then remove the spaces before punctuation.
std::string join_tokens(const std::vector<std::string_view>& tokens, std::string_view continuation);

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_DECODER_H_
