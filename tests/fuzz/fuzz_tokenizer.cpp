// Tokenizer bytes; what parses encodes a text and reads its tokens back.
#include <cstddef>
#include <cstdint>
#include <string>

#include "linnet.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  linnet_tokenizer* tokenizer = nullptr;
  if (linnet_tokenizer_create(data, size, &tokenizer) != LINNET_OK) {
    return 0;
  }
  static const std::string text = "The c\xC3\xA9t [MASK] sat, on\ta \xF0\x9F\x91\xA9 mat.";
  const linnet_encode_options options = {16, LINNET_TRUNCATE_LONGEST_FIRST, -1, 1};
  linnet_encoding* encoding = nullptr;
  if (linnet_tokenizer_encode(tokenizer, text.data(), text.size(), nullptr, 0, &options, &encoding) ==
      LINNET_OK) {
    linnet_encoding_view view;
    linnet_encoding_window(encoding, 0, &view);
    char decoded[256];
    std::size_t length = 0;
    (void)linnet_tokenizer_decode(tokenizer, view.ids, view.length, 1, decoded, sizeof decoded, &length);
  }
  linnet_encoding_free(encoding);
  linnet_tokenizer_free(tokenizer);
  return 0;
}
