#include "program/loader.h"

#include <cstring>

namespace linnet {

using executorch::runtime::Error;
using executorch::runtime::FreeableBuffer;
using executorch::runtime::Result;

ParsedCopy::ParsedCopy(const FileBytes& file, Trailer& trailer) {
  if (!file.is_mapped()) {
    return;
  }
  // a part keeps the alignment that it has in the file
  const std::uint8_t* program = trailer.program.data();
  parts_.reserve(trailer.structure.size());
  for (ByteView& range : trailer.structure) {
    const auto offset = static_cast<std::size_t>(range.data() - program);
    const std::size_t before = offset % FileBytes::kCopyAlignment;
    parts_.push_back({offset, range.size(), FileBytes::copy(range.data() - before, before + range.size())});
    range = parts_.back().view();
  }
  evidence_.assign(trailer.evidence.data(), trailer.evidence.data() + trailer.evidence.size());
  trailer.evidence = {evidence_.data(), evidence_.size()};
  file.check_unchanged();
}

const std::uint8_t* ParsedCopy::find(std::size_t offset, std::size_t size) const noexcept {
  for (const Part& part : parts_) {
    if (part.offset <= offset && part.view().has(offset - part.offset, size)) {
      return part.view().data() + (offset - part.offset);
    }
  }
  return nullptr;
}

Result<FreeableBuffer> Loader::load(std::size_t offset, std::size_t size, const SegmentInfo&) const {
  if (!program_.has(offset, size)) {
    return Error::InvalidProgram;
  }
  if (const std::uint8_t* copy = parsed_.find(offset, size)) {
    return FreeableBuffer(copy, size, nullptr);
  }
  // XNNPACK frees a weight as soon as it has packed its own copy: the mapped one need not stay in memory.
  return FreeableBuffer(program_.part(offset, size).data(), size, release, const_cast<FileBytes*>(&file_));
}

Error Loader::load_into(std::size_t offset, std::size_t size, const SegmentInfo&, void* buffer) const {
  if (!program_.has(offset, size)) {
    return Error::InvalidProgram;
  }
  const std::uint8_t* copy = parsed_.find(offset, size);
  std::memcpy(buffer, copy != nullptr ? copy : program_.part(offset, size).data(), size);
  return Error::Ok;
}

void Loader::release(void* file, void* data, std::size_t size) {
  static_cast<const FileBytes*>(file)->release(data, size);
}

}  // namespace linnet
