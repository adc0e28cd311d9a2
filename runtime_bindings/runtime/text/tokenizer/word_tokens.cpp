#include "tokenizer/word_tokens.h"

namespace linnet {

// Split a word by WordPiece: from the left, always the longest token that fits (MaxMatch in
// https://arxiv.org/abs/2012.15524); one unknown token for the whole word if no token fits somewhere.
void WordTokens::add_word(const Word& word) {
  const Token unknown{parts_.unknown_id, 0, word.begin, word.end};
  if (word.too_long) {
    add(unknown);
    return;
  }
  pieces_.clear();
  for (std::size_t at = 0; at < word.char_ends.size();) {
    const Vocabulary::Match match = parts_.vocabulary.longest(word.bytes, word.char_ends, at, hashes_);
    if (!match.found) {
      add(unknown);
      return;
    }
    pieces_.push_back({match.id, 0, word.begins[at], word.ends[match.end_char - 1]});
    at = match.end_char;
  }
  for (const Token& piece : pieces_) {
    add(piece);
  }
}

bool WordTokens::advance() {
  switch (words_.next()) {
    case WordReader::Piece::kWord:
      add_word(words_.word());
      return true;
    case WordReader::Piece::kToken:
      add({words_.token().id, 0, words_.token().begin, words_.token().end});
      return true;
    case WordReader::Piece::kEnd:
      break;
  }
  end();
  return false;
}

}  // namespace linnet
