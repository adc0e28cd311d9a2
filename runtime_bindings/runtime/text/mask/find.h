// Places of personal data in a text: those of the patterns and given ones, as one list without overlaps.
#ifndef LINNET_RUNTIME_MASK_FIND_H_
#define LINNET_RUNTIME_MASK_FIND_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "decode/answers.h"
#include "linnet.h"
#include "mask/pattern.h"

namespace linnet::mask {

// A place that somebody takes for personal data, in code points.
struct Candidate {
  std::size_t start = 0;
  std::size_t end = 0;
  std::string_view type;
  linnet_mask_source source = LINNET_MASK_PATTERN;
  double score = 1;
  std::size_t order = 0;  // row of the table, or place in the list that was given
};

// The patterns of some types. Several threads may use it.
class Finder {
 public:
  // `names` are types or groups; none: every pattern. Throws LINNET_INVALID_ARGUMENT for another name.
  explicit Finder(const std::vector<std::string_view>& names);

  // Return what the patterns find, overlaps among it.
  std::vector<Candidate> find(const Folded& text) const;

 private:
  void try_all(const std::vector<std::size_t>& rows, const Folded& text, std::size_t at,
               std::vector<Candidate>& found) const;

  std::vector<std::size_t> digit_, letter_, at_, plus_, colon_;  // rows by what they begin at
};

// Return parts of the candidates that do not overlap, in the order of the text. Every character of a
// candidate is covered, except for spaces and punctuation at the ends of what is left of one. Where several
// overlap, a pattern wins over a finder and that over a tagger, then the longer one, the more certain one,
// the earlier one.
std::vector<Candidate> merge(const std::vector<Candidate>& candidates, const Folded& text);

// Return candidates that do not overlap as answers: type, text, score, source, place in all units.
Answers answers_of(const std::vector<Candidate>& candidates, std::string_view text);

// Return the place of a given span in code points. Throws LINNET_INVALID_ARGUMENT if it lies outside of the
// text, or cuts a character.
class Units {
 public:
  Units(std::string_view text, linnet_mask_unit unit);
  std::size_t code_point(std::int64_t place) const;

 private:
  std::vector<std::size_t> starts_;  // of the characters and of the end, in the unit; empty: code points
  std::size_t count_ = 0;
};

// Throw LINNET_INVALID_ARGUMENT unless a name of a type can stand in a pseudonym: A to Z, then at most 31 of
// A to Z, 0 to 9 and _.
void require_type_name(std::string_view name);

}  // namespace linnet::mask

#endif  // LINNET_RUNTIME_MASK_FIND_H_
