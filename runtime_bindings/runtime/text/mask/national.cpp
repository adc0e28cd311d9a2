#include "mask/national.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "mask/pattern.h"

namespace linnet::mask {
namespace {

unsigned digit(char c) { return static_cast<unsigned>(c - '0'); }

// Return the number that digits [at, at + size) of an id stand for.
std::uint64_t number(std::string_view id, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (const char c : id.substr(at, size)) {
    value = 10 * value + digit(c);
  }
  return value;
}

// Return the sum of the first digits, each times its weight.
unsigned weighted(std::string_view id, std::initializer_list<unsigned> weights) {
  unsigned sum = 0;
  std::size_t at = 0;
  for (const unsigned weight : weights) {
    sum += weight * digit(id[at++]);
  }
  return sum;
}

bool is_day_of_month(std::uint64_t day, std::uint64_t month) {
  return day >= 1 && day <= 31 && month >= 1 && month <= 12 && (day < 31 || (month != 4 && month != 6)) &&
         (day < 31 || (month != 9 && month != 11)) && (day < 30 || month != 2);
}

bool all_equal(std::string_view id) {
  return std::all_of(id.begin(), id.end(), [id](char c) { return c == id[0]; });
}

constexpr std::string_view kSpanish = "TRWAGMYFPDXBNJZSQVHLCKE";

}  // namespace

// Social Security Administration, POMS RM 10201.035: areas, groups and serials that are never assigned; the
// number of the wallets of 1938 and that of an advertisement
bool is_us_ssn(std::string_view id) {
  const std::uint64_t area = number(id, 0, 3);
  return area != 0 && area != 666 && area < 900 && number(id, 3, 2) != 0 && number(id, 5, 4) != 0 &&
         id != "078051120" && id != "219099999" && id != "457555462";
}

// HM Revenue & Customs, National Insurance Manual NIM39110
bool is_uk_nino(std::string_view id) {
  constexpr std::string_view kNever = "DFIQUV";
  const std::string_view prefix = id.substr(0, 2);
  return kNever.find(id[0]) == std::string_view::npos && kNever.find(id[1]) == std::string_view::npos &&
         id[1] != 'O' && prefix != "BG" && prefix != "GB" && prefix != "KN" && prefix != "NK" &&
         prefix != "NT" && prefix != "TN" && prefix != "ZZ" && id[8] >= 'A' && id[8] <= 'D';
}

// NHS Data Dictionary, "NHS Number": modulus 11
bool is_uk_nhs(std::string_view id) {
  return weighted(id, {10, 9, 8, 7, 6, 5, 4, 3, 2, 1}) % 11 == 0 && !all_equal(id);
}

// Bundeszentralamt für Steuern: ISO/IEC 7064 MOD 11,10; among the first ten digits exactly one occurs twice
// or three times, the others at most once
bool is_de_tax_id(std::string_view id) {
  std::array<unsigned, 10> counts = {};
  unsigned product = 10;
  for (const char c : id.substr(0, 10)) {
    ++counts[digit(c)];
    const unsigned sum = (digit(c) + product) % 10;
    product = (sum == 0 ? 10 : sum) * 2 % 11;
  }
  const auto repeated =
      std::count_if(counts.begin(), counts.end(), [](unsigned n) { return n == 2 || n == 3; });
  const bool too_often = std::any_of(counts.begin(), counts.end(), [](unsigned n) { return n > 3; });
  return id[0] != '0' && repeated == 1 && !too_often && (11 - product) % 10 == digit(id[10]);
}

// INSEE, numéro de sécurité sociale: 97 less the number modulo 97; 2A and 2B of Corsica count as 19 and 18
bool is_fr_nir(std::string_view id) {
  constexpr std::string_view kSexes = "123478";
  if (kSexes.find(id[0]) == std::string_view::npos) {
    return false;
  }
  const std::uint64_t month = number(id, 3, 2);
  const bool is_month = (month >= 1 && month <= 12) || (month >= 20 && month <= 42) || month >= 50;
  std::array<char, 13> digits = {};
  std::copy_n(id.begin(), digits.size(), digits.begin());
  if (!is_digit(static_cast<unsigned char>(digits[6]))) {
    if (digits[5] != '2' || (digits[6] != 'A' && digits[6] != 'B')) {
      return false;
    }
    digits[5] = '1';
    digits[6] = digits[6] == 'A' ? '9' : '8';
  }
  return is_month && 97 - number({digits.data(), digits.size()}, 0, digits.size()) % 97 == number(id, 13, 2);
}

// Ministerio del Interior: the letter is that of the number modulo 23
bool is_es_dni(std::string_view id) { return kSpanish[number(id, 0, 8) % 23] == id[8]; }

// The same, X, Y and Z being 0, 1 and 2
bool is_es_nie(std::string_view id) {
  return id[0] >= 'X' && id[0] <= 'Z' &&
         kSpanish[(static_cast<std::uint64_t>(id[0] - 'X') * 10000000 + number(id, 1, 7)) % 23] == id[8];
}

// Decreto ministeriale 23 dicembre 1976: values of characters in odd places from a table, in even ones their
// own; letters LMNPQRSTUV stand for digits where two people would have the same code
bool is_it_codice_fiscale(std::string_view id) {
  constexpr std::array<unsigned, 26> kOdd = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                                             20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
  constexpr std::string_view kForDigits = "LMNPQRSTUV";
  constexpr std::string_view kMonths = "ABCDEHLMPRST";
  const auto value = [&](char c) {
    const std::size_t place = kForDigits.find(c);
    return is_digit(static_cast<unsigned char>(c)) ? digit(c)
                                                   : static_cast<unsigned>(place < 10 ? place : 99);
  };
  for (const std::size_t at : {6U, 7U, 9U, 10U, 12U, 13U, 14U}) {
    if (value(id[at]) > 9) {
      return false;
    }
  }
  const unsigned day = 10 * value(id[9]) + value(id[10]);
  if (kMonths.find(id[8]) == std::string_view::npos || day % 40 < 1 || day % 40 > 31 || day > 71) {
    return false;
  }
  unsigned sum = 0;
  for (std::size_t i = 0; i < 15; ++i) {
    const char c = id[i];
    const auto own = is_digit(static_cast<unsigned char>(c)) ? digit(c) : static_cast<unsigned>(c - 'A');
    sum += i % 2 == 0 ? kOdd[own] : own;
  }
  return id[15] == static_cast<char>('A' + sum % 26);
}

// Rijksdienst voor Identiteitsgegevens: the 11-test with a last weight of -1
bool is_nl_bsn(std::string_view id) {
  const unsigned sum = weighted(id, {9, 8, 7, 6, 5, 4, 3, 2});
  return number(id, 0, 9) != 0 && sum % 11 == digit(id[8]);
}

// Rijksregister: 97 less the number modulo 97, with a 2 before it for births since 2000
bool is_be_nn(std::string_view id) {
  const std::uint64_t front = number(id, 0, 9);
  const std::uint64_t check = number(id, 9, 2);
  const std::uint64_t month = number(id, 2, 2) % 20;  // 20 and 40 are added in numbers of foreigners
  const bool is_born = month <= 12 && number(id, 4, 2) <= 31 && number(id, 2, 2) < 60;
  return is_born && (97 - front % 97 == check || 97 - (2000000000 + front) % 97 == check);
}

// Zentrale Ausgleichsstelle: EAN-13 with the country 756
bool is_ch_ahv(std::string_view id) {
  return id.substr(0, 3) == "756" && weighted(id, {1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1}) % 10 == 0;
}

// Ministerstwo Cyfryzacji: the century is added to the month
bool is_pl_pesel(std::string_view id) {
  return is_day_of_month(number(id, 4, 2), number(id, 2, 2) % 20) &&
         weighted(id, {1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1}) % 10 == 0;
}

// Skatteverket, SKV 704: Luhn of the last ten digits; 60 is added to the day in coordination numbers
bool is_se_personnummer(std::string_view id) {
  if (id.size() == 12 && number(id, 0, 2) != 18 && number(id, 0, 2) != 19 && number(id, 0, 2) != 20) {
    return false;
  }
  id.remove_prefix(id.size() - 10);
  return is_day_of_month(number(id, 4, 2) % 60, number(id, 2, 2)) && passes_luhn(id);
}

// Skatteetaten: two check digits modulo 11; 40 is added to the day of D-numbers, 40 or 80 to the month of
// synthetic ones
bool is_no_fnr(std::string_view id) {
  return is_day_of_month(number(id, 0, 2) % 40, number(id, 2, 2) % 40) &&
         weighted(id, {3, 7, 6, 1, 8, 9, 4, 5, 2, 1}) % 11 == 0 &&
         weighted(id, {5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1}) % 11 == 0;
}

// Digi- ja väestötietovirasto: number modulo 31; more signs of the century since 2023
bool is_fi_hetu(std::string_view id) {
  constexpr std::string_view kChecks = "0123456789ABCDEFHJKLMNPRSTUVWXY";
  constexpr std::string_view kCenturies = "ABCDEFUVWXY";
  const bool has_letter = id.size() == 11;  // else the sign is + or -
  const std::size_t serial = has_letter ? 7 : 6;
  return is_day_of_month(number(id, 0, 2), number(id, 2, 2)) &&
         (!has_letter || kCenturies.find(id[6]) != std::string_view::npos) && number(id, serial, 3) >= 2 &&
         kChecks[(number(id, 0, 6) * 1000 + number(id, serial, 3)) % 31] == id[serial + 3];
}

// Receita Federal: two check digits modulo 11
bool is_br_cpf(std::string_view id) {
  const auto check = [](unsigned sum) { return sum % 11 < 2 ? 0U : 11 - sum % 11; };
  return !all_equal(id) && check(weighted(id, {10, 9, 8, 7, 6, 5, 4, 3, 2})) == digit(id[9]) &&
         check(weighted(id, {11, 10, 9, 8, 7, 6, 5, 4, 3, 2})) == digit(id[10]);
}

// Service Canada: Luhn; numbers with 0 or 8 in front are not given to people
bool is_ca_sin(std::string_view id) { return id[0] != '0' && id[0] != '8' && passes_luhn(id); }

// UIDAI: Verhoeff's check digit (J. Verhoeff, Error Detecting Decimal Codes, 1969)
bool is_in_aadhaar(std::string_view id) {
  constexpr std::array<std::array<std::uint8_t, 10>, 10> kTimes = {{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
                                                                    {1, 2, 3, 4, 0, 6, 7, 8, 9, 5},
                                                                    {2, 3, 4, 0, 1, 7, 8, 9, 5, 6},
                                                                    {3, 4, 0, 1, 2, 8, 9, 5, 6, 7},
                                                                    {4, 0, 1, 2, 3, 9, 5, 6, 7, 8},
                                                                    {5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
                                                                    {6, 5, 9, 8, 7, 1, 0, 4, 3, 2},
                                                                    {7, 6, 5, 9, 8, 2, 1, 0, 4, 3},
                                                                    {8, 7, 6, 5, 9, 3, 2, 1, 0, 4},
                                                                    {9, 8, 7, 6, 5, 4, 3, 2, 1, 0}}};
  constexpr std::array<std::array<std::uint8_t, 10>, 8> kPermuted = {{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
                                                                      {1, 5, 7, 6, 2, 8, 3, 0, 9, 4},
                                                                      {5, 8, 0, 3, 7, 9, 6, 1, 4, 2},
                                                                      {8, 9, 1, 6, 0, 4, 3, 5, 2, 7},
                                                                      {9, 4, 5, 3, 1, 2, 6, 8, 7, 0},
                                                                      {4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
                                                                      {2, 7, 9, 3, 8, 0, 6, 4, 1, 5},
                                                                      {7, 0, 4, 6, 9, 1, 3, 2, 5, 8}}};
  std::uint8_t check = 0;
  for (std::size_t i = 0; i < id.size(); ++i) {
    check = kTimes[check][kPermuted[i % 8][digit(id[id.size() - 1 - i])]];
  }
  return id[0] >= '2' && check == 0 && !std::equal(id.begin(), id.begin() + 6, id.rbegin());
}

// GB 11643-1999: ISO/IEC 7064 MOD 11-2
bool is_cn_id(std::string_view id) {
  constexpr std::string_view kChecks = "10X98765432";
  const std::uint64_t year = number(id, 6, 4);
  return id[0] != '0' && year >= 1880 && year <= 2099 &&
         is_day_of_month(number(id, 12, 2), number(id, 10, 2)) &&
         kChecks[weighted(id, {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}) % 11] == id[17];
}

}  // namespace linnet::mask
