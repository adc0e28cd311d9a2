// Search for added tokens in the normalized text, which is cut where one is found.
#ifndef LINNET_RUNTIME_TOKENIZER_SPLITTER_H_
#define LINNET_RUNTIME_TOKENIZER_SPLITTER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "tokenizer/added_tokens.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/source_text.h"

namespace linnet {

class Splitter {
 public:
  using Patterns = PatternSet<char32_t>;
  enum class Item { kChar, kToken, kEnd };

  Splitter(Normalizer& normalizer, const Patterns& patterns) : normalizer_(normalizer), patterns_(patterns) {}

  // Read the next character or added token of the region and return which; kEnd at its end, after which the
  // next region of the source begins.
  Item next(SourceChar& character, FoundToken& token);

 private:
  bool fill(std::size_t count);
  Patterns::Match match_here();
  bool stands_alone(std::size_t size);
  FoundToken found(const Patterns::Match& match);
  SourceChar pop();
  void begin_region() noexcept;

  Normalizer& normalizer_;
  const Patterns& patterns_;
  std::u32string window_;            // normalized characters read ahead, from head_ on
  std::vector<SourceChar> sources_;  // the same with their place in the original text
  std::size_t head_ = 0;
  std::size_t unmatched_ = 0;  // characters of a refused match: nothing is searched inside them
  char32_t previous_ = 0;      // last character handed out in this region
  bool any_previous_ = false;
  std::size_t space_begin_ = 0;  // where the white space before head_ begins in the original text
  bool any_space_ = false;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_SPLITTER_H_
