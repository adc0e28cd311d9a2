#include "tokenizer/encoding.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "tokenizer/unicode.h"

namespace linnet {
namespace {

// A place in a text in all three units.
struct Place {
  std::size_t utf8 = 0;
  std::int64_t code_points = 0;
  std::int64_t utf16 = 0;
};

// Move `place` to byte `target` of a valid text.
void move_to(Place& place, std::string_view text, std::size_t target) noexcept {
  constexpr unsigned char kFourByteLead = 0xF0;  // such a character takes two UTF-16 units
  while (place.utf8 > target) {
    const char byte = text[--place.utf8];
    if (!unicode::is_continuation(byte)) {
      --place.code_points;
      place.utf16 -= static_cast<unsigned char>(byte) >= kFourByteLead ? 2 : 1;
    }
  }
  for (; place.utf8 < target; ++place.utf8) {
    const char byte = text[place.utf8];
    if (unicode::is_continuation(byte)) {
      continue;
    }
    ++place.code_points;
    place.utf16 += static_cast<unsigned char>(byte) >= kFourByteLead ? 2 : 1;
  }
}

void push(Offsets& offsets, std::int64_t begin, std::int64_t end) {
  offsets.push_back(begin);
  offsets.push_back(end);
}

// One text of an encoding, as the template needs it.
struct Part {
  const TextTokens* text;
  TextOffsets offsets;
};

void append_range(Offsets& to, const Offsets& from, const TokenRange& range) {
  to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(2 * range.begin),
            from.begin() + static_cast<std::ptrdiff_t>(2 * range.end));
}

// Return the offsets in code points or UTF-16 units, which are the UTF-8 ones for an ASCII text.
const Offsets& in_unit(const TextOffsets& offsets, const Offsets TextOffsets::* unit) {
  return offsets.ascii ? offsets.utf8 : offsets.*unit;
}

class WindowBuilder {
 public:
  WindowBuilder(std::size_t size, bool ascii) {
    window_.ids.reserve(size);
    window_.type_ids.reserve(size);
    window_.sequence_ids.reserve(size);
    window_.offsets.ascii = ascii;
    window_.offsets.utf8.reserve(2 * size);
    if (!ascii) {
      window_.offsets.code_points.reserve(2 * size);
      window_.offsets.utf16.reserve(2 * size);
    }
  }

  void add_special(const TemplatePiece& piece, bool counts_words) {
    if (counts_words) {
      window_.words.push_back(-1);
    }
    window_.ids.push_back(piece.token_id);
    window_.type_ids.push_back(piece.type_id);
    window_.sequence_ids.push_back(-1);
    push(window_.offsets.utf8, 0, 0);
    if (!window_.offsets.ascii) {
      push(window_.offsets.code_points, 0, 0);
      push(window_.offsets.utf16, 0, 0);
    }
  }

  void add_text(const Part& part, const TokenRange& range, std::uint32_t type_id, std::int32_t sequence) {
    const std::vector<Token>& tokens = part.text->tokens();
    for (std::size_t i = range.begin; i < range.end; ++i) {
      window_.ids.push_back(tokens[i].id);
    }
    if (part.text->counts_words()) {
      for (std::size_t i = range.begin; i < range.end; ++i) {
        window_.words.push_back(tokens[i].word);
      }
    }
    const std::size_t count = range.end - range.begin;
    window_.type_ids.insert(window_.type_ids.end(), count, type_id);
    window_.sequence_ids.insert(window_.sequence_ids.end(), count, sequence);
    append_range(window_.offsets.utf8, part.offsets.utf8, range);
    if (!window_.offsets.ascii) {
      append_range(window_.offsets.code_points, in_unit(part.offsets, &TextOffsets::code_points), range);
      append_range(window_.offsets.utf16, in_unit(part.offsets, &TextOffsets::utf16), range);
    }
    if (count > 0) {
      place_first(part, range.begin, window_.offsets.utf8.size() - 2 * count);
    }
  }

  // Give the first token of a window, whose offsets are at `at`, the place that it has as the first one.
  void place_first(const Part& part, std::size_t token, std::size_t at) {
    const Token& usual = part.text->tokens()[token];
    const Token first = part.text->first_in_window(token);
    move(part.text->text(), usual.begin, first.begin, at);
    move(part.text->text(), usual.end, first.end, at + 1);
  }

  Window finish(bool truncated) {
    window_.truncated = truncated;
    return std::move(window_);
  }

 private:
  // Move the offset at index `at` back from byte `from` of the text to byte `to`.
  void move(std::string_view text, std::size_t from, std::size_t to, std::size_t at) {
    if (from <= to) {
      return;
    }
    Place moved;
    move_to(moved, text.substr(to, from - to), from - to);
    window_.offsets.utf8[at] = static_cast<std::int64_t>(to);
    if (!window_.offsets.ascii) {
      window_.offsets.code_points[at] -= moved.code_points;
      window_.offsets.utf16[at] -= moved.utf16;
    }
  }

  Window window_;
};

std::size_t size_of(const Selection& selection, const Template& pieces) {
  return selection.first.end - selection.first.begin + selection.second.end - selection.second.begin +
         pieces.size();
}

Window build_window(const Part& first, const Part& second, const Selection& selection, const Template& pieces,
                    bool add_special_tokens) {
  WindowBuilder builder(size_of(selection, pieces), first.offsets.ascii && second.offsets.ascii);
  for (const TemplatePiece& piece : pieces) {
    switch (piece.kind) {
      case TemplatePiece::Kind::kFirstText:
        builder.add_text(first, selection.first, piece.type_id, 0);
        break;
      case TemplatePiece::Kind::kSecondText:
        builder.add_text(second, selection.second, piece.type_id, 1);
        break;
      case TemplatePiece::Kind::kSpecialToken:
        if (add_special_tokens) {
          builder.add_special(piece, first.text->counts_words());
        }
        break;
    }
  }
  return builder.finish(selection.truncated);
}

}  // namespace

TextOffsets text_offsets(const TextTokens& text, std::size_t tokens) {
  TextOffsets result;
  result.ascii = text.ascii();
  result.utf8.reserve(2 * tokens);
  Place begin;
  for (std::size_t i = 0; i < tokens; ++i) {
    const Token& token = text.tokens()[i];
    push(result.utf8, static_cast<std::int64_t>(token.begin), static_cast<std::int64_t>(token.end));
    if (result.ascii) {
      continue;
    }
    move_to(begin, text.text(), token.begin);  // mostly forward: tokens begin in the order of the text
    Place end = begin;
    move_to(end, text.text(), token.end);
    push(result.code_points, begin.code_points, end.code_points);
    push(result.utf16, begin.utf16, end.utf16);
  }
  return result;
}

std::vector<Window> build_windows(const TextTokens& first, const TextTokens* second,
                                  const std::vector<Selection>& selections, const Template& pieces,
                                  bool add_special_tokens) {
  std::size_t first_tokens = 0;
  std::size_t second_tokens = 0;
  for (const Selection& selection : selections) {
    first_tokens = std::max(first_tokens, selection.first.end);
    second_tokens = std::max(second_tokens, selection.second.end);
  }
  const Part first_part{&first, text_offsets(first, first_tokens)};
  const Part second_part =
      second == nullptr ? Part{&first, TextOffsets()} : Part{second, text_offsets(*second, second_tokens)};
  std::vector<Window> windows;
  windows.reserve(selections.size());
  for (const Selection& selection : selections) {
    windows.push_back(build_window(first_part, second_part, selection, pieces, add_special_tokens));
  }
  return windows;
}

std::vector<Window> encode_windows(TextTokens& first, TextTokens* second, const TruncationOptions& truncation,
                                   const Template& pieces, bool add_special_tokens) {
  const std::vector<Selection> selections = select_tokens(first, second, truncation);
  return build_windows(first, second, selections, pieces, add_special_tokens);
}

}  // namespace linnet
