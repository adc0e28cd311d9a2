// Written forms of numbers, and the words that stand near them.
#include <algorithm>
#include <array>

#include "mask/pattern.h"

namespace linnet::mask {
namespace {

constexpr std::size_t kMostCompact = 32;

bool fits(char form, unsigned char c) {
  switch (form) {
    case 'd':
      return is_digit(c);
    case 'L':
      return is_latin(c);
    case 'a':
      return is_alphanumeric(c);
    default:
      return static_cast<unsigned char>(form) == c;
  }
}

// Digits and letters of a form, in upper case.
struct Compact {
  std::array<char, kMostCompact> characters;
  std::size_t size = 0;
};

// Return where a form that begins at `at` ends; `at` if it does not match.
std::size_t form_end(std::string_view form, const Folded& text, std::size_t at, Compact& compact) {
  compact.size = 0;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const unsigned char c = text[at + i];
    if (!fits(form[i], c)) {
      return at;
    }
    if (is_alphanumeric(c)) {
      compact.characters[compact.size++] = static_cast<char>(upper(c));
    }
  }
  const std::size_t end = at + form.size();
  return is_word(text[end]) || continues_behind(text, end) ? at : end;
}

// Tell from the digits or letters that a text begins with whether a form may match it; most do not.
bool may_match(const Form& form, const Folded& text, std::size_t at, std::size_t run) {
  if (form.next == 'a') {
    return run >= form.run;
  }
  return run == form.run && (form.next == 0 || fits(form.next, text[at + run]));
}

template <typename Visit>
void for_each_part(std::string_view list, const Visit& visit) {
  while (!list.empty()) {
    const std::size_t size = std::min(list.find('|'), list.size());
    visit(list.substr(0, size));
    list.remove_prefix(std::min(size + 1, list.size()));
  }
}

bool matches_at(const Folded& text, std::size_t at, std::size_t limit, const Word& word) {
  const std::size_t end = at + word.folded.size();
  if (end > limit || (!word.is_part && is_any_letter(text[at - 1]))) {
    return false;
  }
  for (std::size_t i = 0; i < word.folded.size(); ++i) {
    if (lower(text[at + i]) != static_cast<unsigned char>(word.folded[i])) {
      return false;
    }
  }
  return word.is_part || word.is_beginning || !is_any_letter(text[end]);
}

bool begins_word(const Folded& text, std::size_t at, std::size_t limit, const std::vector<Word>& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](const Word& word) { return matches_at(text, at, limit, word); });
}

}  // namespace

std::vector<Word> words_of(std::string_view list) {
  std::vector<Word> words;
  for_each_part(list, [&](std::string_view word) {
    const bool is_part = word.front() == '~';
    const bool is_beginning = word.back() == '*';
    word.remove_prefix(is_part ? 1 : 0);
    word.remove_suffix(is_beginning ? 1 : 0);
    words.push_back({std::string(Folded(word).view()), is_part, is_beginning});
  });
  return words;
}

bool continues_before(const Folded& text, std::size_t start) {
  const unsigned char before = text[start - 1];
  return (before == '.' || before == ',' || before == '-') && is_digit(text[start - 2]);
}

bool continues_behind(const Folded& text, std::size_t end) {
  return (text[end] == '.' || text[end] == ',' || text[end] == '-') && is_digit(text[end + 1]);
}

std::size_t run_at(const Folded& text, std::size_t at) {
  const auto fits_run = is_digit(text[at]) ? is_digit : is_latin;
  std::size_t count = 0;
  while (count <= kMostRun && fits_run(text[at + count])) {
    ++count;
  }
  return count;
}

void add_forms(std::vector<Form>& forms, std::string_view list, bool needs_word) {
  for_each_part(list, [&](std::string_view form) {
    const std::size_t run = std::min(form.find_first_not_of(form[0]), form.size());
    forms.push_back({form, run, run == form.size() ? '\0' : form[run], needs_word});
  });
}

Match find_form(const Pattern& pattern, const Folded& text, std::size_t at, std::size_t run) {
  Compact compact;
  for (const Form& form : pattern.forms) {
    if (!may_match(form, text, at, run)) {
      continue;
    }
    const std::size_t end = form_end(form.text, text, at, compact);
    if (end != at && text[at - 1] != '+' && !continues_before(text, at) &&
        pattern.check({compact.characters.data(), compact.size})) {
      return {at, end, form.needs_word};
    }
  }
  return {};
}

bool has_word_near(const Folded& text, const Match& match, const std::vector<Word>& words) {
  for (std::size_t at = match.start; at > 0 && match.start - at < kNear && !is_digit(text[at - 1]);) {
    if (begins_word(text, --at, match.start, words)) {
      return true;
    }
  }
  std::size_t behind = match.end;
  while (behind - match.end < kBehind &&
         (text[behind] == ' ' || text[behind] == ',' || text[behind] == '(')) {
    ++behind;
  }
  return begins_word(text, behind, text.size(), words);
}

}  // namespace linnet::mask
