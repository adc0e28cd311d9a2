// Memory for a method's tensors, as the export planned it.
#ifndef LINNET_RUNTIME_PROGRAM_PLANNED_MEMORY_H_
#define LINNET_RUNTIME_PROGRAM_PLANNED_MEMORY_H_

#include <executorch/runtime/core/hierarchical_allocator.h>
#include <executorch/runtime/executor/method_meta.h>

#include <cstdint>
#include <vector>

#include "memory/block.h"

namespace linnet {

class PlannedMemory {
 public:
  // Allocate the planned buffers. Throw std::bad_alloc, or LINNET_LOAD_FAILED for a plan that is impossible.
  explicit PlannedMemory(const executorch::runtime::MethodMeta& meta);

  executorch::runtime::HierarchicalAllocator* get() noexcept { return &allocator_; }

 private:
  using Spans = std::vector<executorch::runtime::Span<std::uint8_t>>;

  Spans allocate(const executorch::runtime::MethodMeta& meta);

  std::vector<Block> buffers_;
  Spans spans_;
  executorch::runtime::HierarchicalAllocator allocator_;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_PLANNED_MEMORY_H_
