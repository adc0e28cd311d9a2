#include "tokenizer/splitter.h"

#include "tokenizer/unicode.h"

namespace linnet {
namespace {

// Characters that were handed out are removed this many at a time, because each removal moves all that
// follow.
constexpr std::size_t kUsedBeforeErase = 256;

}  // namespace

// Read ahead until `count` characters wait; return false if the region ends before.
bool Splitter::fill(std::size_t count) {
  if (head_ == window_.size() || head_ > kUsedBeforeErase) {
    window_.erase(0, head_);
    sources_.erase(sources_.begin(), sources_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  SourceChar next;
  while (window_.size() - head_ < count) {
    if (!normalizer_.read(next)) {
      return false;
    }
    window_.push_back(next.c);
    sources_.push_back(next);
  }
  return true;
}

SourceChar Splitter::pop() {
  const SourceChar taken = sources_[head_++];
  previous_ = taken.c;
  any_previous_ = true;
  return taken;
}

void Splitter::begin_region() noexcept {
  any_previous_ = false;
  any_space_ = false;
  unmatched_ = 0;
}

Splitter::Patterns::Match Splitter::match_here() {
  if (unmatched_ > 0) {
    --unmatched_;
    return {};
  }
  if (!patterns_.may_begin(window_[head_])) {
    return {};
  }
  fill(patterns_.longest());
  const Patterns::Match match = patterns_.longest_match(std::u32string_view(window_).substr(head_));
  if (match.token != nullptr && match.token->single_word && !stands_alone(match.size)) {
    unmatched_ = match.size - 1;
    return {};
  }
  return match;
}

// Return true if no word character touches the next `size` characters.
bool Splitter::stands_alone(std::size_t size) {
  if (any_previous_ && unicode::has(previous_, unicode::kWordChar)) {
    return false;
  }
  return !fill(size + 1) || !unicode::has(window_[head_ + size], unicode::kWordChar);
}

// Remove a match from the window, with the white space that it strips, and return it.
FoundToken Splitter::found(const Patterns::Match& match) {
  FoundToken token{match.token->id, sources_[head_].begin, 0};
  if (match.token->lstrip && any_space_) {
    token.begin = space_begin_;
  }
  for (std::size_t i = 0; i < match.size; ++i) {
    token.end = pop().end;
  }
  if (match.token->rstrip) {
    while (fill(1) && unicode::has(window_[head_], unicode::kWhitespace)) {
      token.end = pop().end;
    }
  }
  any_space_ = false;
  return token;
}

Splitter::Item Splitter::next(SourceChar& character, FoundToken& token) {
  if (!fill(1)) {
    begin_region();
    return Item::kEnd;
  }
  const Patterns::Match match = match_here();
  if (match.token != nullptr) {
    token = found(match);
    return Item::kToken;
  }
  character = pop();
  if (!unicode::has(character.c, unicode::kWhitespace)) {
    any_space_ = false;
  } else if (!any_space_) {
    any_space_ = true;
    space_begin_ = character.begin;
  }
  return Item::kChar;
}

}  // namespace linnet
