// Memory that an operator needs while it runs.
#ifndef LINNET_RUNTIME_PROGRAM_SCRATCH_MEMORY_H_
#define LINNET_RUNTIME_PROGRAM_SCRATCH_MEMORY_H_

#include <executorch/runtime/core/memory_allocator.h>

#include <cstddef>
#include <memory>

#include "program/method_memory.h"

namespace linnet {

// ExecuTorch resets it after every instruction. One block stays, as large as the hungriest instruction so far
// needed: a malloc() for each of a hundred instructions, of other sizes for every text and on several
// threads, leaves holes that make a long-running process grow.
class ScratchMemory final : public executorch::runtime::MemoryAllocator {
 public:
  // Throws std::bad_alloc.
  ScratchMemory();

  // NULL if there is no memory.
  void* allocate(std::size_t size, std::size_t alignment = kDefaultAlignment) override;
  void reset() override;

 private:
  std::unique_ptr<MethodMemory> block_;
  std::size_t size_ = 0;    // of the block
  std::size_t needed_ = 0;  // since the last reset
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_SCRATCH_MEMORY_H_
