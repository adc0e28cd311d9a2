// Python classes Tokenizer and TextStream: the tokenizer of the core.
#ifndef LINNET_PYTHON_TOKENIZER_H_
#define LINNET_PYTHON_TOKENIZER_H_

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "convert.h"
#include "encoding.h"
#include "gil.h"
#include "linnet.h"

namespace linnet_python {

namespace nb = nanobind;

// Return the truncation of this name. Raise LINNET_INVALID_ARGUMENT for another name.
linnet_truncation truncation_named(const std::string& name);

// Bytes from which encoding a text takes longer than releasing and taking the GIL.
constexpr std::size_t kLongText = 4096;

// Text of tokens that come one after the other; keeps its tokenizer alive.
class TextStream {
 public:
  TextStream(std::shared_ptr<const linnet_tokenizer> tokenizer, bool skip_special)
      : tokenizer_(std::move(tokenizer)) {
    linnet_text_stream* created = nullptr;
    check(linnet_text_stream_create(tokenizer_.get(), skip_special ? 1 : 0, &created));
    stream_.reset(created);
  }

  nb::str push(std::int64_t id) {
    linnet_text text = {};
    check(linnet_text_stream_push(stream_.get(), id, &text));
    return as_str(text);
  }

  nb::str finish() {
    linnet_text text = {};
    check(linnet_text_stream_finish(stream_.get(), &text));
    return as_str(text);
  }

 private:
  struct Deleter {
    void operator()(linnet_text_stream* stream) const noexcept { linnet_text_stream_free(stream); }
  };

  std::shared_ptr<const linnet_tokenizer> tokenizer_;
  std::unique_ptr<linnet_text_stream, Deleter> stream_;
};

class Tokenizer {
 public:
  explicit Tokenizer(const nb::bytes& data) {
    linnet_tokenizer* created = nullptr;
    check(linnet_tokenizer_create(data.data(), data.size(), &created));
    tokenizer_ = std::shared_ptr<const linnet_tokenizer>(
        created, [](const linnet_tokenizer* p) { linnet_tokenizer_free(const_cast<linnet_tokenizer*>(p)); });
  }
  // Borrowed from a model, which the pointer keeps alive.
  explicit Tokenizer(std::shared_ptr<const linnet_tokenizer> tokenizer) : tokenizer_(std::move(tokenizer)) {}

  std::size_t vocab_size() const { return linnet_tokenizer_vocab_size(tokenizer_.get()); }

  nb::str token(std::int64_t id) const {
    const char* text = nullptr;
    std::size_t size = 0;
    check(linnet_tokenizer_token(tokenizer_.get(), id, &text, &size));
    return decoded({text, size});
  }

  nb::str prefix() const {
    linnet_text prefix = {};
    check(linnet_tokenizer_prefix(tokenizer_.get(), &prefix));
    return as_str(prefix);
  }

  bool continues_word(std::int64_t id) const { return (flags(id) & LINNET_TOKEN_CONTINUES) != 0; }
  bool is_special(std::int64_t id) const { return (flags(id) & LINNET_TOKEN_SPECIAL) != 0; }

  std::int64_t find(const nb::str& token) const {
    std::int64_t id = 0;
    check(linnet_tokenizer_find(tokenizer_.get(), text_view(token), &id));
    return id;
  }

  nb::str decode(const std::vector<std::int64_t>& ids, bool skip_special) const {
    std::size_t size = 0;
    std::string text(16 * ids.size() + 64, '\0');
    for (int attempt = 0; attempt < 2; ++attempt) {
      check(linnet_tokenizer_decode(tokenizer_.get(), ids.data(), ids.size(), skip_special ? 1 : 0,
                                    text.data(), text.size(), &size));
      if (size <= text.size()) {
        break;
      }
      text.resize(size);
    }
    return decoded({text.data(), size});
  }

  TextStream stream(bool skip_special) const { return {tokenizer_, skip_special}; }

  std::vector<Encoding> encode(const nb::str& text, const std::optional<nb::str>& pair,
                               std::int32_t max_length, const std::string& truncation, std::int32_t stride,
                               bool add_special_tokens) const {
    const linnet_encode_options options = {max_length, truncation_named(truncation), stride,
                                           add_special_tokens ? 1 : 0};
    const std::string_view first = utf8(text);
    const std::string_view second = pair ? utf8(*pair) : std::string_view();
    linnet_encoding* encoding = nullptr;
    check(encode_unlocked(first, pair.has_value(), second, options, &encoding));
    const std::shared_ptr<linnet_encoding> shared(encoding, EncodingDeleter());
    std::vector<Encoding> windows;
    for (std::size_t i = 0; i < linnet_encoding_window_count(encoding); ++i) {
      windows.emplace_back(shared, i);
    }
    return windows;
  }

 private:
  std::int32_t flags(std::int64_t id) const {
    std::int32_t flags = 0;
    check(linnet_tokenizer_token_flags(tokenizer_.get(), id, &flags));
    return flags;
  }

  linnet_status encode_unlocked(std::string_view text, bool has_pair, std::string_view pair,
                                const linnet_encode_options& options, linnet_encoding** encoding) const {
    const auto call = [&] {
      return linnet_tokenizer_encode(tokenizer_.get(), text.data(), text.size(),
                                     has_pair ? pair.data() : nullptr, pair.size(), &options, encoding);
    };
    if (text.size() + pair.size() < kLongText) {
      return call();
    }
    const Unlocked unlocked;
    return call();
  }

  std::shared_ptr<const linnet_tokenizer> tokenizer_;
};

void bind_tokenizer(nb::module_& module);

}  // namespace linnet_python

#endif  // LINNET_PYTHON_TOKENIZER_H_
