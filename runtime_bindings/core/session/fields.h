// The manifest: values of the program's constant methods, read once.
#ifndef LINNET_CORE_SESSION_FIELDS_H_
#define LINNET_CORE_SESSION_FIELDS_H_

#include <executorch/runtime/executor/program.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "linnet.h"
#include "session/file_bytes.h"

namespace linnet {

class Fields {
 public:
  // Reads every constant method: no inputs, no instructions, one result that is an int, float, bool, str
  // or uint8 tensor. Bytes inside the mapping are pointed at, everything else is copied.
  static Fields read(const executorch::runtime::Program& program, const FileBytes& file);

  // Null if there is no such field.
  const linnet_value* find(std::string_view name) const;
  // Names, one per line.
  const std::string& names() const noexcept { return names_; }

  // Typed access to fields that check_contract() has verified.
  std::int64_t integer(std::string_view name) const;
  std::string text(std::string_view name) const;
  std::vector<std::string> items(std::string_view name) const;

 private:
  void keep_value(const std::string& name, const executorch::runtime::EValue& value, const FileBytes& file);
  void add(const std::string& name, const linnet_value& value);
  void keep(const std::string& name, linnet_value_type type, const void* bytes, std::size_t size);

  std::map<std::string, linnet_value, std::less<>> values_;
  std::map<std::string, std::string> storage_;  // what does not lie in the mapping
  std::string names_;
};

// Refuses a newer major schema version (LINNET_SCHEMA_TOO_NEW) and fields that are missing, mistyped or
// contradict each other (LINNET_MANIFEST_INVALID). `name` is the file's name in messages.
void check_contract(const Fields& fields, const std::string& name);

// Splits a stored list: items joined by a newline, with \\ and \n escaped (sdk/linnet/manifest.py).
std::vector<std::string> split_items(std::string_view text);

}  // namespace linnet

#endif  // LINNET_CORE_SESSION_FIELDS_H_
