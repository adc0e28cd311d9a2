// The tokenizer part of linnet.h.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "linnet.h"
#include "status.h"
#include "tokenizer/tokenizer.h"

// The handles of linnet.h are the objects themselves.
struct linnet_tokenizer {
  explicit linnet_tokenizer(std::string_view bytes) : value(bytes) {}
  linnet::Tokenizer value;
};

struct linnet_encoding {
  std::vector<linnet::Window> windows;
};

namespace {

template <typename T>
void require_pointer(T* pointer, const char* name) {
  if (pointer == nullptr) {
    throw linnet::Error(LINNET_INVALID_ARGUMENT, std::string(name) + " is NULL; pass an address");
  }
}

// A text may be NULL if it is empty.
std::string_view view_of(const void* bytes, std::size_t size, const char* name) {
  if (size == 0) {
    return {};
  }
  require_pointer(bytes, name);
  return {static_cast<const char*>(bytes), size};
}

}  // namespace

extern "C" linnet_status linnet_tokenizer_create(const void* bytes, size_t size,
                                                 linnet_tokenizer** tokenizer) {
  return linnet::guarded([&] {
    require_pointer(tokenizer, "tokenizer");
    *tokenizer = new linnet_tokenizer(view_of(bytes, size, "bytes"));
  });
}

extern "C" void linnet_tokenizer_free(linnet_tokenizer* tokenizer) { delete tokenizer; }

extern "C" size_t linnet_tokenizer_vocab_size(const linnet_tokenizer* tokenizer) {
  return tokenizer == nullptr ? 0 : tokenizer->value.vocabulary().size();
}

extern "C" linnet_status linnet_tokenizer_token(const linnet_tokenizer* tokenizer, int64_t id,
                                                const char** token, size_t* size) {
  return linnet::guarded([&] {
    require_pointer(tokenizer, "tokenizer");
    require_pointer(token, "token");
    require_pointer(size, "size");
    const linnet::Vocabulary& vocabulary = tokenizer->value.vocabulary();
    const bool known = id >= 0 && static_cast<std::uint64_t>(id) < vocabulary.size();
    const std::string_view found =
        known ? vocabulary.token(static_cast<std::size_t>(id)) : std::string_view();
    if (found.empty()) {
      throw linnet::Error(LINNET_INPUT_OUT_OF_RANGE, "there is no token with id " + std::to_string(id) +
                                                         "; ids are 0 to " +
                                                         std::to_string(vocabulary.size() - 1));
    }
    *token = found.data();
    *size = found.size();
  });
}

extern "C" linnet_status linnet_tokenizer_encode(const linnet_tokenizer* tokenizer, const char* text,
                                                 size_t text_size, const char* pair, size_t pair_size,
                                                 const linnet_encode_options* options,
                                                 linnet_encoding** encoding) {
  return linnet::guarded([&] {
    require_pointer(tokenizer, "tokenizer");
    require_pointer(options, "options");
    require_pointer(encoding, "encoding");
    const std::string_view first = view_of(text, text_size, "text");
    const std::string_view second(pair, pair == nullptr ? 0 : pair_size);
    *encoding =
        new linnet_encoding{tokenizer->value.encode(first, pair == nullptr ? nullptr : &second, *options)};
  });
}

extern "C" void linnet_encoding_free(linnet_encoding* encoding) { delete encoding; }

extern "C" size_t linnet_encoding_window_count(const linnet_encoding* encoding) {
  return encoding == nullptr ? 0 : encoding->windows.size();
}

extern "C" linnet_status linnet_encoding_window(const linnet_encoding* encoding, size_t window,
                                                linnet_encoding_view* view) {
  return linnet::guarded([&] {
    require_pointer(encoding, "encoding");
    require_pointer(view, "view");
    if (window >= encoding->windows.size()) {
      throw linnet::Error(LINNET_INVALID_ARGUMENT, "there is no window " + std::to_string(window) +
                                                       "; the encoding has " +
                                                       std::to_string(encoding->windows.size()));
    }
    const linnet::Window& found = encoding->windows[window];
    const linnet::TextOffsets& offsets = found.offsets;
    view->length = found.ids.size();
    view->ids = found.ids.data();
    view->type_ids = found.type_ids.data();
    view->sequence_ids = found.sequence_ids.data();
    view->offsets_utf8 = offsets.utf8.data();
    view->offsets_code_points = offsets.ascii ? offsets.utf8.data() : offsets.code_points.data();
    view->offsets_utf16 = offsets.ascii ? offsets.utf8.data() : offsets.utf16.data();
    view->truncated = found.truncated ? 1 : 0;
  });
}
