// JSON schemas (draft 2020-12), of which a subset becomes an expression of JSON texts.
#ifndef LINNET_RUNTIME_CONSTRAIN_JSON_SCHEMA_H_
#define LINNET_RUNTIME_CONSTRAIN_JSON_SCHEMA_H_

#include <string_view>

#include "constrain/expression.h"

namespace linnet::constrain {

// Read a schema. Every text of the expression is a JSON text (json_text.h) that the schema allows; not all
// that it allows are among them: an object has its properties in the order of the schema and no others. A
// schema that refers to itself is followed three levels down. Throw LINNET_INVALID_ARGUMENT for keywords that
// are not supported, and for schemas that are wrong.
Node read_json_schema(Expressions& expressions, std::string_view text);

}  // namespace linnet::constrain

#endif  // LINNET_RUNTIME_CONSTRAIN_JSON_SCHEMA_H_
