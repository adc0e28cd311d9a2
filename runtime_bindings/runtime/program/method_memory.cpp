#include "program/method_memory.h"

#include <new>

namespace linnet {

void require_memory(std::size_t bytes) { const Block asked(bytes); }

MethodMemory::MethodMemory(std::size_t block) : MemoryAllocator(0, nullptr), block_(block) {}

void* MethodMemory::allocate(std::size_t size, std::size_t alignment) {
  if (!isPowerOf2(alignment) || size > SIZE_MAX / 2 || alignment > SIZE_MAX / 4) {
    return nullptr;
  }
  std::uint8_t* const next = block_.get() + used_;
  const std::size_t skipped = padding(next, alignment);
  if (skipped <= block_.size() - used_ && size <= block_.size() - used_ - skipped) {
    used_ += skipped + size;
    return next + skipped;
  }
  try {
    more_.emplace_back(size + alignment);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  std::uint8_t* const fresh = more_.back().get();
  return fresh + padding(fresh, alignment);
}

void MethodMemory::reset() {
  used_ = 0;
  more_.clear();
}

}  // namespace linnet
