// The patterns, one row each. Sources of the checks stand beside their functions.
#include "mask/national.h"
#include "mask/pattern.h"

namespace linnet::mask {
namespace {

constexpr std::string_view kNational = "NATIONAL_ID";

// "born", "date of birth" and their like, as forms of public administrations have them.
constexpr std::string_view kBirth =
    "born|birth|birthdate|birthday|birthdates|dob|d.o.b|"       // English
    "geboren|geb|geburt*|"                                      // German
    "naissance|né|née|"                                         // French
    "nacimiento|nacido|nacida|nac|nascimento|nascido|nascida|"  // Spanish, Portuguese
    "nascita|nato|nata|geboortedatum|geboorte|"                 // Italian, Dutch
    "födelse*|född|fødsel*|født|syntym*|synt|"                  // of the North
    "urodz*|ur|narozen*|nar|narodeni*|született|szület*|rođen*|rojen*|născut*|nașterii|"  // of the East
    "doğum|doğdu|рожден*|родил*|род|народжен*|γεννήθηκε|γέννησης|γεννηθείς|"  // Turkish, Cyrillic, Greek
    "~出生|~生年月日|~生日|~生まれ|~생년월일|~출생|~תאריך לידה|~تاريخ الميلاد|~जन्म";

std::vector<Pattern> make_patterns() {
  const auto alone = [](std::string_view type, unsigned begins, auto match, std::string_view checked_by) {
    return Pattern{type, "", begins, match, {}, nullptr, {}, checked_by};
  };
  const auto id = [](std::string_view type, unsigned begins, std::string_view forms, auto check,
                     std::string_view checked_by, std::string_view near_forms = "",
                     std::string_view words = "") {
    Pattern row{type, kNational, begins, nullptr, {}, check, words_of(words), checked_by};
    add_forms(row.forms, forms, false);
    add_forms(row.forms, near_forms, true);
    return row;
  };
  std::vector<Pattern> table = {
      alone("EMAIL", kAt, find_email, "form of RFC 5321 and 5322"),
      alone("IBAN", kLetter, find_iban, "country, length and check digits (ISO 13616)"),
      alone("CARD", kDigit, find_card, "issuer, length and check digit (ISO/IEC 7812)"),
      alone("IP", kDigit | kLetter | kColon, find_ip, "form of RFC 791 and 4291"),
      alone("MAC", kDigit | kLetter, find_mac, "form of IEEE 802"),
      alone("PHONE", kPlus, find_phone, "country code and length (ITU-T E.164)"),
      alone("DATE_OF_BIRTH", kDigit, find_birth_date, "a day of the calendar, and a word of birth near"),
      id("US_SSN", kDigit, "ddd-dd-dddd|ddd dd dddd", is_us_ssn, "area, group and serial that are assigned",
         "ddddddddd", "ssn|social security|soc sec"),
      id("UK_NINO", kLetter, "LLddddddL|LL dd dd dd L|LL-dd-dd-dd-L|LL dddddd L", is_uk_nino,
         "prefix and suffix"),
      id("UK_NHS", kDigit, "", is_uk_nhs, "check digit modulo 11, and a word near",
         "ddd ddd dddd|ddd-ddd-dddd|dddddddddd", "nhs|national health service"),
      id("DE_TAX_ID", kDigit, "ddddddddddd|dd ddd ddd ddd|dd/ddd/ddd/ddd", is_de_tax_id,
         "check digit MOD 11,10 and repeated digits"),
      id("FR_NIR", kDigit, "ddddddadddddddd|ddddddadddddd dd|d dd dd da ddd ddd dd|d dd dd da ddd ddd/dd",
         is_fr_nir, "month and check digits modulo 97"),
      id("ES_DNI", kDigit, "ddddddddL|dddddddd-L|dd.ddd.ddd-L|dd.ddd.dddL", is_es_dni,
         "check letter modulo 23"),
      id("ES_NIE", kLetter, "LdddddddL|L-ddddddd-L|Lddddddd-L", is_es_nie, "check letter modulo 23"),
      id("IT_CODICE_FISCALE", kLetter, "LLLLLLaaLaaLaaaL|LLL LLL aaLaa LaaaL", is_it_codice_fiscale,
         "day, month and check letter"),
      id("NL_BSN", kDigit, "", is_nl_bsn, "11-test, and a word near", "ddddddddd|dddd.dd.ddd|dddd dd ddd",
         "bsn|burgerservicenummer|sofi*|citizen service number"),
      id("BE_NN", kDigit, "dd.dd.dd-ddd.dd|dddddd-ddd-dd|dddddd ddd dd|ddddddddddd", is_be_nn,
         "date and check digits modulo 97"),
      id("CH_AHV", kDigit, "ddd.dddd.dddd.dd|ddd dddd dddd dd|ddddddddddddd", is_ch_ahv,
         "country and check digit (EAN-13)"),
      id("PL_PESEL", kDigit, "ddddddddddd", is_pl_pesel, "date and check digit"),
      id("SE_PERSONNUMMER", kDigit, "dddddd-dddd|dddddd+dddd|dddddddd-dddd|dddddddddddd", is_se_personnummer,
         "date and check digit (Luhn)", "dddddddddd",
         "personnummer|samordningsnummer|personal identity number"),
      id("NO_FNR", kDigit, "dddddd ddddd|ddddddddddd", is_no_fnr, "date and two check digits modulo 11"),
      id("FI_HETU", kDigit, "dddddd-ddda|dddddd+ddda|ddddddLddda", is_fi_hetu,
         "date and check character modulo 31"),
      id("BR_CPF", kDigit, "ddd.ddd.ddd-dd|ddddddddddd", is_br_cpf, "two check digits modulo 11"),
      id("CA_SIN", kDigit, "", is_ca_sin, "check digit (Luhn), and a word near",
         "ddd ddd ddd|ddd-ddd-ddd|ddddddddd", "sin|social insurance|nas|assurance sociale"),
      id("IN_AADHAAR", kDigit, "dddd dddd dddd|dddd-dddd-dddd", is_in_aadhaar, "check digit (Verhoeff)",
         "dddddddddddd", "aadhaar|aadhar|uidai|uid|~आधार"),
      id("CN_ID", kDigit, "ddddddddddddddddda", is_cn_id, "date and check character MOD 11-2"),
  };
  for (Pattern& pattern : table) {
    if (pattern.match == find_birth_date) {
      pattern.words = words_of(kBirth);
    }
  }
  return table;
}

}  // namespace

const std::vector<Pattern>& patterns() {
  static const std::vector<Pattern> table = make_patterns();
  return table;
}

}  // namespace linnet::mask
