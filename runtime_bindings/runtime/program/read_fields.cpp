#include "program/read_fields.h"

#include <executorch/runtime/executor/memory_manager.h>
#include <executorch/runtime/executor/method.h>

#include <functional>
#include <utility>

#include "program/executorch_errors.h"
#include "program/method_memory.h"
#include "program/planned_memory.h"
#include "status.h"

namespace linnet {
namespace {

using executorch::aten::ScalarType;
using executorch::runtime::EValue;
using executorch::runtime::MemoryManager;
using executorch::runtime::Method;
using executorch::runtime::MethodMeta;
using executorch::runtime::Program;
using executorch::runtime::Result;

// ExecuTorch marks num_instructions() as experimental, which compilers report as deprecated.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
bool is_constant(const MethodMeta& meta) {
  return meta.num_inputs() == 0 && meta.num_outputs() == 1 && meta.num_instructions() == 0 &&
         meta.num_backends() == 0;
}
#pragma GCC diagnostic pop

// Bytes for loading a constant method, which takes some hundred. A file whose method takes more can still be
// read; only the check for memory in advance is then too weak.
constexpr std::size_t kConstantBytes = 16384;

// Bytes up to this size, which is a tokenizer's, are copied: they are parsed later, when the file may have
// changed.
constexpr std::size_t kMostCopied = 4U << 20U;

bool is_bytes(const EValue& value) {
  return value.isTensor() && value.toTensor().scalar_type() == ScalarType::Byte;
}

bool inside(ByteView bytes, const void* data, std::size_t size) {
  const auto* start = static_cast<const std::uint8_t*>(data);
  const std::less_equal<const std::uint8_t*> not_after;
  return not_after(bytes.data(), start) && not_after(start, bytes.data() + bytes.size()) &&
         size <= static_cast<std::size_t>(bytes.data() + bytes.size() - start);
}

void keep_value(Fields& fields, const std::string& name, const EValue& value, const FileBytes& file) {
  if (value.isInt()) {
    fields.point(name, {LINNET_INT, value.toInt(), 0.0, nullptr, 0});
  } else if (value.isBool()) {
    fields.point(name, {LINNET_BOOL, value.toBool() ? 1 : 0, 0.0, nullptr, 0});
  } else if (value.isDouble()) {
    fields.point(name, {LINNET_FLOAT, 0, value.toDouble(), nullptr, 0});
  } else if (value.isString()) {
    const std::string_view text = value.toString();
    fields.copy(name, {LINNET_STRING, 0, 0.0, text.data(), text.size()});
  } else if (is_bytes(value)) {
    const void* data = value.toTensor().const_data_ptr();
    const linnet_value bytes = {LINNET_BYTES, 0, 0.0, static_cast<const char*>(data),
                                value.toTensor().nbytes()};
    if (bytes.size > kMostCopied && inside(file.view(), data, bytes.size)) {
      fields.point(name, bytes);
    } else if (data != nullptr) {
      fields.copy(name, bytes);
    }
  }
}

}  // namespace

Fields read_fields(const Program& program, const FileBytes& file) {
  Fields fields;
  const ExecutorchCall call(LINNET_LOAD_FAILED);
  MethodMemory memory(kConstantBytes);
  for (std::size_t i = 0; i < program.num_methods(); ++i) {
    const Result<const char*> name = program.get_method_name(i);
    check_executorch(LINNET_LOAD_FAILED, "a method has no name", name.error());
    const Result<MethodMeta> meta = program.method_meta(*name);
    check_executorch(LINNET_LOAD_FAILED, "a method cannot be described", meta.error());
    if (!is_constant(*meta)) {
      continue;
    }
    memory.reset();
    PlannedMemory planned(*meta);
    MemoryManager manager(&memory, planned.get());
    Result<Method> method = program.load_method(*name, &manager);
    check_executorch(LINNET_LOAD_FAILED, "a constant method cannot be read", method.error());
    keep_value(fields, *name, method->get_output(0), file);
  }
  return fields;
}

}  // namespace linnet
