// Table of the patterns of personal data: what each is called, where it may begin, how it is checked.
#ifndef LINNET_RUNTIME_MASK_PATTERN_H_
#define LINNET_RUNTIME_MASK_PATTERN_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "mask/folded.h"

namespace linnet::mask {

// A place in a folded text; an end of 0: nothing was found.
struct Match {
  std::size_t start = 0;
  std::size_t end = 0;
  bool needs_word = false;  // it counts only if one of the pattern's words is near
};

// What a pattern may begin at, as a sum: a digit or a Latin letter with no word before it, or one of three
// characters anywhere.
inline constexpr unsigned kDigit = 1U;
inline constexpr unsigned kLetter = 2U;
inline constexpr unsigned kAt = 4U;
inline constexpr unsigned kPlus = 8U;
inline constexpr unsigned kColon = 16U;

// A word that must be near, as a folded text has it.
struct Word {
  std::string folded;
  bool is_part;       // it may stand inside a word: scripts without spaces
  bool is_beginning;  // the word may go on behind it
};

// A written form of a number: d a digit, L a Latin letter, a either; anything else stands for itself.
struct Form {
  std::string_view text;
  std::size_t run;  // how many digits, or else Latin letters, it begins with
  char next;        // what stands behind them; 0 at its end
  bool needs_word;
};

// A row of the table. A matcher looks at a bounded number of characters around a place, so that a text is
// searched in linear time.
struct Pattern {
  std::string_view type;                               // "IBAN"
  std::string_view group;                              // "NATIONAL_ID"; empty: none
  unsigned begins;                                     // kDigit, ...
  Match (*match)(const Folded& text, std::size_t at);  // NULL: forms and check say it
  std::vector<Form> forms;
  bool (*check)(std::string_view compact);  // digits and letters of a form, in upper case
  std::vector<Word> words;
  std::string_view checked_by;  // for people
};

// Every pattern; where two of them find the same place, the earlier one names it.
const std::vector<Pattern>& patterns();
// Split words at '|': each matches in any case, as a whole word, unless it begins with '~' (part of a word)
// or ends with '*' (beginning of a word).
std::vector<Word> words_of(std::string_view list);

Match find_email(const Folded& text, std::size_t at);
Match find_iban(const Folded& text, std::size_t at);
Match find_card(const Folded& text, std::size_t at);
Match find_ip(const Folded& text, std::size_t at);
Match find_mac(const Folded& text, std::size_t at);
Match find_phone(const Folded& text, std::size_t at);
Match find_birth_date(const Folded& text, std::size_t at);
// Match one of the forms of a row, and its check. `run` is what run_at() gives for `at`.
Match find_form(const Pattern& pattern, const Folded& text, std::size_t at, std::size_t run);
// Return how many digits, or else Latin letters, stand at a place; at most kMostRun + 1.
inline constexpr std::size_t kMostRun = 20;
std::size_t run_at(const Folded& text, std::size_t at);
// Split forms at '|'.
void add_forms(std::vector<Form>& forms, std::string_view list, bool needs_word);

// Tell whether one of the words stands at most kNear characters before the match or kBehind behind it, with
// no digit between.
inline constexpr std::size_t kNear = 40;
inline constexpr std::size_t kBehind = 16;
bool has_word_near(const Folded& text, const Match& match, const std::vector<Word>& words);

// Tell whether the number that begins at `start` or ends at `end` is part of a longer one: 1.5, 2-3.
bool continues_before(const Folded& text, std::size_t start);
bool continues_behind(const Folded& text, std::size_t end);

// Tell whether digits pass the Luhn algorithm (ISO/IEC 7812-1, annex B).
bool passes_luhn(std::string_view digits);

}  // namespace linnet::mask

#endif  // LINNET_RUNTIME_MASK_PATTERN_H_
