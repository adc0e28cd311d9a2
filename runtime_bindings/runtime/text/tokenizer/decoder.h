// From tokens back to text, as the WordPiece decoder of `tokenizers` does it.
#ifndef LINNET_RUNTIME_TOKENIZER_DECODER_H_
#define LINNET_RUNTIME_TOKENIZER_DECODER_H_

#include <string>
#include <string_view>
#include <vector>

namespace linnet {

// Puts a space before every token but the first and those with the continuation prefix, which they lose, then
// takes the spaces before punctuation away.
std::string join_tokens(const std::vector<std::string_view>& tokens, std::string_view continuation);

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_DECODER_H_
