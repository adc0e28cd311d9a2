#include "tokenizer/truncation.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <type_traits>

#include "status.h"

namespace linnet {
namespace {

[[noreturn]] void fail_argument(const std::string& what) { throw Error(LINNET_INVALID_ARGUMENT, what); }

void check_options(const linnet_encode_options& options) {
  if (options.max_length < 0) {
    fail_argument("max_length is " + std::to_string(options.max_length) + "; pass 0 (no bound) or more");
  }
  // read as a number: a C caller may have stored any value there, and reading it as an enum would be
  // undefined
  std::underlying_type_t<linnet_truncation> truncation = 0;
  std::memcpy(&truncation, &options.truncation, sizeof truncation);
  if (truncation > LINNET_TRUNCATE_ONLY_SECOND) {
    fail_argument("truncation is " + std::to_string(truncation) + "; pass a value of linnet_truncation");
  }
  if (options.stride < -1) {
    fail_argument("stride is " + std::to_string(options.stride) + "; pass -1 (one window) or more");
  }
  if (options.add_special_tokens != 0 && options.add_special_tokens != 1) {
    fail_argument("add_special_tokens is " + std::to_string(options.add_special_tokens) + "; pass 0 or 1");
  }
}

std::size_t special_tokens(const Template& pieces) {
  return static_cast<std::size_t>(std::count_if(pieces.begin(), pieces.end(), [](const TemplatePiece& piece) {
    return piece.kind == TemplatePiece::Kind::kSpecialToken;
  }));
}

[[noreturn]] void fail_too_long(const TruncationOptions& options, const std::string& found,
                                const char* cure) {
  throw Error(LINNET_TEXT_TOO_LONG, found + "; max_length " +
                                        std::to_string(options.room + options.special_tokens) +
                                        " leaves room for " + std::to_string(options.room) + " beside " +
                                        std::to_string(options.special_tokens) + " special tokens; " + cure);
}

std::size_t count_of(const TextTokens* text) { return text == nullptr ? 0 : text->count(); }

Selection keep(std::size_t first, std::size_t second, bool truncated) {
  return {{0, first}, {0, second}, truncated};
}

// Read both texts until it is known whether they fit; return true if they do.
bool read_to_room(TextTokens& first, TextTokens* second, std::size_t room) {
  first.advance_beyond(room);
  if (second != nullptr) {
    second->advance_beyond(room);
  }
  return first.count() <= room && count_of(second) <= room - first.count();
}

Selection select_all(TextTokens& first, TextTokens* second, const TruncationOptions& options) {
  if (!read_to_room(first, second, options.room)) {
    fail_too_long(options, "the text has more tokens than fit", "shorten it or allow truncation");
  }
  return keep(first.count(), count_of(second), false);
}

// Return true if `first` has more tokens than `second`. The shorter text is read to its end, the longer one
// about as far.
bool has_more_tokens(TextTokens& first, TextTokens& second) {
  for (;;) {
    if (first.ended() && second.count() >= first.count()) {
      return false;
    }
    if (second.ended() && first.count() > second.count()) {
      return true;
    }
    const bool read_first = !first.ended() && (second.ended() || first.count() <= second.count());
    (read_first ? first : second).advance();
  }
}

// Select by longest_first: a text of at most half the room stays whole and the other gets the rest. Otherwise
// each gets half; the odd token goes to the longer text, or to the second if both are equally long.
Selection select_longest_first(TextTokens& first, TextTokens* second, std::size_t room) {
  if (read_to_room(first, second, room)) {
    return keep(first.count(), count_of(second), false);
  }
  if (second == nullptr) {
    return keep(room, 0, true);
  }
  const std::size_t half = room / 2;
  if (first.count() <= half) {
    return keep(first.count(), room - first.count(), true);
  }
  if (second->count() <= half) {
    return keep(room - second->count(), second->count(), true);
  }
  if (room % 2 == 0) {
    return keep(half, half, true);
  }
  return has_more_tokens(first, *second) ? keep(half + 1, half, true) : keep(half, half + 1, true);
}

// Select by only_second: only the second text is cut, and it must keep at least one token. With no room at
// all both become empty, as in `tokenizers`.
Selection select_only_second(TextTokens& first, TextTokens* second, const TruncationOptions& options) {
  const std::size_t room = options.room;
  if (room > 0) {
    first.advance_beyond(room);
    if (first.count() > room && second != nullptr) {
      fail_too_long(options, "the first text has more tokens than fit", "shorten it");
    }
  }
  if (read_to_room(first, second, room)) {
    return keep(first.count(), count_of(second), false);
  }
  if (room == 0) {
    return keep(0, 0, true);
  }
  if (second == nullptr) {
    fail_too_long(options, "the text has more tokens than fit, and only_second needs a second text",
                  "shorten it or truncate by longest_first");
  }
  if (first.count() >= room) {
    fail_too_long(options, "the first text leaves no token for the second", "shorten it");
  }
  return keep(first.count(), room - first.count(), true);
}

// Cut a text, of which the first `size` tokens fit, into windows of that size.
std::vector<TokenRange> cut_windows(TextTokens& text, std::size_t size, const TruncationOptions& options) {
  if (options.stride >= size) {
    throw Error(LINNET_INVALID_ARGUMENT, "a stride of " + std::to_string(options.stride) +
                                             " tokens, but a window has room for " + std::to_string(size) +
                                             " tokens of the text; make the stride smaller");
  }
  text.advance_beyond(kUnbounded - 1);
  std::vector<TokenRange> windows;
  std::size_t begin = 0;
  std::size_t end = 0;
  do {
    end = std::min(begin + size, text.count());
    windows.push_back({begin, end});
    begin += size - options.stride;
  } while (end < text.count());
  return windows;
}

}  // namespace

// A pair has windows over its second text only, since longest_first cuts both.
TruncationOptions truncation_options(const linnet_encode_options& options, const Template& pieces,
                                     bool pair) {
  check_options(options);
  TruncationOptions result;
  result.strategy = options.truncation;
  result.special_tokens = options.add_special_tokens != 0 ? special_tokens(pieces) : 0;
  const linnet_truncation cut = pair ? LINNET_TRUNCATE_ONLY_SECOND : LINNET_TRUNCATE_LONGEST_FIRST;
  result.windows = options.truncation == cut && options.stride >= 0;
  result.stride = result.windows ? static_cast<std::size_t>(options.stride) : 0;
  if (options.max_length == 0) {
    return result;
  }
  const auto max_length = static_cast<std::size_t>(options.max_length);
  if (max_length < result.special_tokens) {
    fail_argument("max_length is " + std::to_string(max_length) + ", but the special tokens alone are " +
                  std::to_string(result.special_tokens) + "; raise it");
  }
  result.room = max_length - result.special_tokens;
  return result;
}

std::vector<Selection> select_tokens(TextTokens& first, TextTokens* second,
                                     const TruncationOptions& options) {
  if (options.strategy == LINNET_TRUNCATE_NEVER) {
    return {select_all(first, second, options)};
  }
  const bool longest = options.strategy == LINNET_TRUNCATE_LONGEST_FIRST;
  const Selection whole = longest ? select_longest_first(first, second, options.room)
                                  : select_only_second(first, second, options);
  if (!options.windows || !whole.truncated || options.room == 0) {
    return {whole};
  }
  // a single text, or the second one of a pair
  TextTokens& cut = longest ? first : *second;
  const std::size_t size = longest ? whole.first.end : whole.second.end;
  std::vector<Selection> windows;
  for (const TokenRange& range : cut_windows(cut, size, options)) {
    windows.push_back(longest ? Selection{range, whole.second, false} : Selection{whole.first, range, false});
  }
  return windows;
}

}  // namespace linnet
