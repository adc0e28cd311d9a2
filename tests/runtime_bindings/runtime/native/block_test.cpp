// Blocks of memory, and XNNPACK's memory in them: what they hold, where they lie, and that a size which
// cannot be had is refused.
#include "memory/block.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <new>
#include <utility>

extern "C" {
void* linnet_malloc(std::size_t size) noexcept;
void* linnet_calloc(std::size_t count, std::size_t size) noexcept;
void* linnet_realloc(void* memory, std::size_t size) noexcept;
int linnet_posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept;
void linnet_free(void* memory) noexcept;
}

namespace {

using linnet::Block;

int failures = 0;

void check(bool holds, const char* what, std::size_t size) {
  if (!holds) {
    std::fprintf(stderr, "FAILED: %s, %zu bytes\n", what, size);
    ++failures;
  }
}

bool all_are(const std::uint8_t* bytes, std::size_t size, std::uint8_t value) {
  return std::all_of(bytes, bytes + size, [value](std::uint8_t byte) { return byte == value; });
}

bool all_are(const Block& block, std::uint8_t value) { return all_are(block.get(), block.size(), value); }

bool aligned(const void* memory, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(memory) % alignment == 0;
}

void check_block(std::size_t size) {
  Block block(size);
  check(block.size() == size, "the size is what was asked for", size);
  check(aligned(block.get(), Block::kAlignment), "aligned", size);
  check(all_are(block, 0), "zeros at first", size);
  std::memset(block.get(), 0xA5, size);
  const std::uint8_t* const place = block.get();
  Block moved = std::move(block);
  check(moved.get() == place && moved.size() == size && all_are(moved, 0xA5), "moved with its bytes", size);
  Block other(1);
  other = std::move(moved);
  check(other.get() == place && other.size() == size && all_are(other, 0xA5), "assigned with its bytes",
        size);
}

void check_refused(std::size_t size) {
  try {
    const Block block(size);
    check(false, "refused", size);
  } catch (const std::bad_alloc&) {
  }
}

// As malloc(), realloc() and free() of the C library.
void check_reallocated(std::size_t from, std::size_t to) {
  void* memory = linnet_malloc(from);
  check(memory != nullptr && aligned(memory, alignof(std::max_align_t)), "had from malloc", from);
  std::memset(memory, 0x5A, from);
  memory = linnet_realloc(memory, to);
  check(memory != nullptr && aligned(memory, alignof(std::max_align_t)), "had from realloc", to);
  const auto* const bytes = static_cast<const std::uint8_t*>(memory);
  check(all_are(bytes, from < to ? from : to, 0x5A), "the bytes came along", to);
  std::memset(memory, 0xA5, to);
  linnet_free(memory);
}

void check_memory_aligned(std::size_t alignment, std::size_t size) {
  void* memory = nullptr;
  check(linnet_posix_memalign(&memory, alignment, size) == 0, "had from posix_memalign", size);
  check(memory != nullptr && aligned(memory, alignment), "aligned as asked", size);
  std::memset(memory, 0xA5, size);
  linnet_free(memory);
}

void check_cleared(std::size_t count) {
  void* memory = linnet_calloc(count, 3);
  check(memory != nullptr && aligned(memory, alignof(std::max_align_t)), "had from calloc", count);
  check(all_are(static_cast<const std::uint8_t*>(memory), 3 * count, 0), "zeros from calloc", count);
  linnet_free(memory);
}

void check_memory_refused(std::size_t size) {
  void* memory = &failures;
  check(linnet_posix_memalign(&memory, 64, size) == ENOMEM, "refused by posix_memalign", size);
  check(linnet_malloc(size) == nullptr, "refused by malloc", size);
  check(linnet_calloc(size, 1) == nullptr, "refused by calloc", size);
  check(linnet_calloc(size, 3) == nullptr, "a product beyond all numbers refused by calloc", size);
  memory = linnet_malloc(100);
  check(linnet_realloc(memory, size) == nullptr, "refused by realloc", size);
  std::memset(memory, 0, 100);  // is still there
  linnet_free(memory);
}

}  // namespace

int main() {
  const std::array<std::size_t, 8> sizes = {
      0, 1, 63, 64, Block::kLarge - 1, Block::kLarge, Block::kLarge + 1, 9000001};
  for (const std::size_t size : sizes) {
    check_block(size);
    check_memory_aligned(64, size);
    check_memory_aligned(4096, size);
    check_reallocated(size, 2 * size + 1);
    check_reallocated(size, size / 2);
    check_cleared(size);
  }
  linnet_free(linnet_realloc(nullptr, 10));
  linnet_free(nullptr);
  check_refused(SIZE_MAX / 2);
  check_refused(SIZE_MAX);
  check_memory_refused(SIZE_MAX / 2);
  check_memory_refused(SIZE_MAX);
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
