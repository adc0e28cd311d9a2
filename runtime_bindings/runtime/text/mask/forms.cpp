// Written forms of numbers, and the words that stand near them.
#include <algorithm>

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

// Return where a form that begins at `at` ends, with its digits and letters in `compact`; `at` if it does not
// match.
std::size_t form_end(std::string_view form, const Folded& text, std::size_t at, std::string& compact) {
  compact.clear();
  for (std::size_t i = 0; i < form.size(); ++i) {
    const unsigned char c = text[at + i];
    if (!fits(form[i], c)) {
      return at;
    }
    if (is_alphanumeric(c)) {
      compact += static_cast<char>(upper(c));
    }
  }
  const std::size_t end = at + form.size();
  return is_word(text[end]) || continues_behind(text, end) ? at : end;
}

template <typename Visit>
void for_each_part(std::string_view list, const Visit& visit) {
  while (!list.empty()) {
    const std::size_t size = std::min(list.find('|'), list.size());
    if (visit(list.substr(0, size))) {
      return;
    }
    list.remove_prefix(std::min(size + 1, list.size()));
  }
}

std::size_t checked_end(const Pattern& pattern, std::string_view forms, const Folded& text, std::size_t at) {
  std::string compact;
  compact.reserve(kMostCompact);
  std::size_t found = at;
  for_each_part(forms, [&](std::string_view form) {
    const std::size_t end = form_end(form, text, at, compact);
    found = end != at && pattern.check(compact) ? end : at;
    return found != at;
  });
  return found;
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

bool has_word_in(const Folded& text, std::size_t start, std::size_t end, const std::vector<Word>& words) {
  for (std::size_t at = start; at < end; ++at) {
    if (std::any_of(words.begin(), words.end(),
                    [&](const Word& word) { return matches_at(text, at, end, word); })) {
      return true;
    }
  }
  return false;
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
    return false;
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

Match find_form(const Pattern& pattern, const Folded& text, std::size_t at) {
  if (text[at - 1] == '+' || continues_before(text, at)) {
    return {};
  }
  if (const std::size_t end = checked_end(pattern, pattern.forms, text, at); end != at) {
    return {at, end, false};
  }
  const std::size_t end = checked_end(pattern, pattern.near_forms, text, at);
  return end == at ? Match{} : Match{at, end, true};
}

bool has_word_near(const Folded& text, const Match& match, const std::vector<Word>& words) {
  std::size_t start = match.start;
  while (start > 0 && match.start - start < kNear && !is_digit(text[start - 1])) {
    --start;
  }
  std::size_t end = match.end;
  while (end < text.size() && end - match.end < kBehind && !is_digit(text[end])) {
    ++end;
  }
  return has_word_in(text, start, match.start, words) || has_word_in(text, match.end, end, words);
}

}  // namespace linnet::mask
