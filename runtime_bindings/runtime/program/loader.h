// Hands the bytes of a file to ExecuTorch: copies of what it parses, the weights without copying; gives back
// the pages that it is done with.
#ifndef LINNET_RUNTIME_PROGRAM_LOADER_H_
#define LINNET_RUNTIME_PROGRAM_LOADER_H_

#include <executorch/runtime/core/data_loader.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "file/file_bytes.h"
#include "file/trailer.h"

namespace linnet {

// Copies of what is parsed of a mapped file: whoever writes to the file changes weights at most, and no
// offset or instruction that was checked.
class ParsedCopy {
 public:
  // Makes the evidence and the structure of the trailer refer to the copies.
  ParsedCopy(const FileBytes& file, Trailer& trailer);

  // The copy of a part of the program; NULL if there is none.
  const std::uint8_t* find(std::size_t offset, std::size_t size) const noexcept;

 private:
  struct Part {
    std::size_t offset;
    std::size_t size;
    std::unique_ptr<FileBytes> bytes;
    ByteView view() const noexcept { return bytes->view().part(bytes->view().size() - size, size); }
  };

  std::vector<Part> parts_;
  std::vector<std::uint8_t> evidence_;
};

class Loader final : public executorch::runtime::DataLoader {
 public:
  // `parsed` has copies of parts of the program. All must outlive the loader.
  Loader(const FileBytes& file, ByteView program, const ParsedCopy& parsed)
      : file_(file), program_(program), parsed_(parsed) {}

  executorch::runtime::Result<executorch::runtime::FreeableBuffer> load(
      std::size_t offset, std::size_t size, const SegmentInfo& segment) const override;
  executorch::runtime::Error load_into(std::size_t offset, std::size_t size, const SegmentInfo& segment,
                                       void* buffer) const override;
  executorch::runtime::Result<std::size_t> size() const override { return program_.size(); }

 private:
  static void release(void* file, void* data, std::size_t size);

  const FileBytes& file_;
  ByteView program_;
  const ParsedCopy& parsed_;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_LOADER_H_
