// The bytes of a linnet file: mapped from a path or copied from memory.
#ifndef LINNET_RUNTIME_FILE_FILE_BYTES_H_
#define LINNET_RUNTIME_FILE_FILE_BYTES_H_

#include <cstddef>
#include <memory>
#include <string>

#include "file/bytes.h"

namespace linnet {

class FileBytes {
 public:
  // Maps a file read-only. A file that is replaced by a rename stays readable; one that is shortened in
  // place does not (the system then signals SIGBUS), so writers write aside and rename.
  static std::unique_ptr<FileBytes> map(const std::string& path);
  // Copies, because ExecuTorch needs its segments aligned and the caller's memory may go away.
  static std::unique_ptr<FileBytes> copy(const void* bytes, std::size_t size);

  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;
  ~FileBytes();

  ByteView view() const noexcept { return {data_, size_}; }
  // The path, or "memory": how messages name the file.
  const std::string& name() const noexcept { return name_; }
  // Gives the resident pages that lie wholly inside a part of view() back to the system. They come back from
  // the file when touched again. Does nothing for a copy.
  void release(const void* data, std::size_t size) const noexcept;

 private:
  FileBytes(std::string name, std::uint8_t* data, std::size_t size, bool mapped)
      : name_(std::move(name)), data_(data), size_(size), mapped_(mapped) {}

  std::string name_;
  std::uint8_t* data_;
  std::size_t size_;
  bool mapped_;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_FILE_FILE_BYTES_H_
