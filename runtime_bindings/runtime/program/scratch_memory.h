// Scratch memory of operators while they run.
#ifndef LINNET_RUNTIME_PROGRAM_SCRATCH_MEMORY_H_
#define LINNET_RUNTIME_PROGRAM_SCRATCH_MEMORY_H_

#include <executorch/runtime/core/memory_allocator.h>

#include <cstddef>
#include <memory>

#include "program/method_memory.h"

namespace linnet {

// ExecuTorch resets it after every instruction. One block is kept, as large as any instruction has needed so
// far: a malloc() for each of a hundred instructions, with other sizes for every text and on several threads,
// would leave holes in the heap that make a long-running process grow.
class ScratchMemory final : public executorch::runtime::MemoryAllocator {
 public:
  // Begin with an empty block. Throw std::bad_alloc.
  ScratchMemory();

  // Return memory that stays valid until reset(); NULL if there is none.
  void* allocate(std::size_t size, std::size_t alignment = kDefaultAlignment) override;
  // Free what was allocated, and enlarge the block if it was too small.
  void reset() override;

 private:
  std::unique_ptr<MethodMemory> block_;
  std::size_t size_ = 0;    // of the block
  std::size_t needed_ = 0;  // since the last reset
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_SCRATCH_MEMORY_H_
