#include "constrain/json_text.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "tokenizer/unicode.h"

namespace linnet::constrain {
namespace {

constexpr char32_t kFirstPlain = 0x20;  // JSON escapes what is below
constexpr std::uint32_t kMostDigits = 15;
constexpr std::uint32_t kMostExponentDigits = 2;

// Return the shortest escape of a character, empty if it needs none.
std::string escape_of(char32_t c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return c >= kFirstPlain ? std::string() : std::string("\\u00") + kDigits[c >> 4U] + kDigits[c & 15U];
  }
}

Node digits(Expressions& expressions, std::uint32_t least, std::uint32_t most) {
  return expressions.repeat(expressions.characters(CharSet({{'0', '9'}})), least, most);
}

}  // namespace

Node json_characters(Expressions& expressions, const CharSet& set) {
  std::vector<CharRange> plain_ends = {{0, kFirstPlain - 1}};  // left out of what is written as it is
  std::vector<CharRange> signs;                                // behind a backslash
  std::vector<CharRange> last_digits[2];                       // behind \u000 and \u001
  const auto add = [&](char32_t c) {
    const std::string escape = escape_of(c);
    const auto last = static_cast<char32_t>(escape.back());
    if (set.has(c)) {
      (escape.size() == 2 ? signs : last_digits[c >> 4U]).push_back({last, last});
    }
  };
  for (char32_t c = 0; c < kFirstPlain; ++c) {
    add(c);
  }
  for (const char32_t c : {char32_t{'"'}, char32_t{'\\'}}) {
    plain_ends.push_back({c, c});
    add(c);
  }
  std::vector<Node> forms = {expressions.characters(set.without(CharSet(plain_ends)))};
  std::vector<Node> behind = {expressions.characters(CharSet(signs))};
  std::vector<Node> hexadecimal;
  for (const std::size_t digit : {0, 1}) {
    hexadecimal.push_back(expressions.sequence(
        {expressions.text(digit == 0 ? "0" : "1"), expressions.characters(CharSet(last_digits[digit]))}));
  }
  behind.push_back(
      expressions.sequence({expressions.text("u00"), expressions.any_of(std::move(hexadecimal))}));
  forms.push_back(expressions.sequence({expressions.text("\\"), expressions.any_of(std::move(behind))}));
  return expressions.any_of(std::move(forms));
}

Node json_string(Expressions& expressions, std::uint32_t least, std::uint32_t most) {
  const Node quote = expressions.text("\"");
  const Node character = json_characters(expressions, CharSet::all());
  return expressions.sequence({quote, expressions.repeat(character, least, most), quote});
}

Node json_string_of(Expressions& expressions, std::string_view content) {
  std::string text = "\"";
  while (!content.empty()) {
    const unicode::Decoded next = unicode::decode(content);
    const std::string escape = escape_of(next.c);
    text += escape.empty() ? std::string(content.substr(0, next.length)) : escape;
    content.remove_prefix(next.length);
  }
  return expressions.text(text + "\"");
}

Node json_integer(Expressions& expressions) {
  const Node first = expressions.characters(CharSet({{'1', '9'}}));
  const Node above = expressions.sequence({first, digits(expressions, 0, kMostDigits - 1)});
  return expressions.sequence(
      {expressions.optional(expressions.text("-")), expressions.any_of({expressions.text("0"), above})});
}

Node json_number(Expressions& expressions) {
  const Node fraction = expressions.sequence({expressions.text("."), digits(expressions, 1, kMostDigits)});
  const Node exponent =
      expressions.sequence({expressions.characters(CharSet({{'E', 'E'}, {'e', 'e'}})),
                            expressions.optional(expressions.characters(CharSet({{'+', '+'}, {'-', '-'}}))),
                            digits(expressions, 1, kMostExponentDigits)});
  return expressions.sequence(
      {json_integer(expressions), expressions.optional(fraction), expressions.optional(exponent)});
}

Node json_colon(Expressions& expressions) {
  return expressions.sequence({expressions.text(":"), expressions.optional(expressions.text(" "))});
}

Node json_comma(Expressions& expressions) {
  return expressions.sequence({expressions.text(","), expressions.optional(expressions.text(" "))});
}

Node json_any(Expressions& expressions, int levels) {
  const Node string = json_string(expressions, 0, kUnlimited);
  const Node plain = expressions.any_of({expressions.text("null"), expressions.text("false"),
                                         expressions.text("true"), json_number(expressions), string});
  const Node comma = json_comma(expressions);
  Node any = plain;
  for (int level = 0; level < levels; ++level) {
    const Node member = expressions.sequence({string, json_colon(expressions), any});
    any = expressions.any_of(
        {plain,
         expressions.sequence(
             {expressions.text("["), expressions.list(any, comma, 0, kUnlimited), expressions.text("]")}),
         expressions.sequence({expressions.text("{"), expressions.list(member, comma, 0, kUnlimited),
                               expressions.text("}")})});
  }
  return any;
}

Node json_literal(Expressions& expressions, const JsonDocument& document, std::uint32_t value) {
  const JsonValue& found = document[value];
  switch (found.kind) {
    case JsonKind::kNull:
      return expressions.text("null");
    case JsonKind::kFalse:
      return expressions.text("false");
    case JsonKind::kTrue:
      return expressions.text("true");
    case JsonKind::kNumber:
      return expressions.text(found.text);
    case JsonKind::kString:
      return json_string_of(expressions, found.text);
    default:
      break;
  }
  const bool is_object = found.kind == JsonKind::kObject;
  std::vector<Node> parts = {expressions.text(is_object ? "{" : "[")};
  for (std::size_t i = 0; i < found.items.size(); ++i) {
    if (i > 0) {
      parts.push_back(json_comma(expressions));
    }
    if (is_object) {
      parts.push_back(json_string_of(expressions, found.names[i]));
      parts.push_back(json_colon(expressions));
    }
    parts.push_back(json_literal(expressions, document, found.items[i]));
  }
  parts.push_back(expressions.text(is_object ? "}" : "]"));
  return expressions.sequence(std::move(parts));
}

}  // namespace linnet::constrain
