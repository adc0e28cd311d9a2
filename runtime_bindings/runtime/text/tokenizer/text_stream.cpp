#include "tokenizer/text_stream.h"

namespace linnet {

Decoding& TextStream::decoding() {
  if (!decoding_) {
    tokenizer_.open_decoder(decoding_.emplace());
  }
  return *decoding_;
}

std::string_view TextStream::take(Decoding& decoding) {
  taken_.swap(decoding.text());
  decoding.text().clear();
  return taken_;
}

std::string_view TextStream::push(std::int64_t id) {
  const std::string_view token = tokenizer_.decoded_token(id, skip_special_);
  Decoding& open = decoding();
  if (!token.empty()) {
    open.push(token);
  }
  return take(open);
}

std::string_view TextStream::finish() {
  Decoding& open = decoding();
  open.finish();
  take(open);
  decoding_.reset();
  return taken_;
}

}  // namespace linnet
