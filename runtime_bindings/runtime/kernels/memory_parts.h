// Offsets of aligned parts of one block of memory.
#ifndef LINNET_RUNTIME_KERNELS_MEMORY_PARTS_H_
#define LINNET_RUNTIME_KERNELS_MEMORY_PARTS_H_

#include <cstddef>

namespace linnet::kernels {

constexpr std::size_t rounded_up(std::size_t value, std::size_t multiple) noexcept {
  return (value + multiple - 1) / multiple * multiple;
}

// Hands out offsets that are multiples of 64, a cache line and the widest vector registers.
class MemoryParts {
 public:
  static constexpr std::size_t kAlignment = 64;

  constexpr std::size_t next(std::size_t bytes) noexcept {
    const std::size_t offset = size_;
    size_ = rounded_up(size_ + bytes, kAlignment);
    return offset;
  }
  constexpr std::size_t size() const noexcept { return size_; }

 private:
  std::size_t size_ = 0;
};

}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_MEMORY_PARTS_H_
