// Checks of national identification numbers: digits and letters without separators, letters in upper case.
#ifndef LINNET_RUNTIME_MASK_NATIONAL_H_
#define LINNET_RUNTIME_MASK_NATIONAL_H_

#include <string_view>

namespace linnet::mask {

bool is_us_ssn(std::string_view id);
bool is_uk_nino(std::string_view id);
bool is_uk_nhs(std::string_view id);
bool is_de_tax_id(std::string_view id);
bool is_fr_nir(std::string_view id);
bool is_es_dni(std::string_view id);
bool is_es_nie(std::string_view id);
bool is_it_codice_fiscale(std::string_view id);
bool is_nl_bsn(std::string_view id);
bool is_be_nn(std::string_view id);
bool is_ch_ahv(std::string_view id);
bool is_pl_pesel(std::string_view id);
bool is_se_personnummer(std::string_view id);
bool is_no_fnr(std::string_view id);
bool is_fi_hetu(std::string_view id);
bool is_br_cpf(std::string_view id);
bool is_ca_sin(std::string_view id);
bool is_in_aadhaar(std::string_view id);
bool is_cn_id(std::string_view id);

}  // namespace linnet::mask

#endif  // LINNET_RUNTIME_MASK_NATIONAL_H_
