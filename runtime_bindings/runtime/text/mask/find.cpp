#include "mask/find.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "status.h"
#include "tokenizer/unicode.h"

namespace linnet::mask {
namespace {

constexpr std::size_t kMostName = 32;

bool is_chosen(const Pattern& pattern, const std::vector<std::string_view>& names) {
  return names.empty() || std::any_of(names.begin(), names.end(), [&](std::string_view name) {
           return name == pattern.type || (!pattern.group.empty() && name == pattern.group);
         });
}

// Order in which candidates win, see merge().
struct Wins {
  bool operator()(const Candidate* a, const Candidate* b) const {
    const std::size_t length_a = a->end - a->start;
    const std::size_t length_b = b->end - b->start;
    if (a->source != b->source) {
      return a->source < b->source;
    }
    if (length_a != length_b) {
      return length_a > length_b;
    }
    if (a->score != b->score) {
      return a->score > b->score;
    }
    return std::make_pair(a->start, a->order) < std::make_pair(b->start, b->order);
  }
};

// Leave out what is neither letter nor digit at the ends of a part of a candidate.
void trim(Candidate& part, const Candidate& whole, const Folded& text) {
  if (part.start != whole.start) {
    while (part.start < part.end && !is_any_letter(text[part.start])) {
      ++part.start;
    }
  }
  if (part.end != whole.end) {
    while (part.start < part.end && !is_any_letter(text[part.end - 1])) {
      --part.end;
    }
  }
}

// A walk over a text that counts in three units.
struct Walk {
  std::string_view text;
  std::size_t code_points = 0;
  std::size_t utf8 = 0;
  std::size_t utf16 = 0;

  void to(std::size_t place) {
    while (code_points < place && utf8 < text.size()) {
      const auto lead = static_cast<unsigned char>(text[utf8]);
      utf8 += lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
      utf16 += lead < 0xF0 ? 1 : 2;
      ++code_points;
    }
  }
};

}  // namespace

Finder::Finder(const std::vector<std::string_view>& names) {
  const std::vector<Pattern>& table = patterns();
  if (names == std::vector<std::string_view>{"-"}) {
    return;
  }
  for (const std::string_view name : names) {
    if (std::none_of(table.begin(), table.end(),
                     [name](const Pattern& pattern) { return is_chosen(pattern, {name}); })) {
      throw Error(LINNET_INVALID_ARGUMENT, "no pattern has the type or group \"" + std::string(name) +
                                               "\"; linnet_mask_type lists them all");
    }
  }
  const std::pair<unsigned, std::vector<std::size_t>*> lists[] = {
      {kDigit, &digit_}, {kLetter, &letter_}, {kAt, &at_}, {kPlus, &plus_}, {kColon, &colon_}};
  for (std::size_t row = 0; row < table.size(); ++row) {
    for (const auto& [begins, rows] : lists) {
      if ((table[row].begins & begins) != 0 && is_chosen(table[row], names)) {
        rows->push_back(row);
      }
    }
  }
}

void Finder::try_all(const std::vector<std::size_t>& rows, const Folded& text, std::size_t at,
                     std::vector<Candidate>& found) const {
  const std::vector<Pattern>& table = patterns();
  const std::size_t run = run_at(text, at);
  for (const std::size_t row : rows) {
    const Pattern& pattern = table[row];
    const Match match =
        pattern.match != nullptr ? pattern.match(text, at) : find_form(pattern, text, at, run);
    if (match.end != 0 && (!match.needs_word || has_word_near(text, match, pattern.words))) {
      found.push_back({match.start, match.end, pattern.type, LINNET_MASK_PATTERN, 1.0, row});
    }
  }
}

std::vector<Candidate> Finder::find(const Folded& text) const {
  std::vector<Candidate> found;
  bool in_word = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const unsigned char c = text[at];
    if (is_digit(c)) {
      if (!in_word) {
        try_all(digit_, text, at, found);
      }
    } else if (is_latin(c)) {
      if (!in_word) {
        try_all(letter_, text, at, found);
      }
    } else if (c == '@') {
      try_all(at_, text, at, found);
    } else if (c == '+') {
      try_all(plus_, text, at, found);
    } else if (c == ':') {
      try_all(colon_, text, at, found);
    }
    in_word = is_word(c);
  }
  return found;
}

std::vector<Candidate> merge(const std::vector<Candidate>& candidates, const Folded& text) {
  // a sweep over the ends of all candidates; between two of them the best open one has the text
  std::vector<std::pair<std::size_t, const Candidate*>> opens;
  std::vector<std::pair<std::size_t, const Candidate*>> closes;
  std::vector<std::size_t> places;
  for (const Candidate& candidate : candidates) {
    opens.emplace_back(candidate.start, &candidate);
    closes.emplace_back(candidate.end, &candidate);
    places.insert(places.end(), {candidate.start, candidate.end});
  }
  std::sort(opens.begin(), opens.end());
  std::sort(closes.begin(), closes.end());
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  std::set<const Candidate*, Wins> open;
  std::vector<std::pair<Candidate, const Candidate*>> parts;
  std::size_t next_open = 0;
  std::size_t next_close = 0;
  for (std::size_t i = 0; i + 1 < places.size(); ++i) {
    for (; next_close < closes.size() && closes[next_close].first <= places[i]; ++next_close) {
      open.erase(closes[next_close].second);
    }
    for (; next_open < opens.size() && opens[next_open].first <= places[i]; ++next_open) {
      open.insert(opens[next_open].second);
    }
    if (open.empty()) {
      continue;
    }
    const Candidate* const best = *open.begin();
    if (!parts.empty() && parts.back().second == best && parts.back().first.end == places[i]) {
      parts.back().first.end = places[i + 1];
      continue;
    }
    parts.emplace_back(*best, best);
    parts.back().first.start = places[i];
    parts.back().first.end = places[i + 1];
  }
  std::vector<Candidate> merged;
  for (auto& [part, whole] : parts) {
    trim(part, *whole, text);
    if (part.start < part.end) {
      merged.push_back(part);
    }
  }
  return merged;
}

Answers answers_of(const std::vector<Candidate>& candidates, std::string_view text) {
  Answers answers;
  Walk walk{text};
  for (const Candidate& candidate : candidates) {
    walk.to(candidate.start);
    const Walk start = walk;
    walk.to(candidate.end);
    Answer answer;
    answer.score = candidate.score;
    answer.label = candidate.type;
    answer.text = text.substr(start.utf8, walk.utf8 - start.utf8);
    answer.index = candidate.source;
    const auto span = [](std::size_t first, std::size_t last) {
      return linnet_span{static_cast<std::int64_t>(first), static_cast<std::int64_t>(last)};
    };
    answer.place = {span(start.code_points, walk.code_points), span(start.utf8, walk.utf8),
                    span(start.utf16, walk.utf16)};
    answers.push_back(std::move(answer));
  }
  return answers;
}

Units::Units(std::string_view text, linnet_mask_unit unit) {
  Walk walk{text};
  while (true) {
    if (unit != LINNET_MASK_CODE_POINTS) {
      starts_.push_back(unit == LINNET_MASK_UTF8 ? walk.utf8 : walk.utf16);
    }
    if (walk.utf8 >= text.size()) {
      break;
    }
    walk.to(walk.code_points + 1);
  }
  count_ = walk.code_points;
}

std::size_t Units::code_point(std::int64_t place) const {
  const auto number = static_cast<std::size_t>(place);
  if (starts_.empty() && place >= 0 && number <= count_) {
    return number;
  }
  const auto found = std::lower_bound(starts_.begin(), starts_.end(), number);
  if (place < 0 || found == starts_.end() || *found != number) {
    throw Error(LINNET_INVALID_ARGUMENT,
                "place " + std::to_string(place) + " is outside of the text, or inside a character");
  }
  return static_cast<std::size_t>(found - starts_.begin());
}

void require_type_name(std::string_view name) {
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  const bool fits = !name.empty() && name.size() <= kMostName && is_upper(name[0]) &&
                    std::all_of(name.begin(), name.end(), [&](char c) {
                      return is_upper(c) || c == '_' || is_digit(static_cast<unsigned char>(c));
                    });
  if (!fits) {
    throw Error(LINNET_INVALID_ARGUMENT, "type is \"" + std::string(name.substr(0, 2 * kMostName)) +
                                             "\", expected 1 to 32 of A-Z, 0-9 and _, a letter first");
  }
}

}  // namespace linnet::mask
