// Types of JSON values in a schema, and schemas of which a value fulfils one at most.
#ifndef LINNET_RUNTIME_CONSTRAIN_ONE_OF_H_
#define LINNET_RUNTIME_CONSTRAIN_ONE_OF_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "constrain/json_value.h"

namespace linnet::constrain {

enum Type : std::size_t { kNull, kBoolean, kInteger, kNumber, kString, kArray, kObject };

// Which types a value may have. A number may be an integer.
using Types = std::array<bool, 7>;

// Read the value of "type"; nothing if it is wrong.
std::optional<Types> types_of(const JsonDocument& document, const JsonValue& type);

// Tell whether a value has one of the types.
bool types_allow(const Types& types, const JsonValue& value);

// Throw LINNET_INVALID_ARGUMENT, with the place, unless each two of the schemas differ in their types, or in
// the strings or other plain values that they allow, themselves or in a property that both require. What
// schemas allow beyond the texts that linnet writes counts, too.
void check_one_of(const JsonDocument& document, const JsonValue& schemas, const std::string& place);

}  // namespace linnet::constrain

#endif  // LINNET_RUNTIME_CONSTRAIN_ONE_OF_H_
