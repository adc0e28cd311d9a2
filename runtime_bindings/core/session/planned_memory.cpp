#include "session/planned_memory.h"

#include <algorithm>
#include <new>

#include "session/executorch_errors.h"

namespace linnet {
namespace {

constexpr std::size_t kAlignment = 64;  // a cache line, and the widest vector registers

// Not cleared: pages that a short text never reaches stay out of memory.
std::uint8_t* allocate_bytes(std::size_t size) {
  void* memory = nullptr;
  if (::posix_memalign(&memory, kAlignment, std::max<std::size_t>(size, kAlignment)) != 0) {
    throw std::bad_alloc();
  }
  return static_cast<std::uint8_t*>(memory);
}

}  // namespace

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
    buffers_.emplace_back(allocate_bytes(bytes));
    spans.emplace_back(buffers_.back().get(), bytes);
  }
  return spans;
}

}  // namespace linnet
