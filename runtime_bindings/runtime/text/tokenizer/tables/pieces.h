// Words of a text: its segments cut by the pre-tokenizers, each step cutting the pieces of the step before
// it.
#ifndef LINNET_RUNTIME_TOKENIZER_TABLES_PIECES_H_
#define LINNET_RUNTIME_TOKENIZER_TABLES_PIECES_H_

#include <cstddef>
#include <vector>

#include "tokenizer/tables/run.h"
#include "tokenizer/tables/segments.h"
#include "tokenizer/tables/steps.h"

namespace linnet::tables {

class Pieces {
 public:
  enum class Item { kWord, kToken, kEnd };

  // Refer to the arguments, which must outlive the object. There is at least one step.
  Pieces(Segments& segments, const PreTokenizers& steps)
      : segments_(segments), steps_(steps), levels_(steps.size()) {}

  // Read the next word or added token and return which.
  Item next();
  // The word that next() found, not empty; valid until the next call.
  const Run& word() const noexcept { return word_; }
  const FoundToken& token() const noexcept { return segments_.token(); }

 private:
  // A text that a step is cutting.
  struct Level {
    Run run;
    std::size_t at = 0;
    AlignedText changed;  // what the step made of the text, if it changes texts
  };

  void begin_segment();
  bool next_word();
  bool grow();
  void descend(const Run& piece);

  Segments& segments_;
  const PreTokenizers& steps_;
  std::vector<Level> levels_;
  std::size_t depth_ = 0;
  bool in_segment_ = false;
  bool first_ = true;      // nothing of the segment has been read
  bool complete_ = false;  // levels_[0] holds the segment to its end
  Run word_;
};

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_TABLES_PIECES_H_
