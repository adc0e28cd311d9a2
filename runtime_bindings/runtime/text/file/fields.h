// Manifest fields: the values of a program's constant methods, whichever runtime read them.
#ifndef LINNET_RUNTIME_FILE_FIELDS_H_
#define LINNET_RUNTIME_FILE_FIELDS_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "linnet.h"

namespace linnet {

class Fields {
 public:
  // Keep a value as it is: its bytes are borrowed and must outlive this object.
  void point(const std::string& name, const linnet_value& value);
  // Keep a value with a copy of its bytes.
  void copy(const std::string& name, const linnet_value& value);

  // Return a field, borrowed, or NULL if there is none of this name.
  const linnet_value* find(std::string_view name) const;
  // Return the names, one per line, in the order in which they were added.
  const std::string& names() const noexcept { return names_; }

  // Return the value of a field whose type check_manifest() has verified; 0 or empty if the field is absent.
  std::int64_t integer(std::string_view name) const;
  // Return the id of a special token, or -1 if the field is absent, as -1 in the file means that there is
  // none.
  std::int64_t id(std::string_view name) const;
  // The same for a number, or `absent` if the field is.
  double real(std::string_view name, double absent) const;
  std::string text(std::string_view name) const;
  std::vector<std::string> items(std::string_view name) const;

 private:
  std::map<std::string, linnet_value, std::less<>> values_;
  std::map<std::string, std::string> storage_;  // the copies
  std::string names_;
};

// Refuse a newer major schema version (LINNET_SCHEMA_TOO_NEW), and fields that are missing, have the wrong
// type or contradict each other (LINNET_MANIFEST_INVALID). `name` is the file's name in messages.
void check_manifest(const Fields& fields, const std::string& name);

// Split a stored list: items joined by a newline, with \\ and \n escaped (sdk/linnet/format/manifest.py).
std::vector<std::string> split_items(std::string_view text);

}  // namespace linnet

#endif  // LINNET_RUNTIME_FILE_FIELDS_H_
