// Block of memory for what lives as long as a loaded model.
#ifndef LINNET_RUNTIME_MEMORY_BLOCK_H_
#define LINNET_RUNTIME_MEMORY_BLOCK_H_

#include <cstddef>
#include <cstdint>

namespace linnet {

// Memory filled with zeros, at a multiple of kAlignment. A large block has pages of its own, which take
// memory when they are first written and go back to the system with the block. From the heap, models that
// come and go on several threads would leave holes that a long-running process never gets back.
class Block {
 public:
  static constexpr std::size_t kAlignment = 64;  // a cache line, and the widest vector registers
  static constexpr std::size_t kLarge = 65536;   // bytes; below, whole pages would waste more than they save

  // Allocate `size` bytes. Throw std::bad_alloc.
  explicit Block(std::size_t size);
  ~Block();
  Block(Block&& other) noexcept;
  Block& operator=(Block&& other) noexcept;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  std::uint8_t* get() const noexcept { return bytes_; }
  std::size_t size() const noexcept { return size_; }

 private:
  std::uint8_t* bytes_;
  std::size_t size_;
};

// Return the bytes from a place to the next multiple of an alignment, which is a power of two.
inline std::size_t padding(const std::uint8_t* place, std::size_t alignment) noexcept {
  return static_cast<std::size_t>(-reinterpret_cast<std::uintptr_t>(place)) & (alignment - 1);
}

}  // namespace linnet

#endif  // LINNET_RUNTIME_MEMORY_BLOCK_H_
