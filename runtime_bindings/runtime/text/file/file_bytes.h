// The bytes of a linnet file: mapped from a path or copied from memory.
#ifndef LINNET_RUNTIME_FILE_FILE_BYTES_H_
#define LINNET_RUNTIME_FILE_FILE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "file/bytes.h"

namespace linnet {

class FileBytes {
 public:
  // Alignment of a copy in bytes: at least any segment alignment that ExecuTorch writes.
  static constexpr std::size_t kCopyAlignment = 4096;

  // Map a file read-only, and keep it open. A file that is replaced by a rename stays readable; a file that
  // is shortened in place does not (the system then signals SIGBUS), so writers write a new file and rename
  // it. Throw Error with LINNET_FILE_NOT_FOUND, LINNET_FILE_UNREADABLE or LINNET_OUT_OF_MEMORY.
  static std::unique_ptr<FileBytes> map(const std::string& path);
  // Copy bytes, because ExecuTorch needs its segments aligned and the caller may free its memory. Throw
  // std::bad_alloc.
  static std::unique_ptr<FileBytes> copy(const void* bytes, std::size_t size);

  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;
  ~FileBytes();

  ByteView view() const noexcept { return {data_, size_}; }
  // Return whether another process can change view().
  bool is_mapped() const noexcept { return mapped_; }
  // Throw LINNET_FILE_DAMAGED if a mapped file has another size or time of change than when it was mapped.
  void check_unchanged() const;
  // Return the name of the file in messages: its path, or "memory".
  const std::string& name() const noexcept { return name_; }
  // Give the resident pages that lie wholly inside a part of view() back to the system, which reads them from
  // the file again when they are touched. Do nothing for a copy.
  void release(const void* data, std::size_t size) const noexcept;

 private:
  // What tells that a file was written to. A rename changes none of it.
  struct Stamp {
    std::size_t size = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
  };

  FileBytes(std::string name, std::uint8_t* data, std::size_t size, bool mapped)
      : name_(std::move(name)), data_(data), size_(size), mapped_(mapped) {}
  static Stamp stamp_of(const std::string& path, int descriptor);

  std::string name_;
  std::uint8_t* data_;
  std::size_t size_;
  bool mapped_;
  int descriptor_ = -1;  // of a mapped file
  Stamp stamp_;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_FILE_FILE_BYTES_H_
