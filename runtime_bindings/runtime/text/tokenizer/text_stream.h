// Text of tokens that come one after the other, as far as it is certain.
#ifndef LINNET_RUNTIME_TOKENIZER_TEXT_STREAM_H_
#define LINNET_RUNTIME_TOKENIZER_TEXT_STREAM_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tokenizer/decoder.h"
#include "tokenizer/tokenizer.h"

namespace linnet {

// All that push() and finish() return for a text, joined, is what Tokenizer::decode gives for all its ids. A
// token costs what its own text costs, however many came before.
class TextStream {
 public:
  // Refer to the tokenizer, which must outlive the object.
  TextStream(const Tokenizer& tokenizer, bool skip_special)
      : tokenizer_(tokenizer), skip_special_(skip_special) {}

  // Take a token and return what is new in the text and cannot change any more: whole characters of UTF-8,
  // valid until the next call. Throw LINNET_INPUT_OUT_OF_RANGE for an id outside the vocabulary, which
  // changes nothing.
  std::string_view push(std::int64_t id);
  // Return the rest of the text, valid until the next call, with which another text begins.
  std::string_view finish();

 private:
  Decoding& decoding();
  std::string_view take(Decoding& decoding);

  const Tokenizer& tokenizer_;
  bool skip_special_;
  std::optional<Decoding> decoding_;  // of the current text
  std::string taken_;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_TEXT_STREAM_H_
