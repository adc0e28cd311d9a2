#include "tokenizer/tables/segments.h"

#include <algorithm>

#include "tokenizer/tables/inert.h"
#include "tokenizer/unicode.h"

namespace linnet::tables {
namespace {

constexpr std::size_t kLongestCharacter = 4;
// Text that was read is removed from the buffer once it is this long, because each removal moves what
// follows.
constexpr std::size_t kReadBeforeErase = 4096;

std::size_t strip_left(std::string_view text, std::size_t at, std::size_t least) noexcept {
  while (at > least) {
    const unicode::Decoded last = unicode::decode_last(text.substr(0, at));
    if (!unicode::has(last.c, unicode::kWhitespace)) {
      break;
    }
    at -= last.length;
  }
  return at;
}

std::size_t strip_right(std::string_view text, std::size_t at) noexcept {
  while (at < text.size()) {
    const unicode::Decoded next = unicode::decode(text.substr(at));
    if (!unicode::has(next.c, unicode::kWhitespace)) {
      break;
    }
    at += next.length;
  }
  return at;
}

}  // namespace

Segments::Segments(std::string_view text, SourceText& source, const Normalizers& normalizers,
                   const PatternSet<char>& patterns)
    : text_(text), source_(source), normalizers_(normalizers), patterns_(patterns) {
  begin_region();
}

void Segments::begin_region() noexcept {
  identity_ = true;
  base_ = source_.position();
  size_ = 0;
  store_.clear();
  first_ = true;
  region_whole_ = false;
  searched_ = 0;
  head_ = limit_ = scanned_ = 0;
  complete_ = false;
}

Segments::Item Segments::next() {
  if (token_found_) {
    const Span span = buffer().span(limit_, token_end_);
    token_ = {token_id_, span.begin, span.end};
    token_found_ = false;
    head_ = limit_ = scanned_ = token_end_;
    complete_ = false;
    return Item::kToken;
  }
  if (complete_) {
    if (!source_.take_token(token_)) {
      return Item::kEnd;
    }
    begin_region();
    return Item::kToken;
  }
  extend();
  return Item::kText;
}

void Segments::extend(std::size_t least) {
  if (complete_) {
    return;
  }
  if (!region_whole_) {
    drop_read();
    fill(least);
  }
  scan();
}

// Forget text that was read, except the character before it, at which the search for added tokens looks.
void Segments::drop_read() {
  if (identity_ || head_ < kReadBeforeErase || 2 * head_ < store_.bytes.size()) {
    return;
  }
  const std::size_t dropped =
      head_ - unicode::decode_last(std::string_view(store_.bytes).substr(0, head_)).length;
  store_.erase_front(dropped);
  head_ -= dropped;
  limit_ -= dropped;
  scanned_ -= dropped;
}

// Take a chunk of the region from the source.
void Segments::fill(std::size_t least) {
  do {
    source_.grow();
  } while (!source_.whole() && source_.ahead().size() < least);
  const bool whole = first_ && std::any_of(normalizers_.begin(), normalizers_.end(), [&](const auto& step) {
                       return step->needs_whole(source_.ahead());
                     });
  while (whole && !source_.whole()) {
    source_.grow();
  }
  std::size_t cut = source_.ahead().size();
  while (!source_.whole() && !normalizers_.empty()) {
    cut = find_cut(source_.ahead());
    if (cut > 0) {
      break;
    }
    source_.grow();
  }
  const std::string_view ahead = source_.ahead();
  region_whole_ = source_.whole();
  cut = region_whole_ ? ahead.size() : cut;
  searched_ = 0;
  normalize(ahead.substr(0, cut), {first_, region_whole_});
  source_.skip(cut);
  first_ = false;
}

// Return the last place where `ahead` may be cut, 0 if there is none.
std::size_t Segments::find_cut(std::string_view ahead) noexcept {
  std::size_t at = ahead.size();
  char32_t after = 0;
  while (at > searched_) {
    const unicode::Decoded before = unicode::decode_last(ahead.substr(0, at));
    const bool cuts = is_inert(before.c) && is_inert(after) &&
                      std::all_of(normalizers_.begin(), normalizers_.end(),
                                  [&](const auto& step) { return step->may_cut_behind(before.c); });
    if (cuts) {
      return at;
    }
    after = before.c;
    at -= before.length;
  }
  searched_ = ahead.size() > kLongestCharacter ? ahead.size() - kLongestCharacter : 0;
  return 0;
}

void Segments::normalize(std::string_view chunk, Edges edges) {
  const bool kept = std::all_of(normalizers_.begin(), normalizers_.end(),
                                [&](const auto& step) { return step->keeps(chunk, edges); });
  const Run original{chunk, nullptr, source_.position()};
  if (kept) {
    if (identity_) {
      size_ += chunk.size();
    } else {
      store_.append(original);
    }
    return;
  }
  if (identity_) {
    // what was read stays: places in the buffer keep their numbers
    const Run before = buffer();
    identity_ = false;
    store_.append(before);
  }
  AlignedText changed;
  changed.append(original);
  for (const auto& step : normalizers_) {
    step->apply(changed, edges);
  }
  store_.append(changed.run());
}

// Search added tokens in what is new in the buffer, and set how far the segment is known.
void Segments::scan() {
  const Run region = buffer();
  const std::size_t size = region.bytes.size();
  if (patterns_.empty()) {
    limit_ = size;
    complete_ = region_whole_;
    return;
  }
  while (scanned_ < size && (region_whole_ || scanned_ + patterns_.longest() + kLongestCharacter <= size)) {
    PatternSet<char>::Match match;
    if (patterns_.may_begin(region.bytes[scanned_])) {
      match = patterns_.longest_match(region.bytes.substr(scanned_));
    }
    if (match.token == nullptr) {
      scanned_ += unicode::decode(region.bytes.substr(scanned_)).length;
      continue;
    }
    const std::size_t begin = scanned_;
    if (match.token->rstrip && !region_whole_ && strip_right(region.bytes, begin + match.size) == size) {
      break;  // the white space behind it may go on
    }
    if (accept(region, begin, match)) {
      return;
    }
    scanned_ = begin + match.size;  // matches do not overlap, refused ones included
  }
  if (region_whole_) {
    limit_ = size;
    complete_ = true;
  } else {
    limit_ = patterns_.any_lstrip() ? strip_left(region.bytes, scanned_, limit_) : scanned_;
  }
}

// End the segment with a match, unless the token must stand alone and does not. Return whether it ends.
bool Segments::accept(const Run& region, std::size_t begin, const PatternSet<char>::Match& match) {
  const AddedToken& token = *match.token;
  const std::string_view text = region.bytes;
  const std::size_t end = begin + match.size;
  if (token.single_word) {
    const bool word_before =
        begin > 0 && unicode::has(unicode::decode_last(text.substr(0, begin)).c, unicode::kWordChar);
    const bool word_behind =
        end < text.size() && unicode::has(unicode::decode(text.substr(end)).c, unicode::kWordChar);
    if (word_before || word_behind) {
      return false;
    }
  }
  limit_ = token.lstrip ? strip_left(text, begin, limit_) : begin;
  token_end_ = token.rstrip ? strip_right(text, end) : end;
  token_id_ = token.id;
  token_found_ = true;
  complete_ = true;
  return true;
}

}  // namespace linnet::tables
