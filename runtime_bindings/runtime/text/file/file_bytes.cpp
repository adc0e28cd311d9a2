#include "file/file_bytes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "status.h"

namespace linnet {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }
  int get() const noexcept { return number_; }
  int release() noexcept { return std::exchange(number_, -1); }

 private:
  int number_;
};

[[noreturn]] void refuse(const std::string& path, const char* verb, int error) {
  const bool missing = error == ENOENT || error == ENOTDIR;
  throw Error(error == ENOMEM ? LINNET_OUT_OF_MEMORY
              : missing       ? LINNET_FILE_NOT_FOUND
                              : LINNET_FILE_UNREADABLE,
              path + ": cannot " + verb + ": " + std::strerror(error));
}

}  // namespace

FileBytes::Stamp FileBytes::stamp_of(const std::string& path, int descriptor) {
  struct stat about = {};
  if (::fstat(descriptor, &about) != 0) {
    refuse(path, "read", errno);
  }
  if (!S_ISREG(about.st_mode)) {
    throw Error(LINNET_FILE_UNREADABLE, path + ": not a regular file; give the path of a .pte file");
  }
#ifdef __APPLE__
  const timespec& changed = about.st_mtimespec;
#else
  const timespec& changed = about.st_mtim;
#endif
  return {static_cast<std::size_t>(about.st_size), changed.tv_sec, changed.tv_nsec};
}

std::unique_ptr<FileBytes> FileBytes::map(const std::string& path) {
  // O_NONBLOCK: opening a pipe must not wait for its writer; it has no meaning for regular files.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    refuse(path, "open", errno);
  }
  const Stamp stamp = stamp_of(path, file.get());
  std::unique_ptr<FileBytes> mapped(new FileBytes(path, nullptr, 0, false));
  if (stamp.size == 0) {
    return mapped;
  }
  void* data = ::mmap(nullptr, stamp.size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) {
    refuse(path, "map", errno);
  }
  mapped->data_ = static_cast<std::uint8_t*>(data);
  mapped->size_ = stamp.size;
  mapped->mapped_ = true;
  mapped->descriptor_ = file.release();
  mapped->stamp_ = stamp;
  return mapped;
}

void FileBytes::check_unchanged() const {
  if (!mapped_) {
    return;
  }
  const Stamp now = stamp_of(name_, descriptor_);
  if (now.size != stamp_.size || now.seconds != stamp_.seconds || now.nanoseconds != stamp_.nanoseconds) {
    throw Error(LINNET_FILE_DAMAGED,
                name_ +
                    ": the file was written to while it was open; open it again, and replace files by a "
                    "rename");
  }
}

std::unique_ptr<FileBytes> FileBytes::copy(const void* bytes, std::size_t size) {
  void* data = nullptr;
  if (size > 0) {
    if (::posix_memalign(&data, kCopyAlignment, size) != 0) {
      throw std::bad_alloc();
    }
    std::memcpy(data, bytes, size);
  }
  return std::unique_ptr<FileBytes>(new FileBytes("memory", static_cast<std::uint8_t*>(data), size, false));
}

FileBytes::~FileBytes() {
  if (mapped_) {
    ::munmap(data_, size_);
    ::close(descriptor_);
  } else {
    std::free(data_);
  }
}

void FileBytes::release(const void* data, std::size_t size) const noexcept {
  if (!mapped_) {
    return;
  }
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t offset = static_cast<std::size_t>(static_cast<const std::uint8_t*>(data) - data_);
  const std::size_t first = (offset + page - 1) / page * page;  // the mapping itself starts on a page
  const std::size_t last = (offset + size) / page * page;
  if (first < last) {
    ::madvise(data_ + first, last - first, MADV_DONTNEED);
  }
}

}  // namespace linnet
