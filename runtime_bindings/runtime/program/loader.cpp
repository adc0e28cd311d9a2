#include "program/loader.h"

#include <cstring>

namespace linnet {

using executorch::runtime::Error;
using executorch::runtime::FreeableBuffer;
using executorch::runtime::Result;

Result<FreeableBuffer> Loader::load(std::size_t offset, std::size_t size, const SegmentInfo&) const {
  if (!program_.has(offset, size)) {
    return Error::InvalidProgram;
  }
  // XNNPACK frees a weight as soon as it has packed its own copy: the mapped one need not stay in memory.
  return FreeableBuffer(program_.part(offset, size).data(), size, release, const_cast<FileBytes*>(&file_));
}

Error Loader::load_into(std::size_t offset, std::size_t size, const SegmentInfo&, void* buffer) const {
  if (!program_.has(offset, size)) {
    return Error::InvalidProgram;
  }
  std::memcpy(buffer, program_.part(offset, size).data(), size);
  return Error::Ok;
}

void Loader::release(void* file, void* data, std::size_t size) {
  static_cast<const FileBytes*>(file)->release(data, size);
}

}  // namespace linnet
