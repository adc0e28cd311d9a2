// Dates as they are written in several languages.
#include <array>
#include <cstring>

#include "mask/pattern.h"

namespace linnet::mask {
namespace {

struct Number {
  unsigned value = 0;
  std::size_t digits = 0;
  std::size_t end = 0;
};

Number number_at(const Folded& text, std::size_t at, std::size_t most) {
  Number number;
  number.end = at;
  while (number.digits < most && is_digit(text[number.end])) {
    number.value = 10 * number.value + (text[number.end++] - '0');
    ++number.digits;
  }
  return is_digit(text[number.end]) ? Number{0, 0, at} : number;
}

bool is_leap(unsigned year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

bool is_day(unsigned day, unsigned month, unsigned year) {
  constexpr std::array<unsigned, 12> kDays = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month >= 1 && month <= 12 && day >= 1 && day <= kDays[month - 1] &&
         (month != 2 || day < 29 || is_leap(year));
}

// A birth of somebody who may live, or be written about; two digits stand for any century.
bool is_year(const Number& year) {
  return year.digits == 2 || (year.digits == 4 && year.value >= 1880 && year.value <= 2099);
}

bool is_date(const Number& day, const Number& month, const Number& year) {
  return day.digits >= 1 && day.digits <= 2 && month.digits >= 1 && month.digits <= 2 && is_year(year) &&
         is_day(day.value, month.value, year.digits == 2 ? 2000 + year.value : year.value);
}

// Names of the months in languages that write them in Latin letters; ? is a letter beyond ASCII, and a name
// may go on behind what stands here ("Sept", "septembre", "settembre").
constexpr std::array<std::string_view, 12> kMonths = {"jan|j?n|ene|gen|sty|led|oca|tammi",
                                                      "feb|f?v|fev|lut|?no|?ub|helmi",
                                                      "mar|m?r|mrt|maa|b?e",
                                                      "apr|avr|abr|kwi|dub|nis|huhti",
                                                      "may|mai|mei|maj|mag|kv?|touko",
                                                      "jun|juin|giu|cze|haz|kes",
                                                      "jul|juil|lug|lip|tem|hein",
                                                      "aug|ao?t|ago|aou|sie|srp|elo",
                                                      "sep|set|wrz|z??|eyl|syys",
                                                      "oct|okt|out|ott|pa?|??j|eki|loka",
                                                      "nov|lis|kas|marras",
                                                      "dec|dez|d?c|dic|gru|pro|ara|joulu"};

bool begins_with(const Folded& text, std::size_t at, std::size_t end, std::string_view name) {
  if (name.size() > end - at) {
    return false;
  }
  for (std::size_t i = 0; i < name.size(); ++i) {
    const unsigned char c = text[at + i];
    if (name[i] == '?' ? c < kFirstLetter || c == kOther : lower(c) != static_cast<unsigned char>(name[i])) {
      return false;
    }
  }
  return true;
}

// Return the month that the word [at, end) names, 0 if it names none.
unsigned month_named(const Folded& text, std::size_t at, std::size_t end) {
  constexpr std::size_t kLongest = 12;  // "października"
  if (end - at < 3 || end - at > kLongest) {
    return 0;
  }
  // listopad is November in Polish and Czech, October in Croatian; juin and juillet are told apart by order
  for (unsigned month = 12; month >= 1; --month) {
    std::string_view names = kMonths[month - 1];
    while (!names.empty()) {
      const std::size_t size = std::min(names.find('|'), names.size());
      if (begins_with(text, at, end, names.substr(0, size))) {
        return month;
      }
      names.remove_prefix(std::min(size + 1, names.size()));
    }
  }
  return 0;
}

std::size_t word_end(const Folded& text, std::size_t at) {
  constexpr std::size_t kMost = 16;
  std::size_t end = at;
  while (end - at < kMost && is_any_letter(text[end]) && !is_digit(text[end])) {
    ++end;
  }
  return end;
}

// 12.03.1980, 12/3/80, 12-03-1980, 3/12/1980, 1980-03-12, 12. 3. 1980
std::size_t numeric_end(const Folded& text, std::size_t at) {
  const Number first = number_at(text, at, 4);
  const unsigned char separator = text[first.end];
  if (first.digits == 0 || separator == 0 || std::strchr("./-", separator) == nullptr) {
    return at;
  }
  const std::size_t gap = text[first.end + 1] == ' ' && separator == '.' ? 2 : 1;
  const Number second = number_at(text, first.end + gap, 2);
  if (second.digits == 0 || text[second.end] != separator) {
    return at;
  }
  const std::size_t third_at = second.end + (text[second.end + 1] == ' ' && gap == 2 ? 2 : 1);
  const Number third = number_at(text, third_at, 4);
  const bool found = is_date(first, second, third) || is_date(second, first, third) ||
                     (first.digits == 4 && is_date(third, second, first));
  return found ? third.end : at;
}

// 19800312
std::size_t compact_end(const Folded& text, std::size_t at) {
  const Number all = number_at(text, at, 8);
  const unsigned year = all.value / 10000;
  return all.digits == 8 && year >= 1880 && year <= 2099 &&
                 is_day(all.value % 100, all.value / 100 % 100, year)
             ? all.end
             : at;
}

// 1980年3月12日, 1980년 3월 12일: the characters between are not ASCII
std::size_t ideographic_end(const Folded& text, std::size_t at) {
  std::array<Number, 3> parts;
  std::size_t place = at;
  for (Number& part : parts) {
    part = number_at(text, place, 4);
    if (part.digits == 0 || text[part.end] < kFirstUnspaced || text[part.end] == kOther) {
      return at;
    }
    place = part.end + 1;
    place += text[place] == ' ' ? 1 : 0;
  }
  return is_date(parts[2], parts[1], parts[0]) ? parts[2].end + 1 : at;
}

// Skip an ending of a day or a word between day, month and year: "1st", "12.", "12 de", ","
std::size_t skip_between(const Folded& text, std::size_t at) {
  std::size_t place = at;
  const auto skip = [&](std::string_view characters) {
    while (text[place] != 0 && characters.find(static_cast<char>(text[place])) != std::string_view::npos &&
           place - at < 4) {
      ++place;
    }
  };
  if (const std::size_t end = word_end(text, place); end == place + 2 || text[place] == 0xBA) {
    place = end;  // st, nd, rd, th, er
  }
  skip(".,");
  skip(" -/");
  if (lower(text[place]) == 'd' && lower(text[place + 1]) == 'e' && word_end(text, place) <= place + 3) {
    place = word_end(text, place);  // de, del
    place += text[place] == ' ' ? 1 : 0;
  }
  return place;
}

// 12 March 1980, 12. März 1980, 12 de marzo de 1980
std::size_t named_end(const Folded& text, std::size_t at) {
  const Number day = number_at(text, at, 2);
  if (day.digits == 0) {
    return at;
  }
  const std::size_t name = skip_between(text, day.end);
  const std::size_t name_end = word_end(text, name);
  const unsigned month = month_named(text, name, name_end);
  if (month == 0) {
    return at;
  }
  const Number year = number_at(text, skip_between(text, name_end), 4);
  return is_date(day, {month, 1, 0}, year) ? year.end : at;
}

// March 12, 1980: `at` is the day. Return where the month begins; `at` if it is none.
Match month_first(const Folded& text, std::size_t at) {
  const Number day = number_at(text, at, 2);
  std::size_t end = at;
  while (at - end < 2 && end > 0 && (text[end - 1] == ' ' || text[end - 1] == '.')) {
    --end;
  }
  std::size_t start = end;
  while (start > 0 && end - start < 12 && is_any_letter(text[start - 1]) && !is_digit(text[start - 1])) {
    --start;
  }
  const unsigned month = day.digits == 0 || end == at ? 0 : month_named(text, start, end);
  if (month == 0) {
    return {};
  }
  const Number year = number_at(text, skip_between(text, day.end), 4);
  return is_date(day, {month, 1, 0}, year) ? Match{start, year.end, true} : Match{};
}

}  // namespace

Match find_birth_date(const Folded& text, std::size_t at) {
  const std::size_t digits = run_at(text, at);
  if ((digits > 2 && digits != 4 && digits != 8) || continues_before(text, at)) {
    return {};
  }
  for (const auto form : {numeric_end, compact_end, named_end, ideographic_end}) {
    const std::size_t end = form(text, at);
    if (end != at && !is_word(text[end]) && !continues_behind(text, end)) {
      return {at, end, true};
    }
  }
  const Match found = month_first(text, at);
  return found.end != 0 && !is_word(text[found.end]) && !continues_behind(text, found.end) ? found : Match{};
}

}  // namespace linnet::mask
