// Original text, checked for UTF-8 and cut at added tokens, block by block, not further than it is read.
#ifndef LINNET_RUNTIME_TOKENIZER_SOURCE_TEXT_H_
#define LINNET_RUNTIME_TOKENIZER_SOURCE_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tokenizer/added_tokens.h"
#include "tokenizer/unicode.h"

namespace linnet {

// A character with the bytes of the original text that it stands for.
struct SourceChar {
  char32_t c = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
};

// An added token with the bytes that it covers (stripped white space included).
struct FoundToken {
  std::uint32_t id = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Hands out a text as regions without added tokens, and the added tokens between them. The patterns are those
// that are searched in the original text (`normalized` false).
class SourceText {
 public:
  using Patterns = PatternSet<char>;

  // Refer to text and patterns, which must outlive the object. `name` is what errors call the text.
  SourceText(std::string_view text, const Patterns& patterns, const char* name)
      : text_(text), patterns_(patterns), name_(name) {}

  // Read the next character of the region; return false at its end. Throw LINNET_INVALID_UTF8 with the
  // position of the first wrong byte; bytes more than a block ahead are not looked at.
  bool read(SourceChar& out) {
    if (position_ == known_ && !extend()) {
      return false;
    }
    out.begin = position_;
    const auto first = static_cast<unsigned char>(text_[position_]);
    if (first < 0x80) {
      out.c = first;
      ++position_;
    } else {
      const unicode::Decoded next = unicode::decode(text_.substr(position_));
      out.c = next.c;
      position_ += next.length;
    }
    out.end = position_;
    return true;
  }

  // Return the bytes of the region that are known so far and not read yet; may be empty before its end.
  std::string_view ahead() const noexcept { return text_.substr(position_, known_ - position_); }
  std::size_t position() const noexcept { return position_; }
  // Skip bytes of ahead(), which must end where a character ends.
  void skip(std::size_t count) noexcept { position_ += count; }

  // Look a block further, if the region goes on.
  void grow() {
    if (!whole()) {
      extend();
    }
  }
  // Return true if the region is known to its end.
  bool whole() const noexcept { return token_pending_ || known_ == text_.size(); }

  // Take the added token that ends a region, once its characters are read; a new region begins after it.
  // Return false at the end of the text.
  bool take_token(FoundToken& out) noexcept;

  // Return true if all bytes looked at so far are ASCII.
  bool ascii() const noexcept { return ascii_; }

 private:
  // Look a block further; return false if the region ends at position_.
  bool extend();
  bool may_be_stripped(std::size_t at) const noexcept;
  std::size_t check(std::size_t at);
  bool accept(std::size_t begin, const Patterns::Match& match);
  bool stands_alone(std::size_t begin, std::size_t end);
  std::size_t strip_left(std::size_t begin) const noexcept;
  std::size_t strip_right(std::size_t end);

  std::string_view text_;
  const Patterns& patterns_;
  const char* name_;
  std::size_t position_ = 0;      // next byte to read
  std::size_t known_ = 0;         // the region reaches at least to here; all before is valid UTF-8
  std::size_t region_begin_ = 0;  // end of the last added token
  bool token_pending_ = false;    // the region ends at known_ with token_
  FoundToken token_;
  bool ascii_ = true;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_SOURCE_TEXT_H_
