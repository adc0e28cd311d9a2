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

// Return a token as it is joined: with a space before it unless it is the first or has the prefix, which is
// cut off.
std::string join_token(std::string_view token, bool first, std::string_view continuation, bool cleanup);

// Remove the spaces before punctuation in a decoded text, as `transformers` does
// (clean_up_tokenization_spaces).
void clean_up(std::string& text);

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_DECODER_H_
