#include "memory/block.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace linnet {
namespace {

std::uint8_t* map_pages(std::size_t size) {
  void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw std::bad_alloc();
  }
  return static_cast<std::uint8_t*>(memory);
}

std::uint8_t* take_from_heap(std::size_t size) {
  const std::size_t whole = (size + Block::kAlignment) / Block::kAlignment * Block::kAlignment;  // never 0
  void* const memory = std::aligned_alloc(Block::kAlignment, whole);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return static_cast<std::uint8_t*>(std::memset(memory, 0, whole));
}

}  // namespace

Block::Block(std::size_t size)
    : bytes_(size >= kLarge ? map_pages(size) : take_from_heap(size)), size_(size) {}

Block::~Block() {
  if (size_ >= kLarge) {
    ::munmap(bytes_, size_);
  } else {
    std::free(bytes_);
  }
}

Block::Block(Block&& other) noexcept
    : bytes_(std::exchange(other.bytes_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Block& Block::operator=(Block&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace linnet
