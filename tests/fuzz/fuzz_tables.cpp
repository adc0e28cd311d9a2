// Texts for the tokenizers of kind "tables" in the corpus of the target "tokenizer": the first byte chooses
// one, the next two are options, the rest are two texts. Run it from the root of the repository.
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "linnet.h"

namespace {

constexpr const char* kFiles[] = {"tests/fuzz/corpus/tokenizer/02", "tests/fuzz/corpus/tokenizer/03",
                                  "tests/fuzz/corpus/tokenizer/04"};

linnet_tokenizer* open(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  linnet_tokenizer* tokenizer = nullptr;
  if (linnet_tokenizer_create(bytes.data(), bytes.size(), &tokenizer) != LINNET_OK) {
    __builtin_trap();  // the file is right
  }
  return tokenizer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static linnet_tokenizer* const tokenizers[] = {open(kFiles[0]), open(kFiles[1]), open(kFiles[2])};
  if (size < 3) {
    return 0;
  }
  const linnet_tokenizer* tokenizer = tokenizers[data[0] % 3];
  const char* text = reinterpret_cast<const char*>(data + 3);
  const std::size_t whole = size - 3;
  const bool pair = data[1] % 4 == 3;
  const std::size_t first = pair ? whole * data[2] / 255 : whole;
  const linnet_encode_options options = {data[1] % 32, static_cast<linnet_truncation>(data[1] % 3),
                                         data[2] % 8 - 1, data[2] % 2};
  linnet_encoding* encoding = nullptr;
  if (linnet_tokenizer_encode(tokenizer, text, first, pair ? text + first : nullptr, whole - first, &options,
                              &encoding) != LINNET_OK) {
    return 0;
  }
  for (std::size_t window = 0; window < linnet_encoding_window_count(encoding); ++window) {
    linnet_encoding_view view;
    (void)linnet_encoding_window(encoding, window, &view);
    for (std::size_t i = 0; i < view.length; ++i) {
      const std::size_t end = static_cast<std::size_t>(view.offsets_utf8[2 * i + 1]);
      if (view.offsets_utf8[2 * i] > view.offsets_utf8[2 * i + 1] || end > whole) {
        __builtin_trap();  // a place outside of the text
      }
    }
    std::vector<char> decoded(64);
    std::size_t length = 0;
    (void)linnet_tokenizer_decode(tokenizer, view.ids, view.length, data[1] % 2, decoded.data(),
                                  decoded.size(), &length);
  }
  linnet_encoding_free(encoding);
  return 0;
}
