// Regular expressions, of which a subset becomes an expression.
#ifndef LINNET_RUNTIME_CONSTRAIN_REGEX_H_
#define LINNET_RUNTIME_CONSTRAIN_REGEX_H_

#include <string_view>

#include "constrain/expression.h"

namespace linnet::constrain {

// Whose rules an expression follows where they differ, and how its characters are written.
struct Dialect {
  // Python's `re` with re.ASCII, the whole text; else what Python's `re` and JavaScript agree on, a part of
  // the text: \D, \W and \S have ASCII characters only, and `.` no line separator.
  bool is_python = true;
  // Make the node of a text that is one of these characters.
  Node (*characters)(Expressions& expressions, const CharSet& set) = nullptr;
};

// Read literals, `.`, classes, escapes (\d \w \s and their opposites, \n \t \r \f \v \xHH \uHHHH,
// punctuation), groups (?:...) (?P<name>...) (...), alternatives, * + ? {m,n}, also lazy, and ^ and $ at the
// ends. Throw LINNET_INVALID_ARGUMENT with the place for anything else.
Node read_regex(Expressions& expressions, std::string_view text, const Dialect& dialect);

// The dialect of a constraint that is one regular expression.
Dialect python_dialect();

}  // namespace linnet::constrain

#endif  // LINNET_RUNTIME_CONSTRAIN_REGEX_H_
