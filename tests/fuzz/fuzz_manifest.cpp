// Values of a manifest: lines "name=value", an i, b, f or x before the name for int, bool, float and bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <list>
#include <string>
#include <vector>

#include "linnet.h"
#include "manifest.h"

namespace {

linnet_field read_field(const std::string& line, std::list<std::string>& kept) {
  const std::size_t equals = line.find('=');
  const std::string& name =
      kept.emplace_back(line.substr(1, equals == std::string::npos ? equals : equals - 1));
  const std::string& value = kept.emplace_back(equals == std::string::npos ? "" : line.substr(equals + 1));
  linnet_field field = text_field(name.c_str(), value);
  switch (line[0]) {
    case 'i':
      return int_field(name.c_str(), std::strtoll(value.c_str(), nullptr, 10));
    case 'b':
      field.value = {LINNET_BOOL, value == "1" ? 1 : 0, 0.0, nullptr, 0};
      return field;
    case 'f':
      field.value = {LINNET_FLOAT, 0, std::strtod(value.c_str(), nullptr), nullptr, 0};
      return field;
    case 'x':
      field.value.type = LINNET_BYTES;
      return field;
    default:
      return field;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::list<std::string> kept;
  std::vector<linnet_field> fields;
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    if (end > start) {
      fields.push_back(read_field(text.substr(start, end - start), kept));
    }
    start = end + 1;
  }
  linnet_task* task = nullptr;
  if (linnet_task_create(fields.data(), fields.size(), &task) == LINNET_OK) {
    for (std::size_t i = 0; i <= linnet_task_label_count(task); ++i) {
      linnet_text label;
      (void)linnet_task_label(task, i, &label);
    }
    const linnet_tokenizer* tokenizer = nullptr;
    (void)linnet_task_tokenizer(task, &tokenizer);
  }
  linnet_task_free(task);
  return 0;
}
