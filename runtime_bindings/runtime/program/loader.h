// Hands the bytes of a file to ExecuTorch without copying, and gives back the pages that it is done with.
#ifndef LINNET_RUNTIME_PROGRAM_LOADER_H_
#define LINNET_RUNTIME_PROGRAM_LOADER_H_

#include <executorch/runtime/core/data_loader.h>

#include "file/file_bytes.h"

namespace linnet {

class Loader final : public executorch::runtime::DataLoader {
 public:
  // `program` is the part of `file` that is the program. Both must outlive the loader.
  Loader(const FileBytes& file, ByteView program) : file_(file), program_(program) {}

  executorch::runtime::Result<executorch::runtime::FreeableBuffer> load(
      std::size_t offset, std::size_t size, const SegmentInfo& segment) const override;
  executorch::runtime::Error load_into(std::size_t offset, std::size_t size, const SegmentInfo& segment,
                                       void* buffer) const override;
  executorch::runtime::Result<std::size_t> size() const override { return program_.size(); }

 private:
  static void release(void* file, void* data, std::size_t size);

  const FileBytes& file_;
  ByteView program_;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_LOADER_H_
