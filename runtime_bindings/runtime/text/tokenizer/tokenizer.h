// Tokenizer of any kind: text to ids and back, as the `tokenizers` package gives them.
#ifndef LINNET_RUNTIME_TOKENIZER_TOKENIZER_H_
#define LINNET_RUNTIME_TOKENIZER_TOKENIZER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "linnet.h"
#include "tokenizer/encoding.h"

namespace linnet {

class Decoding;

// Immutable after construction: safe to use from several threads.
class Tokenizer {
 public:
  Tokenizer() = default;
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;
  virtual ~Tokenizer() = default;

  // Return the number of ids.
  virtual std::size_t size() const noexcept = 0;

  // Return the token of an id below size(), borrowed; empty if the id is unused. Throw
  // LINNET_TOKENIZER_INVALID if its bytes are not UTF-8.
  virtual std::string_view token(std::size_t id) const = 0;

  // Return the prefix of tokens inside a word, "##", borrowed; empty if there is none.
  virtual std::string_view continuation() const noexcept = 0;

  // Return the id of a token, added tokens included, or -1.
  virtual std::int64_t find(std::string_view token) const noexcept = 0;

  // Return true if the token continues the word of the token before it; false for an id that is none.
  bool continues_word(std::int64_t id) const;

  // Return the sum of LINNET_TOKEN_* of an id, which must be below size().
  std::int32_t flags(std::size_t id) const;

  // Return the token of an id as the decoder takes it, borrowed; empty if the decoder does not see it: unused
  // ids, and special tokens if `skip_special`. Throw LINNET_INPUT_OUT_OF_RANGE for an id outside the
  // vocabulary.
  virtual std::string_view decoded_token(std::int64_t id, bool skip_special) const = 0;

  // Add the stages of the decoder, the last one first. They refer to the tokenizer.
  virtual void open_decoder(Decoding& decoding) const = 0;

  // Return the bytes that a token adds to a generated text, of which it is the first token or not; empty for
  // special and unused tokens. Throw LINNET_INVALID_ARGUMENT if they depend on the tokens beside it,
  // LINNET_INPUT_OUT_OF_RANGE for an id outside the vocabulary.
  virtual std::string stream_bytes(std::int64_t id, bool first) const;

  // Turn ids into text. Throw what decoded_token() throws.
  std::string decode(const std::vector<std::int64_t>& ids, bool skip_special) const;

  // Join tokens to text, as the decoder does.
  std::string join(const std::vector<std::string_view>& tokens) const;

  // Encode a text, or a pair if `pair` is not nullptr, to at least one window. The windows do not refer to
  // the texts. Throw what linnet_tokenizer_encode returns.
  virtual std::vector<Window> encode(std::string_view text, const std::string_view* pair,
                                     const linnet_encode_options& options) const = 0;

 protected:
  // Return the sum of LINNET_TOKEN_ADDED and LINNET_TOKEN_SPECIAL of an id below size().
  virtual std::int32_t added_flags(std::size_t id) const noexcept = 0;

  bool has(std::int64_t id) const noexcept { return id >= 0 && static_cast<std::uint64_t>(id) < size(); }
  // Throw LINNET_INPUT_OUT_OF_RANGE for an id outside the vocabulary.
  void require_id(std::int64_t id) const;
};

// Open tokenizer bytes of the kinds "wordpiece" and "tables", which their first bytes tell apart. The bytes
// are borrowed and must outlive the tokenizer. Throw LINNET_TOKENIZER_INVALID.
std::unique_ptr<const Tokenizer> open_tokenizer(std::string_view bytes);

// Open a copy of tokenizer bytes.
std::unique_ptr<const Tokenizer> open_tokenizer_copy(std::string_view bytes);

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_TOKENIZER_H_
