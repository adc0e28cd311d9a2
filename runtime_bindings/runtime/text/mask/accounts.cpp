// Numbers of accounts and of payment cards, with their check digits.
#include <algorithm>
#include <iterator>
#include <string>

#include "mask/pattern.h"

namespace linnet::mask {
namespace {

// Country and length: SWIFT's IBAN registry, release 101.
constexpr std::string_view kLengths =
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 "
    "EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 "
    "IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 "
    "NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 "
    "SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30 ";

constexpr std::size_t kMostIban = 34;  // ISO 13616-1

// Return the length of a country's IBAN, 0 if the registry does not have it.
std::size_t iban_length(unsigned char first, unsigned char second) {
  for (std::size_t at = 0; at + 4 < kLengths.size(); at += 5) {
    if (kLengths[at] == static_cast<char>(upper(first)) &&
        kLengths[at + 1] == static_cast<char>(upper(second))) {
      return static_cast<std::size_t>(10 * (kLengths[at + 2] - '0') + kLengths[at + 3] - '0');
    }
  }
  return 0;
}

// ISO 13616-1 and ISO/IEC 7064, MOD 97-10: the first four characters behind the others, letters as two
// digits.
bool passes_mod_97(const std::string& iban) {
  unsigned rest = 0;
  for (std::size_t i = 0; i < iban.size(); ++i) {
    const auto c = static_cast<unsigned char>(iban[(i + 4) % iban.size()]);
    const unsigned value = is_digit(c) ? static_cast<unsigned>(c - '0') : static_cast<unsigned>(c - 'A') + 10;
    rest = (rest * (value < 10 ? 10 : 100) + value) % 97;
  }
  return rest == 1;
}

struct Prefixes {
  unsigned first, last;             // inclusive, of `digits` digits
  std::size_t digits, least, most;  // lengths of the whole number
};

// Issuer identification numbers of ISO/IEC 7812 by network, as the networks publish them.
constexpr Prefixes kPrefixes[] = {
    {4, 4, 1, 13, 19},            // Visa: 13, 16, 18 and 19
    {51, 55, 2, 16, 16},          // Mastercard
    {2221, 2720, 4, 16, 16},      // Mastercard, since 2017
    {34, 34, 2, 15, 15},          // American Express
    {37, 37, 2, 15, 15},          // American Express
    {6011, 6011, 4, 16, 19},      // Discover
    {644, 649, 3, 16, 19},        // Discover
    {65, 65, 2, 16, 19},          // Discover, RuPay, Troy
    {300, 305, 3, 14, 19},        // Diners Club
    {3095, 3095, 4, 14, 19},      // Diners Club
    {36, 36, 2, 14, 19},          // Diners Club
    {38, 39, 2, 14, 19},          // Diners Club
    {3528, 3589, 4, 16, 19},      // JCB
    {62, 62, 2, 16, 19},          // UnionPay
    {60, 60, 2, 16, 16},          // RuPay
    {81, 82, 2, 16, 16},          // RuPay
    {508, 508, 3, 16, 16},        // RuPay
    {2200, 2204, 4, 16, 19},      // Mir
    {5018, 5018, 4, 12, 19},      // Maestro
    {5020, 5020, 4, 12, 19},      // Maestro
    {5038, 5038, 4, 12, 19},      // Maestro
    {5893, 5893, 4, 12, 19},      // Maestro
    {6304, 6304, 4, 12, 19},      // Maestro
    {6759, 6759, 4, 12, 19},      // Maestro
    {6761, 6763, 4, 12, 19},      // Maestro
    {5019, 5019, 4, 16, 16},      // Dankort
    {506099, 506198, 6, 16, 19},  // Verve
    {9792, 9792, 4, 16, 16},      // Troy
    {8600, 8600, 4, 16, 16},      // Uzcard
    {9860, 9860, 4, 16, 16},      // Humo
};

bool has_known_prefix(std::string_view digits) {
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes), [digits](const Prefixes& prefixes) {
    unsigned value = 0;
    for (std::size_t i = 0; i < prefixes.digits; ++i) {
      value = 10 * value + static_cast<unsigned>(digits[i] - '0');
    }
    return value >= prefixes.first && value <= prefixes.last && digits.size() >= prefixes.least &&
           digits.size() <= prefixes.most;
  });
}

constexpr std::size_t kLeastCard = 12;
constexpr std::size_t kMostCard = 19;  // ISO/IEC 7812-1

bool is_card(std::string_view digits) {
  return digits.size() >= kLeastCard && has_known_prefix(digits) && passes_luhn(digits);
}

}  // namespace

bool passes_luhn(std::string_view digits) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const auto digit = static_cast<unsigned>(digits[digits.size() - 1 - i] - '0');
    const unsigned doubled = 2 * digit;
    sum += i % 2 == 0 ? digit : doubled - (doubled > 9 ? 9 : 0);
  }
  return !digits.empty() && sum % 10 == 0;
}

Match find_iban(const Folded& text, std::size_t at) {
  if (!is_digit(text[at + 2]) || !is_digit(text[at + 3]) || !is_latin(text[at + 1])) {
    return {};
  }
  const std::size_t length = iban_length(text[at], text[at + 1]);
  std::string iban;
  std::size_t place = at;
  while (iban.size() < length && length <= kMostIban) {
    if (!iban.empty() && (text[place] == ' ' || text[place] == '-')) {
      ++place;  // one separator; in print one stands after every four characters
    }
    if (!is_alphanumeric(text[place])) {
      return {};
    }
    iban += static_cast<char>(upper(text[place++]));
  }
  return length == 0 || is_word(text[place]) || !passes_mod_97(iban) ? Match{} : Match{at, place, false};
}

Match find_card(const Folded& text, std::size_t at) {
  const std::size_t first = run_at(text, at);
  if (first < 4 || first > kMostCard || text[at - 1] == '+' || continues_before(text, at)) {
    return {};
  }
  std::string digits;
  const auto take_group = [&](std::size_t place) {
    while (is_digit(text[place]) && digits.size() <= kMostCard) {
      digits += static_cast<char>(text[place++]);
    }
    return place;
  };
  std::size_t place = take_group(at);
  const unsigned char separator = text[place];
  const bool is_grouped = separator == ' ' || separator == '-';
  Match found;
  while (!is_word(text[place]) && digits.size() <= kMostCard) {
    if (is_card(digits) && !continues_behind(text, place)) {
      found = {at, place, false};  // the longest: what follows may be another number
    }
    const std::size_t before = digits.size();
    if (!is_grouped || text[place] != separator) {
      break;
    }
    place = take_group(place + 1);
    if (digits.size() - before < 2) {
      break;
    }
  }
  return found;
}

}  // namespace linnet::mask
