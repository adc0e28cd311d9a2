#include "tokenizer/source_text.h"

#include <algorithm>
#include <string>

#include "tokenizer/unicode.h"

namespace linnet {
namespace {

// How far the search for added tokens runs ahead, in bytes. Most texts are shorter; for a long text that is
// cut, at most this many bytes are searched in vain.
constexpr std::size_t kBlockBytes = 1024;

}  // namespace

// Return the length in bytes of the character at byte `at`, which must be inside the text. Throw
// LINNET_INVALID_UTF8.
std::size_t SourceText::check(std::size_t at) {
  if (static_cast<unsigned char>(text_[at]) < 0x80) {
    return 1;
  }
  ascii_ = false;
  const unicode::Decoded next = unicode::decode(text_.substr(at));
  if (next.length == 0) {
    throw Error(LINNET_INVALID_UTF8,
                std::string(name_) + " is not UTF-8 at byte " + std::to_string(at) + "; pass it as UTF-8");
  }
  return next.length;
}

bool SourceText::extend() {
  if (token_pending_) {
    return false;
  }
  const std::size_t block_end = std::min(text_.size(), known_ + kBlockBytes);
  std::size_t at = known_;
  while (at < block_end || may_be_stripped(at)) {
    if (static_cast<unsigned char>(text_[at]) < 0x80 && !patterns_.may_begin(text_[at])) {
      ++at;
      continue;
    }
    const std::size_t length = check(at);
    Patterns::Match match;
    if (patterns_.may_begin(text_[at])) {
      match = patterns_.longest_match(text_.substr(at));
    }
    if (match.token != nullptr && accept(at, match)) {
      return position_ < known_;
    }
    at += std::max(length, match.size);  // matches do not overlap, refused ones included
  }
  known_ = at;
  return position_ < known_;
}

// Return true if the white space before byte `at` may belong to an added token behind it.
bool SourceText::may_be_stripped(std::size_t at) const noexcept {
  return patterns_.any_lstrip() && at < text_.size() &&
         unicode::has(unicode::decode_last(text_.substr(0, at)).c, unicode::kWhitespace);
}

// End the region with a match, unless the token must stand alone and does not. Return whether it ends.
bool SourceText::accept(std::size_t begin, const Patterns::Match& match) {
  const AddedToken& token = *match.token;
  const std::size_t end = begin + match.size;
  ascii_ = ascii_ && std::all_of(token.content.begin(), token.content.end(),
                                 [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
  if (token.single_word && !stands_alone(begin, end)) {
    return false;
  }
  token_.id = token.id;
  token_.begin = token.lstrip ? strip_left(begin) : begin;
  token_.end = token.rstrip ? strip_right(end) : end;
  token_pending_ = true;
  known_ = token_.begin;
  return true;
}

// Return true if no word character touches the bytes [begin, end).
bool SourceText::stands_alone(std::size_t begin, std::size_t end) {
  if (begin > 0 && unicode::has(unicode::decode_last(text_.substr(0, begin)).c, unicode::kWordChar)) {
    return false;
  }
  if (end == text_.size()) {
    return true;
  }
  check(end);
  return !unicode::has(unicode::decode(text_.substr(end)).c, unicode::kWordChar);
}

std::size_t SourceText::strip_left(std::size_t begin) const noexcept {
  while (begin > region_begin_) {
    const unicode::Decoded last = unicode::decode_last(text_.substr(0, begin));
    if (!unicode::has(last.c, unicode::kWhitespace)) {
      break;
    }
    begin -= last.length;
  }
  return begin;
}

std::size_t SourceText::strip_right(std::size_t end) {
  while (end < text_.size()) {
    const std::size_t length = check(end);
    if (!unicode::has(unicode::decode(text_.substr(end)).c, unicode::kWhitespace)) {
      break;
    }
    end += length;
  }
  return end;
}

bool SourceText::take_token(FoundToken& out) noexcept {
  if (!token_pending_) {
    return false;
  }
  out = token_;
  token_pending_ = false;
  position_ = known_ = region_begin_ = token_.end;
  return true;
}

}  // namespace linnet
