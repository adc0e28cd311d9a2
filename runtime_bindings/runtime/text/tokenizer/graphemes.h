// Extended grapheme clusters (Unicode Standard Annex #29), as the `tokenizers` package finds them.
#ifndef LINNET_RUNTIME_TOKENIZER_GRAPHEMES_H_
#define LINNET_RUNTIME_TOKENIZER_GRAPHEMES_H_

#include <cstddef>
#include <string_view>

namespace linnet::unicode {

// Return the size in bytes of the cluster that `text`, which is UTF-8 and not empty, begins with.
std::size_t grapheme_size(std::string_view text) noexcept;

}  // namespace linnet::unicode

#endif  // LINNET_RUNTIME_TOKENIZER_GRAPHEMES_H_
