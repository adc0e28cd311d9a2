#include "constrain/one_of.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "constrain/expression.h"

namespace linnet::constrain {
namespace {

constexpr std::string_view kTypeNames[] = {"null",   "boolean", "integer", "number",
                                           "string", "array",   "object"};
constexpr int kMostReferences = 8;  // that lead from one to the other
constexpr std::size_t kMostSchemas = 64;

class Comparison {
 public:
  explicit Comparison(const JsonDocument& document) : document_(document) {}

  bool differ(std::uint32_t left_value, std::uint32_t right_value) const {
    const JsonValue* left = resolved(left_value);
    const JsonValue* right = resolved(right_value);
    if (left == nullptr || right == nullptr) {
      return false;
    }
    return differ_in_type(*left, *right) || differ_in_values(*left, *right) ||
           differ_in_property(*left, *right);
  }

 private:
  const JsonValue* member(const JsonValue& schema, std::string_view name) const {
    const std::ptrdiff_t found = schema.find(name);
    return found < 0 ? nullptr : &document_[schema.items[static_cast<std::size_t>(found)]];
  }

  // Follow references of the form #/$defs/name; nullptr for others.
  const JsonValue* resolved(std::uint32_t value) const {
    const JsonValue* schema = &document_[value];
    for (int i = 0; i < kMostReferences; ++i) {
      const JsonValue* reference = member(*schema, "$ref");
      if (reference == nullptr) {
        return schema;
      }
      schema = nullptr;
      for (const std::string_view folder : {"$defs", "definitions"}) {
        const std::string prefix = "#/" + std::string(folder) + "/";
        const JsonValue* definitions = member(document_[0], folder);
        if (definitions != nullptr && reference->text.compare(0, prefix.size(), prefix) == 0) {
          schema = member(*definitions, reference->text.substr(prefix.size()));
        }
      }
      if (schema == nullptr) {
        return nullptr;
      }
    }
    return nullptr;
  }

  // Return the plain values that a schema allows; nothing if it allows others.
  std::optional<std::vector<const JsonValue*>> values(const JsonValue& schema) const {
    std::vector<const JsonValue*> found;
    if (const JsonValue* constant = member(schema, "const"); constant != nullptr) {
      found.push_back(constant);
    } else if (const JsonValue* list = member(schema, "enum"); list != nullptr) {
      for (const std::uint32_t item : list->items) {
        found.push_back(&document_[item]);
      }
    } else {
      return std::nullopt;
    }
    const bool plain = std::all_of(found.begin(), found.end(), [](const JsonValue* value) {
      // numbers may be equal although they are written in another way
      return value->kind != JsonKind::kNumber && value->kind != JsonKind::kArray &&
             value->kind != JsonKind::kObject;
    });
    return plain ? std::optional(std::move(found)) : std::nullopt;
  }

  bool differ_in_type(const JsonValue& left, const JsonValue& right) const {
    const JsonValue* left_type = member(left, "type");
    const JsonValue* right_type = member(right, "type");
    if (left_type == nullptr || right_type == nullptr) {
      return false;
    }
    std::optional<Types> first = types_of(document_, *left_type);
    std::optional<Types> second = types_of(document_, *right_type);
    if (!first || !second) {
      return false;
    }
    (*first)[kNumber] = (*first)[kNumber] || (*first)[kInteger];
    (*second)[kNumber] = (*second)[kNumber] || (*second)[kInteger];
    for (std::size_t type = 0; type < first->size(); ++type) {
      if ((*first)[type] && (*second)[type]) {
        return false;
      }
    }
    return true;
  }

  bool differ_in_values(const JsonValue& left, const JsonValue& right) const {
    const auto first = values(left);
    const auto second = values(right);
    if (!first || !second) {
      return false;
    }
    return std::none_of(first->begin(), first->end(), [&](const JsonValue* a) {
      return std::any_of(second->begin(), second->end(),
                         [&](const JsonValue* b) { return a->kind == b->kind && a->text == b->text; });
    });
  }

  bool is_object(const JsonValue& schema) const {
    const JsonValue* type = member(schema, "type");
    return type != nullptr && type->text == "object";
  }

  bool requires_member(const JsonValue& schema, const std::string& name) const {
    const JsonValue* required = member(schema, "required");
    return required != nullptr &&
           std::any_of(required->items.begin(), required->items.end(),
                       [&](std::uint32_t item) { return document_[item].text == name; });
  }

  bool differ_in_property(const JsonValue& left, const JsonValue& right) const {
    const JsonValue* first = member(left, "properties");
    const JsonValue* second = member(right, "properties");
    if (first == nullptr || second == nullptr || !is_object(left) || !is_object(right)) {
      return false;
    }
    return std::any_of(first->names.begin(), first->names.end(), [&](const std::string& name) {
      const JsonValue* other = member(*second, name);
      return other != nullptr && requires_member(left, name) && requires_member(right, name) &&
             differ_in_values(*member(*first, name), *other);
    });
  }

  const JsonDocument& document_;
};

}  // namespace

std::optional<Types> types_of(const JsonDocument& document, const JsonValue& type) {
  std::vector<const JsonValue*> names = {&type};
  if (type.kind == JsonKind::kArray) {
    names.clear();
    for (const std::uint32_t item : type.items) {
      names.push_back(&document[item]);
    }
  }
  Types types = {};
  for (const JsonValue* name : names) {
    const auto* const found = std::find(std::begin(kTypeNames), std::end(kTypeNames), name->text);
    if (name->kind != JsonKind::kString || found == std::end(kTypeNames)) {
      return std::nullopt;
    }
    types[static_cast<std::size_t>(found - kTypeNames)] = true;
  }
  return names.empty() ? std::nullopt : std::optional(types);
}

bool types_allow(const Types& types, const JsonValue& value) {
  switch (value.kind) {
    case JsonKind::kNull:
      return types[kNull];
    case JsonKind::kFalse:
    case JsonKind::kTrue:
      return types[kBoolean];
    case JsonKind::kNumber:
      return types[kNumber] || (types[kInteger] && value.text.find_first_of(".eE") == std::string::npos);
    case JsonKind::kString:
      return types[kString];
    case JsonKind::kArray:
      return types[kArray];
    case JsonKind::kObject:
      return types[kObject];
  }
  return false;
}

void check_one_of(const JsonDocument& document, const JsonValue& schemas, const std::string& place) {
  const Comparison comparison(document);
  if (schemas.items.size() > kMostSchemas) {
    refuse("the JSON schema, " + place + ": " + std::to_string(schemas.items.size()) +
           " schemas, expected at most " + std::to_string(kMostSchemas) + "; use anyOf");
  }
  for (std::size_t i = 0; i < schemas.items.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (!comparison.differ(schemas.items[i], schemas.items[j])) {
        refuse("the JSON schema, " + place + ": a value may fulfil both schema " + std::to_string(j) +
               " and schema " + std::to_string(i) +
               ", expected schemas that differ in \"type\", or in the \"const\" of a property that both "
               "require; use "
               "anyOf");
      }
    }
  }
}

}  // namespace linnet::constrain
