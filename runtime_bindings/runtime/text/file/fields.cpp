#include "file/fields.h"

namespace linnet {

void Fields::point(const std::string& name, const linnet_value& value) {
  if (!values_.emplace(name, value).second) {
    values_[name] = value;
    return;
  }
  names_ += (names_.empty() ? "" : "\n") + name;
}

void Fields::copy(const std::string& name, const linnet_value& value) {
  linnet_value kept = value;
  if (value.type == LINNET_STRING || value.type == LINNET_BYTES) {
    std::string& bytes = storage_[name];
    bytes.assign(value.size == 0 ? "" : value.bytes, value.size);
    kept.bytes = bytes.data();
  }
  point(name, kept);
}

const linnet_value* Fields::find(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

std::int64_t Fields::integer(std::string_view name) const {
  const linnet_value* value = find(name);
  return value == nullptr ? 0 : value->integer;
}

double Fields::real(std::string_view name, double absent) const {
  const linnet_value* value = find(name);
  return value == nullptr ? absent : value->real;
}

std::int64_t Fields::id(std::string_view name) const {
  const linnet_value* value = find(name);
  return value == nullptr ? -1 : value->integer;
}

std::string Fields::text(std::string_view name) const {
  const linnet_value* value = find(name);
  return value == nullptr || value->size == 0 ? std::string() : std::string(value->bytes, value->size);
}

std::vector<std::string> Fields::items(std::string_view name) const { return split_items(text(name)); }

std::vector<std::string> split_items(std::string_view text) {
  std::vector<std::string> items;
  if (text.empty()) {
    return items;
  }
  items.emplace_back();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') {
      items.emplace_back();
    } else if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      items.back() += text[i] == 'n' ? '\n' : text[i];
    } else {
      items.back() += text[i];
    }
  }
  return items;
}

}  // namespace linnet
