#include "session/method_memory.h"

#include <sys/mman.h>

#include <new>

namespace linnet {
namespace {

std::size_t padding(const std::uint8_t* place, std::size_t alignment) {
  return static_cast<std::size_t>(-reinterpret_cast<std::uintptr_t>(place)) & (alignment - 1);
}

}  // namespace

// Not by malloc(): glibc keeps more freed memory for itself once a large block was freed.
void require_memory(std::size_t bytes) {
  void* const asked = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (asked == MAP_FAILED) {
    throw std::bad_alloc();
  }
  ::munmap(asked, bytes);
}

// Not cleared: pages that are not needed stay out of memory.
MethodMemory::MethodMemory(std::size_t block)
    : MemoryAllocator(0, nullptr), size_(block), block_(new std::uint8_t[block]) {}

void* MethodMemory::allocate(std::size_t size, std::size_t alignment) {
  if (!isPowerOf2(alignment) || size > SIZE_MAX / 2 || alignment > SIZE_MAX / 4) {
    return nullptr;
  }
  std::uint8_t* const next = block_.get() + used_;
  const std::size_t skipped = padding(next, alignment);
  if (skipped <= size_ - used_ && size <= size_ - used_ - skipped) {
    used_ += skipped + size;
    return next + skipped;
  }
  try {
    more_.emplace_back(new std::uint8_t[size + alignment]);
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
