#include "session/scratch_memory.h"

#include <new>

namespace linnet {
namespace {

std::uint8_t* aligned(std::uint8_t* place, std::size_t alignment) {
  const auto low = static_cast<std::size_t>(-reinterpret_cast<std::uintptr_t>(place)) & (alignment - 1);
  return place + low;
}

}  // namespace

void* ScratchMemory::allocate(std::size_t size, std::size_t alignment) {
  if (!isPowerOf2(alignment) || size > SIZE_MAX / 4 || alignment > SIZE_MAX / 4) {
    return nullptr;
  }
  const std::size_t whole = size + alignment;
  needed_ += whole;
  if (whole <= size_ - used_) {
    std::uint8_t* const place = aligned(block_.get() + used_, alignment);
    used_ += whole;
    return place;
  }
  try {
    more_.emplace_back(new std::uint8_t[whole]);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  return aligned(more_.back().get(), alignment);
}

void ScratchMemory::reset() {
  more_.clear();
  if (needed_ > size_) {
    block_.reset(new (std::nothrow) std::uint8_t[needed_]);
    size_ = block_ == nullptr ? 0 : needed_;
  }
  used_ = 0;
  needed_ = 0;
}

}  // namespace linnet
