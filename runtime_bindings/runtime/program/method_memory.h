// Memory for ExecuTorch's own objects of a method, allocated before the method is loaded.
#ifndef LINNET_RUNTIME_PROGRAM_METHOD_MEMORY_H_
#define LINNET_RUNTIME_PROGRAM_METHOD_MEMORY_H_

#include <executorch/runtime/core/memory_allocator.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory/block.h"

namespace linnet {

// Allocate memory and free it untouched, to find out whether the system has it, before code runs that does
// not survive an allocation that fails. Throw std::bad_alloc if it has not.
void require_memory(std::size_t bytes);

// ExecuTorch 1.5.1 crashes in Method's destructor if an allocation fails while a method is being loaded. So
// its objects lie in one block that is allocated before; what does not fit gets further blocks.
class MethodMemory final : public executorch::runtime::MemoryAllocator {
 public:
  // Allocate the block, `block` bytes. Throw std::bad_alloc.
  explicit MethodMemory(std::size_t block);

  // Return memory that stays valid until reset(); NULL if there is none.
  void* allocate(std::size_t size, std::size_t alignment = kDefaultAlignment) override;
  // Free everything that was allocated; the first block stays.
  void reset() override;

 private:
  std::size_t used_ = 0;
  Block block_;
  std::vector<Block> more_;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_METHOD_MEMORY_H_
