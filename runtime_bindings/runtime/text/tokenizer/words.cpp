#include "tokenizer/words.h"

#include "tokenizer/unicode.h"

namespace linnet {

void Word::clear() noexcept {
  bytes.clear();
  char_ends.clear();
  begins.clear();
  ends.clear();
  empty = true;
  too_long = false;
}

void Word::append(const SourceChar& character, std::size_t max_chars) {
  if (empty) {
    begin = character.begin;
    empty = false;
  }
  end = character.end;
  if (char_ends.size() == max_chars) {
    too_long = true;
    return;
  }
  unicode::append_utf8(bytes, character.c);
  char_ends.push_back(static_cast<std::uint32_t>(bytes.size()));
  begins.push_back(character.begin);
  ends.push_back(character.end);
}

// Read the next character or added token into character_ or token_, and return which, or the end of the text.
WordReader::Item WordReader::next_item() {
  if (held_) {
    held_ = false;
    return held_item_;
  }
  if (direct_) {
    if (normalizer_.read(character_)) {
      return Item::kChar;
    }
  } else {
    const Item item = splitter_.next(character_, token_);
    if (item != Item::kEnd) {
      return item;
    }
  }
  return source_.take_token(token_) ? Item::kToken : Item::kEnd;
}

// Append the ASCII characters of a word that come next. They skip the normalizer, which would give the same
// but costs more for each character.
void WordReader::take_ascii() {
  const std::string_view ahead = source_.ahead();
  const std::size_t begin = source_.position();
  std::size_t count = 0;
  while (count < ahead.size()) {
    const char mapped = table_.word_byte(ahead[count]);
    if (mapped == 0) {
      break;
    }
    word_.append({static_cast<unsigned char>(mapped), begin + count, begin + count + 1}, max_chars_);
    ++count;
  }
  source_.skip(count);
}

WordReader::Piece WordReader::next() {
  word_.clear();
  for (;;) {
    if (direct_ && !held_ && normalizer_.drained()) {
      take_ascii();
    }
    const Item item = next_item();
    if (item == Item::kChar) {
      const unsigned flags = unicode::properties(character_.c).flags;
      if ((flags & (unicode::kWhitespace | unicode::kPunctuation)) == 0) {
        word_.append(character_, max_chars_);
        continue;
      }
      if (word_.empty) {
        if ((flags & unicode::kWhitespace) != 0) {
          continue;
        }
        word_.append(character_, max_chars_);
        return Piece::kWord;
      }
    }
    if (word_.empty) {
      return item == Item::kToken ? Piece::kToken : Piece::kEnd;
    }
    held_ = true;
    held_item_ = item;
    return Piece::kWord;
  }
}

}  // namespace linnet
