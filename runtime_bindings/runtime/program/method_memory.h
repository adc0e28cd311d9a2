// Memory of ExecuTorch's own objects for a method, taken before it is loaded.
#ifndef LINNET_RUNTIME_PROGRAM_METHOD_MEMORY_H_
#define LINNET_RUNTIME_PROGRAM_METHOD_MEMORY_H_

#include <executorch/runtime/core/memory_allocator.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory/block.h"

namespace linnet {

// Asks the system for memory and gives it back untouched, so that it is there for what comes next. Throws
// std::bad_alloc if it is not. For code that does not survive an allocation that fails.
void require_memory(std::size_t bytes);

// ExecuTorch 1.5.1 crashes in Method's destructor if an allocation fails while a method is being loaded: so
// what it needs lies in one block that is there before. What does not fit has blocks of its own.
class MethodMemory final : public executorch::runtime::MemoryAllocator {
 public:
  // Throws std::bad_alloc.
  explicit MethodMemory(std::size_t block);

  // NULL if there is no memory.
  void* allocate(std::size_t size, std::size_t alignment = kDefaultAlignment) override;
  // Gives back everything that was allocated.
  void reset() override;

 private:
  std::size_t used_ = 0;
  Block block_;
  std::vector<Block> more_;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_METHOD_MEMORY_H_
