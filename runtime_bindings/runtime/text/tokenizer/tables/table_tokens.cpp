#include "tokenizer/tables/table_tokens.h"

#include <algorithm>

#include "tokenizer/tables/byte_level.h"
#include "tokenizer/unicode.h"

namespace linnet::tables {
namespace {

bool is_space(char32_t c) noexcept {
  return c == kByteCharacters[' '] || unicode::has(c, unicode::kWhitespace);
}

std::size_t leading_spaces(std::string_view text) noexcept {
  std::size_t count = 0;
  while (!text.empty()) {
    const unicode::Decoded next = unicode::decode(text);
    if (next.length == 0 || !is_space(next.c)) {
      break;
    }
    text.remove_prefix(next.length);
    ++count;
  }
  return count;
}

std::size_t trailing_spaces(std::string_view text) noexcept {
  std::size_t count = 0;
  while (!text.empty()) {
    const unicode::Decoded last = unicode::decode_last(text);
    if (last.length == 0 || !is_space(last.c)) {
      break;
    }
    text.remove_suffix(last.length);
    ++count;
  }
  return count;
}

std::size_t forward(std::string_view text, std::size_t at, std::size_t characters,
                    std::size_t most) noexcept {
  for (; characters > 0 && at < most; --characters) {
    at += unicode::decode(text.substr(at)).length;
  }
  return std::min(at, most);
}

// Return the place `characters` before `at`, but not before `least`; `at` if the text has not so many.
std::size_t back(std::string_view text, std::size_t at, std::size_t characters, std::size_t least) noexcept {
  std::size_t place = at;
  for (; characters > 0; --characters) {
    if (place == 0) {
      return at;
    }
    place -= unicode::decode_last(text.substr(0, place)).length;
  }
  return std::max(place, least);
}

}  // namespace

// Add a token without the spaces at its ends, as process_offsets of `tokenizers` counts them in the token
// itself.
void TableTokens::add_trimmed(Token token, std::string_view own) {
  if (!parts_.post_processor.trim_offsets) {
    add(token);
    return;
  }
  const std::size_t leading = leading_spaces(own);
  const std::size_t trailing = trailing_spaces(own);
  const auto trimmed = [&](std::size_t at_front) {
    Span span{forward(text(), token.begin, at_front, token.end), token.end};
    if (trailing > 0) {
      span.end = back(text(), token.end, trailing, span.begin);
    }
    return span;
  };
  const bool added_here = leading == 1 && parts_.post_processor.add_prefix_space;
  const Span usual = trimmed(added_here && token.begin == 0 ? 0 : leading);
  if (added_here && token.begin != 0 && count() == tokens().size()) {
    untrimmed_.push_back({tokens().size(), trimmed(0)});
  }
  token.begin = usual.begin;
  token.end = usual.end;
  add(token);
}

Token TableTokens::first_in_window(std::size_t index) const {
  Token token = tokens()[index];
  const auto found =
      std::lower_bound(untrimmed_.begin(), untrimmed_.end(), index,
                       [](const Untrimmed& entry, std::size_t wanted) { return entry.index < wanted; });
  if (found != untrimmed_.end() && found->index == index) {
    token.begin = found->span.begin;
    token.end = found->span.end;
  }
  return token;
}

bool TableTokens::advance() {
  switch (pieces_.next()) {
    case Pieces::Item::kEnd:
      end();
      return false;
    case Pieces::Item::kToken: {
      const FoundToken& token = pieces_.token();
      add_trimmed({token.id, word_, token.begin, token.end},
                  text().substr(token.begin, token.end - token.begin));
      break;
    }
    case Pieces::Item::kWord: {
      const Run& word = pieces_.word();
      scratch_.clear();
      parts_.model.tokenize(word.bytes, scratch_);
      for (const ModelToken& token : scratch_) {
        const Span span = word.span(token.begin, token.end);
        add_trimmed({token.id, word_, span.begin, span.end}, parts_.vocabulary.bytes(token.id));
      }
      break;
    }
  }
  ++word_;
  return true;
}

}  // namespace linnet::tables
