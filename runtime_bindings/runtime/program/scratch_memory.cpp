#include "program/scratch_memory.h"

#include <new>
#include <utility>

namespace linnet {
namespace {

// Return a block of `size` bytes, or NULL if there is no memory.
std::unique_ptr<MethodMemory> try_block(std::size_t size) noexcept {
  try {
    return std::make_unique<MethodMemory>(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace

ScratchMemory::ScratchMemory() : MemoryAllocator(0, nullptr), block_(std::make_unique<MethodMemory>(0)) {}

void* ScratchMemory::allocate(std::size_t size, std::size_t alignment) {
  void* const place = block_->allocate(size, alignment);
  needed_ += place == nullptr ? 0 : size + alignment;
  return place;
}

void ScratchMemory::reset() {
  block_->reset();
  if (needed_ > size_) {
    // if there is no memory for it, the next run allocates what does not fit from the heap again
    if (std::unique_ptr<MethodMemory> larger = try_block(needed_)) {
      block_ = std::move(larger);
      size_ = needed_;
    }
  }
  needed_ = 0;
}

}  // namespace linnet
