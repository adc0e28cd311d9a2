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

// One text of an encoding, as the template needs it. Code points and UTF-16 units are counted along its
// tokens: `place` is where the last one began.
struct Part {
  const TextTokens* text;
  Place place;
};

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

  void add_text(Part& part, const TokenRange& range, std::uint32_t type_id, std::int32_t sequence) {
    const std::vector<Token>& tokens = part.text->tokens();
    for (std::size_t i = range.begin; i < range.end; ++i) {
      window_.ids.push_back(tokens[i].id);
    }
    if (part.text->counts_words()) {
      window_.words.reserve(window_.ids.capacity());
      for (std::size_t i = range.begin; i < range.end; ++i) {
        window_.words.push_back(tokens[i].word);
      }
    }
    const std::size_t count = range.end - range.begin;
    window_.type_ids.insert(window_.type_ids.end(), count, type_id);
    window_.sequence_ids.insert(window_.sequence_ids.end(), count, sequence);
    for (std::size_t i = range.begin; i < range.end; ++i) {
      place(i == range.begin ? part.text->first_in_window(i) : tokens[i], part);
    }
  }

  Window finish(bool truncated) {
    window_.truncated = truncated;
    return std::move(window_);
  }

 private:
  void place(const Token& token, Part& part) {
    push(window_.offsets.utf8, static_cast<std::int64_t>(token.begin), static_cast<std::int64_t>(token.end));
    if (window_.offsets.ascii) {
      return;
    }
    if (part.text->ascii()) {
      push(window_.offsets.code_points, static_cast<std::int64_t>(token.begin),
           static_cast<std::int64_t>(token.end));
      push(window_.offsets.utf16, static_cast<std::int64_t>(token.begin),
           static_cast<std::int64_t>(token.end));
      return;
    }
    move_to(part.place, part.text->text(),
            token.begin);  // mostly forward: tokens begin in the order of the text
    Place end = part.place;
    move_to(end, part.text->text(), token.end);
    push(window_.offsets.code_points, part.place.code_points, end.code_points);
    push(window_.offsets.utf16, part.place.utf16, end.utf16);
  }

  Window window_;
};

std::size_t size_of(const Selection& selection, const Template& pieces) {
  return selection.first.end - selection.first.begin + selection.second.end - selection.second.begin +
         pieces.size();
}

Window build_window(Part& first, Part& second, const Selection& selection, const Template& pieces,
                    bool add_special_tokens) {
  WindowBuilder builder(size_of(selection, pieces), first.text->ascii() && second.text->ascii());
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

std::vector<Window> build_windows(const TextTokens& first, const TextTokens* second,
                                  const std::vector<Selection>& selections, const Template& pieces,
                                  bool add_special_tokens) {
  Part first_part{&first, Place()};
  Part second_part{second == nullptr ? &first : second, Place()};
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
