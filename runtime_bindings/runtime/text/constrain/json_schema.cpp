#include "constrain/json_schema.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "constrain/json_text.h"
#include "constrain/json_value.h"
#include "constrain/one_of.h"
#include "constrain/regex.h"

namespace linnet::constrain {
namespace {

constexpr int kMostLevels = 48;            // of schemas in schemas, references followed
constexpr int kMostRecursion = 3;          // how often a reference is followed within itself
constexpr std::size_t kMostReads = 20000;  // of schemas, each as often as it is referred to
constexpr int kAnyLevels = 2;              // of arrays and objects where the schema says nothing
constexpr std::uint32_t kMostCount = 1000000;

// Keywords that assert nothing.
constexpr std::string_view kSilent[] = {"title",      "description", "default",   "examples",
                                        "deprecated", "readOnly",    "writeOnly", "$schema",
                                        "$id",        "$comment",    "$defs",     "definitions"};
constexpr std::string_view kRead[] = {"type",     "properties", "required",  "additionalProperties",
                                      "enum",     "const",      "items",     "minItems",
                                      "maxItems", "minLength",  "maxLength", "pattern",
                                      "anyOf",    "oneOf",      "allOf",     "$ref"};
constexpr std::string_view kObjectKeywords[] = {"properties", "required", "additionalProperties"};
constexpr std::string_view kArrayKeywords[] = {"items", "minItems", "maxItems"};
constexpr std::string_view kStringKeywords[] = {"minLength", "maxLength", "pattern"};

template <std::size_t N>
bool is_one_of(std::string_view name, const std::string_view (&names)[N]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

class Reader {
 public:
  Reader(Expressions& expressions, const JsonDocument& document)
      : expressions_(expressions), document_(document) {}

  // Return the node of a schema at a place such as "#/properties/name".
  Node read(std::uint32_t schema, const std::string& place) {
    if (++reads_ > kMostReads || levels_ >= kMostLevels) {
      refuse("the JSON schema, " + place + ": its references repeat more than " + std::to_string(kMostReads) +
             " schemas or nest more than " + std::to_string(kMostLevels) + " of them; make it smaller");
    }
    ++levels_;
    const Node node = read_checked(schema, place);
    --levels_;
    return node;
  }

 private:
  [[noreturn]] static void fail(const std::string& place, const std::string& problem) {
    refuse("the JSON schema, " + place + ": " + problem);
  }

  const JsonValue* member(const JsonValue& schema, std::string_view name) const {
    const std::ptrdiff_t found = schema.find(name);
    return found < 0 ? nullptr : &document_[schema.items[static_cast<std::size_t>(found)]];
  }
  std::uint32_t member_value(const JsonValue& schema, std::string_view name) const {
    return schema.items[static_cast<std::size_t>(schema.find(name))];
  }

  Node read_checked(std::uint32_t value, const std::string& place) {
    const JsonValue& schema = document_[value];
    if (schema.kind == JsonKind::kTrue) {
      return json_any(expressions_, kAnyLevels);
    }
    if (schema.kind == JsonKind::kFalse) {
      return expressions_.nothing();
    }
    if (schema.kind != JsonKind::kObject) {
      fail(place, "expected an object, true or false");
    }
    for (const std::string& name : schema.names) {
      if (!is_one_of(name, kSilent) && !is_one_of(name, kRead)) {
        fail(place,
             "the keyword \"" + name + "\" is not supported; leave it out, or say the same with " +
                 "properties, required, enum, const, items, minItems, maxItems, minLength, maxLength, " +
                 "pattern, anyOf or $ref");
      }
    }
    for (const std::string_view name : {"$ref", "anyOf", "oneOf", "allOf", "enum", "const"}) {
      if (schema.find(name) >= 0) {
        return read_alone(schema, name, place);
      }
    }
    return read_types(schema, place);
  }

  // Read a keyword beside which no other one may assert something: both would have to hold.
  Node read_alone(const JsonValue& schema, std::string_view keyword, const std::string& place) {
    const bool is_value = keyword == "enum" || keyword == "const";
    for (const std::string& name : schema.names) {
      if (name != keyword && !is_one_of(name, kSilent) && !(is_value && name == "type")) {
        fail(place, "\"" + name + "\" beside \"" + std::string(keyword) +
                        "\" is not supported; move it into the schemas that it belongs to");
      }
    }
    const std::string inner = place + "/" + std::string(keyword);
    if (keyword == "$ref") {
      return read_reference(schema, inner);
    }
    return is_value ? read_values(schema, keyword, inner) : read_schemas(schema, keyword, inner);
  }

  Node read_reference(const JsonValue& schema, const std::string& place) {
    const JsonValue& reference = *member(schema, "$ref");
    if (reference.kind != JsonKind::kString || reference.text.empty() || reference.text[0] != '#') {
      fail(place, "expected a reference within the schema, such as #/$defs/name");
    }
    int& depth = open_references_[reference.text];
    if (depth > kMostRecursion) {
      return expressions_.nothing();
    }
    ++depth;
    const Node node = read(resolve(reference.text, place), reference.text);
    --open_references_[reference.text];
    return node;
  }

  // Return the schema that a JSON pointer names (RFC 6901).
  std::uint32_t resolve(const std::string& reference, const std::string& place) const {
    std::uint32_t value = 0;
    for (std::size_t at = 1; at < reference.size();) {
      const std::size_t end = std::min(reference.find('/', at + 1), reference.size());
      std::string name;
      for (std::size_t i = at + 1; i < end; ++i) {
        const std::string_view escape = std::string_view(reference).substr(i, 2);
        const bool is_escape = escape == "~0" || escape == "~1";
        name += is_escape ? (escape == "~0" ? '~' : '/') : reference[i];
        i += is_escape ? 1 : 0;
      }
      const std::ptrdiff_t found = document_[value].find(name);
      if (reference[at] != '/' || found < 0) {
        fail(place, "there is no " + reference);
      }
      value = document_[value].items[static_cast<std::size_t>(found)];
      at = end;
    }
    return value;
  }

  Node read_schemas(const JsonValue& schema, std::string_view keyword, const std::string& place) {
    const JsonValue& schemas = *member(schema, keyword);
    if (schemas.kind != JsonKind::kArray || schemas.items.empty()) {
      fail(place, "expected a list of schemas");
    }
    if (keyword == "allOf" && schemas.items.size() > 1) {
      fail(place, "several schemas that hold at once are not supported; write them as one");
    }
    if (keyword == "oneOf") {
      check_one_of(document_, schemas, place);
    }
    std::vector<Node> nodes;
    nodes.reserve(schemas.items.size());
    for (std::size_t i = 0; i < schemas.items.size(); ++i) {
      nodes.push_back(read(schemas.items[i], place + "/" + std::to_string(i)));
    }
    return expressions_.any_of(std::move(nodes));
  }

  Node read_values(const JsonValue& schema, std::string_view keyword, const std::string& place) {
    const std::uint32_t given = member_value(schema, keyword);
    std::vector<std::uint32_t> values = {given};
    if (keyword == "enum") {
      if (document_[given].kind != JsonKind::kArray || document_[given].items.empty()) {
        fail(place, "expected a list of values");
      }
      values = document_[given].items;
    }
    const std::optional<Types> types = read_type(schema, place);
    std::vector<Node> nodes;
    for (const std::uint32_t value : values) {
      if (!types || types_allow(*types, document_[value])) {
        nodes.push_back(json_literal(expressions_, document_, value));
      }
    }
    if (nodes.empty()) {
      fail(place, "no value is of the type beside it");
    }
    return expressions_.any_of(std::move(nodes));
  }

  std::optional<Types> read_type(const JsonValue& schema, const std::string& place) const {
    const JsonValue* type = member(schema, "type");
    if (type == nullptr) {
      return std::nullopt;
    }
    std::optional<Types> types = types_of(document_, *type);
    if (!types) {
      fail(place,
           "\"type\" is none of null, boolean, integer, number, string, array, object, or a list of these");
    }
    return types;
  }

  // Return the types that a schema without "type" is about: those of its keywords, or all.
  static Types meant_types(const JsonValue& schema) {
    Types types = {};
    for (const std::string& name : schema.names) {
      types[kObject] = types[kObject] || is_one_of(name, kObjectKeywords);
      types[kArray] = types[kArray] || is_one_of(name, kArrayKeywords);
      types[kString] = types[kString] || is_one_of(name, kStringKeywords);
    }
    return types;
  }

  Node read_types(const JsonValue& schema, const std::string& place) {
    const Types types = read_type(schema, place).value_or(meant_types(schema));
    std::vector<Node> nodes;
    if (types[kNull]) {
      nodes.push_back(expressions_.text("null"));
    }
    if (types[kBoolean]) {
      nodes.push_back(expressions_.text("false"));
      nodes.push_back(expressions_.text("true"));
    }
    if (types[kNumber]) {
      nodes.push_back(json_number(expressions_));
    } else if (types[kInteger]) {
      nodes.push_back(json_integer(expressions_));
    }
    if (types[kString]) {
      nodes.push_back(read_string(schema, place));
    }
    if (types[kArray]) {
      nodes.push_back(read_array(schema, place));
    }
    if (types[kObject]) {
      nodes.push_back(read_object(schema, place));
    }
    return nodes.empty() ? json_any(expressions_, kAnyLevels) : expressions_.any_of(std::move(nodes));
  }

  std::uint32_t read_count(const JsonValue& schema, std::string_view name, std::uint32_t absent,
                           const std::string& place) const {
    const JsonValue* value = member(schema, name);
    if (value == nullptr) {
      return absent;
    }
    std::uint32_t count = 0;
    const bool is_count = value->kind == JsonKind::kNumber && value->text.size() <= 7 &&
                          value->text.find_first_not_of("0123456789") == std::string::npos;
    for (const char digit : is_count ? value->text : "") {
      count = 10 * count + static_cast<std::uint32_t>(digit - '0');
    }
    if (!is_count || count > kMostCount) {
      fail(place, "\"" + std::string(name) + "\" is no integer of 0 to " + std::to_string(kMostCount));
    }
    return count;
  }

  // Read the bounds of a length.
  std::pair<std::uint32_t, std::uint32_t> read_bounds(const JsonValue& schema, std::string_view least,
                                                      std::string_view most, const std::string& place) const {
    const std::pair<std::uint32_t, std::uint32_t> bounds = {read_count(schema, least, 0, place),
                                                            read_count(schema, most, kUnlimited, place)};
    if (bounds.first > bounds.second) {
      fail(place, "\"" + std::string(least) + "\" is above \"" + std::string(most) + "\"");
    }
    return bounds;
  }

  Node read_string(const JsonValue& schema, const std::string& place) {
    const auto [least, most] = read_bounds(schema, "minLength", "maxLength", place);
    const JsonValue* pattern = member(schema, "pattern");
    if (pattern == nullptr) {
      return json_string(expressions_, least, most);
    }
    if (pattern->kind != JsonKind::kString) {
      fail(place, "\"pattern\" is no string");
    }
    if (least > 0 || most != kUnlimited) {
      fail(place,
           "\"pattern\" beside \"minLength\" or \"maxLength\" is not supported; say the length in the "
           "pattern, "
           "as in ^.{1,8}$");
    }
    const Node quote = expressions_.text("\"");
    return expressions_.sequence(
        {quote, read_regex(expressions_, pattern->text, {false, json_characters}), quote});
  }

  Node read_array(const JsonValue& schema, const std::string& place) {
    const auto [least, most] = read_bounds(schema, "minItems", "maxItems", place);
    const Node item = schema.find("items") < 0 ? json_any(expressions_, kAnyLevels - 1)
                                               : read(member_value(schema, "items"), place + "/items");
    return expressions_.sequence({expressions_.text("["),
                                  expressions_.list(item, json_comma(expressions_), least, most),
                                  expressions_.text("]")});
  }

  Node read_object(const JsonValue& schema, const std::string& place) {
    const JsonValue* properties = member(schema, "properties");
    if (properties != nullptr && properties->kind != JsonKind::kObject) {
      fail(place, "\"properties\" is no object");
    }
    const std::vector<std::string> required = read_required(schema, properties, place);
    const Node comma = json_comma(expressions_);
    Node members = expressions_.text("");
    if (properties != nullptr && !properties->names.empty()) {
      std::vector<Member> each;
      for (std::size_t i = 0; i < properties->names.size(); ++i) {
        const std::string& name = properties->names[i];
        const bool is_required = std::find(required.begin(), required.end(), name) != required.end();
        std::string inner = place;
        inner.append("/properties/").append(name);
        const Node value = read(properties->items[i], inner);
        each.push_back({named(json_string_of(expressions_, name), value), !is_required});
      }
      members = expressions_.members(each, comma);
    }
    return expressions_.sequence(
        {expressions_.text("{"), read_additional(schema, members, comma, place), expressions_.text("}")});
  }

  Node named(Node name, Node value) { return expressions_.sequence({name, json_colon(expressions_), value}); }

  std::vector<std::string> read_required(const JsonValue& schema, const JsonValue* properties,
                                         const std::string& place) const {
    std::vector<std::string> names;
    const JsonValue* required = member(schema, "required");
    if (required == nullptr) {
      return names;
    }
    if (required->kind != JsonKind::kArray) {
      fail(place, "\"required\" is no list");
    }
    for (const std::uint32_t item : required->items) {
      names.push_back(document_[item].text);
      if (document_[item].kind != JsonKind::kString || properties == nullptr ||
          properties->find(names.back()) < 0) {
        fail(place, "\"required\" has \"" + names.back() +
                        "\", which is not among the properties; other properties are never written");
      }
    }
    return names;
  }

  // Return `members`, or members with any name where the schema names none and gives a schema for all.
  Node read_additional(const JsonValue& schema, Node members, Node comma, const std::string& place) {
    const JsonValue* additional = member(schema, "additionalProperties");
    if (additional == nullptr || additional->kind == JsonKind::kFalse) {
      return members;
    }
    const JsonValue* properties = member(schema, "properties");
    if (properties != nullptr && !properties->names.empty()) {
      if (additional->kind == JsonKind::kTrue) {
        return members;
      }
      fail(place,
           "a schema as \"additionalProperties\" beside \"properties\" is not supported; set it to false, or "
           "leave "
           "\"properties\" out");
    }
    const Node value =
        additional->kind == JsonKind::kTrue
            ? json_any(expressions_, kAnyLevels - 1)
            : read(member_value(schema, "additionalProperties"), place + "/additionalProperties");
    return expressions_.list(named(json_string(expressions_, 0, kUnlimited), value), comma, 0, kUnlimited);
  }

  Expressions& expressions_;
  const JsonDocument& document_;
  std::map<std::string, int> open_references_;
  std::size_t reads_ = 0;
  int levels_ = 0;
};

}  // namespace

Node read_json_schema(Expressions& expressions, std::string_view text) {
  const JsonDocument document(text);
  return Reader(expressions, document).read(0, "#");
}

}  // namespace linnet::constrain
