#include "program/planned_memory.h"

#include "program/executorch_errors.h"

namespace linnet {

PlannedMemory::PlannedMemory(const executorch::runtime::MethodMeta& meta)
    : spans_(allocate(meta)), allocator_({spans_.data(), spans_.size()}) {}

PlannedMemory::Spans PlannedMemory::allocate(const executorch::runtime::MethodMeta& meta) {
  Spans spans;
  for (std::size_t i = 0; i < meta.num_memory_planned_buffers(); ++i) {
    const auto size = meta.memory_planned_buffer_size(i);
    check_executorch(LINNET_LOAD_FAILED, "the planned memory cannot be read", size.error());
    if (*size < 0) {
      throw Error(LINNET_LOAD_FAILED, "the program plans a negative amount of memory");
    }
    const auto bytes = static_cast<std::size_t>(*size);
    buffers_.emplace_back(bytes);
    spans.emplace_back(buffers_.back().get(), bytes);
  }
  return spans;
}

}  // namespace linnet
