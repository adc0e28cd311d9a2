// Expressions of JSON texts in the one form in which linnet writes them.
//
// A character of a string is itself, or its shortest escape where JSON needs one. Behind a colon and a comma
// there may be one space, elsewhere none. A number has at most 15 digits before and behind the point and two
// in the exponent, so that it is a finite double.
#ifndef LINNET_RUNTIME_CONSTRAIN_JSON_TEXT_H_
#define LINNET_RUNTIME_CONSTRAIN_JSON_TEXT_H_

#include <cstdint>
#include <string_view>

#include "constrain/expression.h"
#include "constrain/json_value.h"

namespace linnet::constrain {

// One character of a string, of a set.
Node json_characters(Expressions& expressions, const CharSet& set);
// A string of `least` to `most` characters, quotes included.
Node json_string(Expressions& expressions, std::uint32_t least, std::uint32_t most);
// A string with this content.
Node json_string_of(Expressions& expressions, std::string_view content);
Node json_integer(Expressions& expressions);
Node json_number(Expressions& expressions);
Node json_colon(Expressions& expressions);
Node json_comma(Expressions& expressions);
// Any value, arrays and objects of at most `levels` levels.
Node json_any(Expressions& expressions, int levels);
// One value, which has at most the levels of a JsonDocument.
Node json_literal(Expressions& expressions, const JsonDocument& document, std::uint32_t value);

}  // namespace linnet::constrain

#endif  // LINNET_RUNTIME_CONSTRAIN_JSON_TEXT_H_
