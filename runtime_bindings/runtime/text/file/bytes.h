// Borrowed bytes of a file with checked slicing: the only way in which file content is addressed.
#ifndef LINNET_RUNTIME_FILE_BYTES_H_
#define LINNET_RUNTIME_FILE_BYTES_H_

#include <cstddef>
#include <cstdint>

namespace linnet {

class ByteView {
 public:
  ByteView() = default;
  ByteView(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  const std::uint8_t* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

  // Tell whether `size` bytes from `offset` on lie inside, without overflow for any numbers of a file.
  bool has(std::uint64_t offset, std::uint64_t size) const noexcept {
    return offset <= size_ && size <= size_ - offset;
  }
  // Return a part that has() has confirmed; it is borrowed like the whole.
  ByteView part(std::size_t offset, std::size_t size) const noexcept { return {data_ + offset, size}; }

  // Read a little-endian integer of `width` bytes (at most 8) at `offset`, whatever the alignment and the
  // byte order of the machine. has() has confirmed the bytes.
  std::uint64_t integer(std::size_t offset, std::size_t width) const noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = width; i > 0; --i) {
      value = (value << 8U) | data_[offset + i - 1];
    }
    return value;
  }

 private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_FILE_BYTES_H_
