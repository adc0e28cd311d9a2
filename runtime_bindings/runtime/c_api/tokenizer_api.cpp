// C ABI, tokenizer and encodings.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "c_api/handles.h"
#include "decode/window.h"
#include "linnet.h"
#include "status.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/unicode.h"

namespace {

using linnet::c_api::require_array;
using linnet::c_api::require_pointer;
using linnet::c_api::view_of;

[[noreturn]] void refuse_offset(std::size_t token) {
  throw linnet::Error(LINNET_INVALID_ARGUMENT,
                      "token " + std::to_string(token) + " has offsets that are not inside of its text");
}

// Where each code point of a text begins in UTF-8 and UTF-16, and where the text ends.
class Units {
 public:
  // Measure a text; one whose address is NULL is not known, and its tokens have no place.
  Units(std::string_view text, const char* name) : known_(text.data() != nullptr) {
    for (std::size_t at = 0; at < text.size();) {
      const linnet::unicode::Decoded next = linnet::unicode::decode(text.substr(at));
      if (next.length == 0) {
        throw linnet::Error(LINNET_INVALID_UTF8, std::string(name) + " is not UTF-8 at byte " +
                                                     std::to_string(at) + "; pass it as UTF-8");
      }
      push(at);
      at += next.length;
      utf16_now_ += next.length == 4 ? 2 : 1;
    }
    push(text.size());
  }

  bool known() const { return known_; }
  bool has(std::int64_t code_point) const {
    return code_point >= 0 && static_cast<std::uint64_t>(code_point) < utf8_.size();
  }
  std::int64_t utf8(std::int64_t code_point) const { return utf8_[static_cast<std::size_t>(code_point)]; }
  std::int64_t utf16(std::int64_t code_point) const { return utf16_[static_cast<std::size_t>(code_point)]; }

 private:
  void push(std::size_t at) {
    utf8_.push_back(static_cast<std::int64_t>(at));
    utf16_.push_back(utf16_now_);
  }

  bool known_;
  std::vector<std::int64_t> utf8_;
  std::vector<std::int64_t> utf16_;
  std::int64_t utf16_now_ = 0;
};

// Return a text, borrowed, whose address is NULL only if the caller gave no text, not if it is empty.
std::string_view known_view(const linnet_text& text, const char* name) {
  return text.size > 0 ? view_of(text, name) : std::string_view{text.bytes, text.size};
}

linnet::Window foreign_window(const linnet_token_source& source, const Units& first, const Units& second) {
  linnet::Window window;
  window.ids.assign(source.ids, source.ids + source.length);
  window.type_ids.assign(source.type_ids, source.type_ids + source.length);
  window.sequence_ids.assign(source.sequence_ids, source.sequence_ids + source.length);
  window.offsets.ascii = false;
  for (std::size_t i = 0; i < source.length; ++i) {
    const Units& units = source.sequence_ids[i] == 1 ? second : first;
    constexpr std::int64_t kNowhere[] = {0, 0};
    const std::int64_t* span = units.known() ? source.offsets_code_points + 2 * i : kNowhere;
    if (!units.has(span[0]) || !units.has(span[1]) || span[0] > span[1]) {
      refuse_offset(i);
    }
    for (const std::int64_t at : {span[0], span[1]}) {
      window.offsets.code_points.push_back(at);
      window.offsets.utf8.push_back(units.utf8(at));
      window.offsets.utf16.push_back(units.utf16(at));
    }
  }
  return window;
}

std::unique_ptr<linnet::ForeignTokens> foreign_tokens(const linnet_token_source& source) {
  auto tokens = std::make_unique<linnet::ForeignTokens>();
  tokens->words.assign(source.words, source.words + source.length);
  tokens->marks_words = source.marks_words != 0;
  for (std::size_t i = 0; i < source.length; ++i) {
    tokens->tokens.emplace_back(view_of(source.tokens[i], "a token"));
  }
  return tokens;
}

void require_arrays(const linnet_token_source& source) {
  require_array(source.ids, source.length, "ids");
  require_array(source.type_ids, source.length, "type_ids");
  require_array(source.sequence_ids, source.length, "sequence_ids");
  require_array(source.offsets_code_points, source.length, "offsets_code_points");
  require_array(source.words, source.length, "words");
  require_array(source.tokens, source.length, "tokens");
}

// Return the token of an id, borrowed. Throw LINNET_INPUT_OUT_OF_RANGE if there is none.
std::string_view token_of(const linnet::Tokenizer& tokenizer, std::int64_t id) {
  const bool known = id >= 0 && static_cast<std::uint64_t>(id) < tokenizer.size();
  const std::string_view found = known ? tokenizer.token(static_cast<std::size_t>(id)) : std::string_view();
  if (found.empty()) {
    throw linnet::Error(LINNET_INPUT_OUT_OF_RANGE, "there is no token with id " + std::to_string(id) +
                                                       "; ids are 0 to " +
                                                       std::to_string(tokenizer.size() - 1));
  }
  return found;
}

// Return a window, borrowed. Throw LINNET_INVALID_ARGUMENT if there is none of this number.
const linnet::Window& window_of(const linnet_encoding& encoding, std::size_t window) {
  if (window >= encoding.windows.size()) {
    throw linnet::Error(LINNET_INVALID_ARGUMENT, "there is no window " + std::to_string(window) +
                                                     "; the encoding has " +
                                                     std::to_string(encoding.windows.size()));
  }
  return encoding.windows[window];
}

}  // namespace

extern "C" linnet_status linnet_tokenizer_create(const void* bytes, size_t size,
                                                 linnet_tokenizer** tokenizer) {
  return linnet::guarded([&] {
    require_pointer(tokenizer, "tokenizer");
    *tokenizer = new linnet_tokenizer(linnet::open_tokenizer_copy(view_of(bytes, size, "bytes")));
  });
}

extern "C" void linnet_tokenizer_free(linnet_tokenizer* tokenizer) { delete tokenizer; }

extern "C" size_t linnet_tokenizer_vocab_size(const linnet_tokenizer* tokenizer) {
  return tokenizer == nullptr ? 0 : tokenizer->value->size();
}

extern "C" linnet_status linnet_tokenizer_token(const linnet_tokenizer* tokenizer, int64_t id,
                                                const char** token, size_t* size) {
  return linnet::guarded([&] {
    require_pointer(tokenizer, "tokenizer");
    require_pointer(token, "token");
    require_pointer(size, "size");
    const std::string_view found = token_of(*tokenizer->value, id);
    *token = found.data();
    *size = found.size();
  });
}

extern "C" linnet_status linnet_tokenizer_prefix(const linnet_tokenizer* tokenizer, linnet_text* prefix) {
  return linnet::guarded([&] {
    require_pointer(tokenizer, "tokenizer");
    require_pointer(prefix, "prefix");
    *prefix = linnet::c_api::text_of(tokenizer->value->continuation());
  });
}

extern "C" linnet_status linnet_tokenizer_token_flags(const linnet_tokenizer* tokenizer, int64_t id,
                                                      int32_t* flags) {
  return linnet::guarded([&] {
    require_pointer(tokenizer, "tokenizer");
    require_pointer(flags, "flags");
    token_of(*tokenizer->value, id);
    *flags = tokenizer->value->flags(static_cast<std::size_t>(id));
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
    const std::string_view second = pair == nullptr ? std::string_view() : view_of(pair, pair_size, "pair");
    *encoding = new linnet_encoding{
        tokenizer->value->encode(first, pair == nullptr ? nullptr : &second, *options), nullptr};
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
    const linnet::Window& found = window_of(*encoding, window);
    const linnet::TextOffsets& offsets = found.offsets;
    view->length = found.ids.size();
    view->ids = found.ids.data();
    view->type_ids = found.type_ids.data();
    view->sequence_ids = found.sequence_ids.data();
    view->offsets_utf8 = offsets.utf8.data();
    view->offsets_code_points = offsets.in_code_points().data();
    view->offsets_utf16 = offsets.in_utf16().data();
    view->truncated = found.truncated ? 1 : 0;
  });
}

extern "C" linnet_status linnet_encoding_words(const linnet_encoding* encoding, size_t window,
                                               const int64_t** words) {
  return linnet::guarded([&] {
    require_pointer(encoding, "encoding");
    require_pointer(words, "words");
    const linnet::Window& found = window_of(*encoding, window);
    *words = found.words.empty() ? nullptr : found.words.data();
  });
}

extern "C" linnet_status linnet_tokenizer_find(const linnet_tokenizer* tokenizer, linnet_text token,
                                               int64_t* id) {
  return linnet::guarded([&] {
    require_pointer(tokenizer, "tokenizer");
    require_pointer(id, "id");
    const std::string_view wanted = view_of(token, "token");
    const std::int64_t found = tokenizer->value->find(wanted);
    if (found < 0) {
      throw linnet::Error(LINNET_INPUT_OUT_OF_RANGE,
                          "the vocabulary has no token \"" + std::string(wanted) + "\"");
    }
    *id = found;
  });
}

extern "C" linnet_status linnet_tokenizer_decode(const linnet_tokenizer* tokenizer, const int64_t* ids,
                                                 size_t count, int32_t skip_special, char* text,
                                                 size_t capacity, size_t* size) {
  return linnet::guarded([&] {
    require_pointer(tokenizer, "tokenizer");
    require_pointer(size, "size");
    require_array(ids, count, "ids");
    require_array(text, capacity, "text");
    const std::string decoded =
        tokenizer->value->decode(std::vector<std::int64_t>(ids, ids + count), skip_special != 0);
    std::copy_n(decoded.data(), std::min(capacity, decoded.size()), text);
    *size = decoded.size();
  });
}

extern "C" linnet_status linnet_text_stream_create(const linnet_tokenizer* tokenizer, int32_t skip_special,
                                                   linnet_text_stream** stream) {
  return linnet::guarded([&] {
    require_pointer(tokenizer, "tokenizer");
    require_pointer(stream, "stream");
    *stream = new linnet_text_stream(*tokenizer->value, skip_special != 0);
  });
}

extern "C" linnet_status linnet_text_stream_push(linnet_text_stream* stream, int64_t id, linnet_text* text) {
  return linnet::guarded([&] {
    require_pointer(stream, "stream");
    require_pointer(text, "text");
    *text = linnet::c_api::text_of(stream->value.push(id));
  });
}

extern "C" linnet_status linnet_text_stream_finish(linnet_text_stream* stream, linnet_text* text) {
  return linnet::guarded([&] {
    require_pointer(stream, "stream");
    require_pointer(text, "text");
    *text = linnet::c_api::text_of(stream->value.finish());
  });
}

extern "C" void linnet_text_stream_free(linnet_text_stream* stream) { delete stream; }

extern "C" linnet_status linnet_encoding_create(linnet_text text, linnet_text pair,
                                                const linnet_token_source* tokens,
                                                linnet_encoding** encoding) {
  return linnet::guarded([&] {
    require_pointer(tokens, "tokens");
    require_pointer(encoding, "encoding");
    require_arrays(*tokens);
    const Units first(known_view(text, "text"), "the text");
    const Units second(known_view(pair, "pair"), "the second text");
    auto made = std::make_unique<linnet_encoding>();
    made->windows.push_back(foreign_window(*tokens, first, second));
    made->foreign = foreign_tokens(*tokens);
    *encoding = made.release();
  });
}
