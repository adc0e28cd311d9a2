// BertPreTokenizer of `tokenizers`: splits normalized text into words, punctuation characters and added
// tokens.
#ifndef LINNET_RUNTIME_TOKENIZER_WORDS_H_
#define LINNET_RUNTIME_TOKENIZER_WORDS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/normalizer.h"
#include "tokenizer/source_text.h"
#include "tokenizer/splitter.h"

namespace linnet {

// A normalized word. If it is too long, only its place is kept.
struct Word {
  std::string bytes;                     // UTF-8
  std::vector<std::uint32_t> char_ends;  // end of each character in `bytes`
  std::vector<std::size_t> begins;       // place of each character in the original text, bytes
  std::vector<std::size_t> ends;
  std::size_t begin = 0;  // place of the whole word in the original text
  std::size_t end = 0;
  bool empty = true;
  bool too_long = false;

  void clear() noexcept;
  void append(const SourceChar& character, std::size_t max_chars);
};

class WordReader {
 public:
  enum class Piece { kWord, kToken, kEnd };

  // Refer to the arguments, which must outlive the reader. A word with more than `max_chars` characters is
  // too long.
  WordReader(SourceText& source, const NormalizerTable& table, const Splitter::Patterns& patterns,
             std::size_t max_chars)
      : source_(source),
        table_(table),
        max_chars_(max_chars),
        normalizer_(source, table),
        splitter_(normalizer_, patterns),
        direct_(patterns.empty()) {}

  // no copies, because splitter_ refers to normalizer_
  WordReader(const WordReader&) = delete;
  WordReader& operator=(const WordReader&) = delete;

  // Read the next piece and return what it is; word() or token() then holds it.
  Piece next();
  const Word& word() const noexcept { return word_; }
  const FoundToken& token() const noexcept { return token_; }

 private:
  using Item = Splitter::Item;

  Item next_item();
  void take_ascii();

  SourceText& source_;
  const NormalizerTable& table_;
  std::size_t max_chars_;
  Normalizer normalizer_;
  Splitter splitter_;
  bool direct_;  // no added token is searched in the normalized text
  Word word_;
  SourceChar character_;
  FoundToken token_;
  bool held_ = false;  // an item that ended a word and is still to be used
  Item held_item_ = Item::kEnd;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_WORDS_H_
