// Allocation functions for XNNPACK: blocks that go back to the system when a model is freed.
//
// XNNPACK takes a struct of allocation functions only from whoever initializes it first, and that is
// ExecuTorch's delegate while its library is loaded. So the bundled library asks for memory under the names
// below (tools/bundle_executorch.py): XNNPACK's default allocator (src/allocator.c), and KleidiAI where the
// processor has SME.
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

#include "linnet.h"
#include "memory/block.h"

namespace linnet {
namespace {

// Return the Block object of an allocation. It lies in the block itself, right before the bytes that XNNPACK
// gets.
Block* holder(void* memory) noexcept {
  return reinterpret_cast<Block*>(static_cast<std::uint8_t*>(memory) - sizeof(Block));
}

std::size_t usable_size(void* memory) noexcept {
  const Block& block = *holder(memory);
  return block.size() - static_cast<std::size_t>(static_cast<std::uint8_t*>(memory) - block.get());
}

// Allocate `size` bytes at a multiple of `alignment`, a power of two; return NULL if there is no memory.
void* allocate(std::size_t alignment, std::size_t size) noexcept {
  alignment = std::max(alignment, alignof(std::max_align_t));
  const std::size_t before = sizeof(Block) + alignment;
  if (size > SIZE_MAX - before) {
    return nullptr;
  }
  try {
    Block block(before + size);
    std::uint8_t* const first = block.get() + sizeof(Block);
    void* const memory = first + padding(first, alignment);
    new (holder(memory)) Block(std::move(block));
    return memory;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void deallocate(void* memory) noexcept {
  if (memory != nullptr) {
    const Block block = std::move(*holder(memory));
  }
}

}  // namespace
}  // namespace linnet

extern "C" {

LINNET_API void* linnet_malloc(std::size_t size) noexcept;
LINNET_API void* linnet_calloc(std::size_t count, std::size_t size) noexcept;
LINNET_API void* linnet_realloc(void* memory, std::size_t size) noexcept;
LINNET_API int linnet_posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept;
LINNET_API void linnet_free(void* memory) noexcept;

void* linnet_malloc(std::size_t size) noexcept { return linnet::allocate(0, size); }

// Allocate zeros; a Block has them already.
void* linnet_calloc(std::size_t count, std::size_t size) noexcept {
  return size != 0 && count > SIZE_MAX / size ? nullptr : linnet::allocate(0, count * size);
}

void* linnet_realloc(void* memory, std::size_t size) noexcept {
  void* const larger = linnet::allocate(0, size);
  if (larger != nullptr && memory != nullptr) {
    std::memcpy(larger, memory, std::min(size, linnet::usable_size(memory)));
    linnet::deallocate(memory);
  }
  return larger;
}

int linnet_posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
  *memory = linnet::allocate(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}

void linnet_free(void* memory) noexcept { linnet::deallocate(memory); }

}  // extern "C"
