// C ABI, files: checks that need no ExecuTorch.
#include <algorithm>
#include <cstdint>
#include <memory>

#include "c_api/handles.h"
#include "file/file_bytes.h"
#include "file/trailer.h"
#include "linnet.h"
#include "status.h"

using linnet::c_api::require_pointer;

extern "C" linnet_status linnet_file_check(const char* path) {
  return linnet::guarded([&] {
    require_pointer(path, "path");
    const auto file = linnet::FileBytes::map(path);
    linnet::check_structure(linnet::read_trailer(file->view(), file->name()), file->name());
  });
}

extern "C" linnet_status linnet_bytes_check(const void* bytes, size_t size) {
  return linnet::guarded([&] {
    const std::string_view view = linnet::c_api::view_of(bytes, size, "bytes");
    const linnet::ByteView file(reinterpret_cast<const std::uint8_t*>(view.data()), view.size());
    linnet::check_structure(linnet::read_trailer(file, "memory"), "memory");
  });
}

extern "C" linnet_status linnet_file_verify(const char* path) {
  return linnet::guarded([&] {
    require_pointer(path, "path");
    const auto file = linnet::FileBytes::map(path);
    const linnet::Trailer trailer = linnet::read_trailer(file->view(), file->name());
    linnet::check_structure(trailer, file->name());
    linnet::check_file(trailer, file->name());
  });
}

extern "C" linnet_status linnet_file_digest(const char* path, uint8_t digest[32]) {
  return linnet::guarded([&] {
    require_pointer(path, "path");
    require_pointer(digest, "digest");
    const auto file = linnet::FileBytes::map(path);
    const linnet::ByteView hash = linnet::read_trailer(file->view(), file->name()).file_hash;
    std::copy_n(hash.data(), hash.size(), digest);
  });
}

extern "C" linnet_status linnet_file_signature(const char* path, uint8_t message[LINNET_SIGNED_SIZE],
                                               uint8_t signature[LINNET_SIGNATURE_SIZE]) {
  return linnet::guarded([&] {
    require_pointer(path, "path");
    require_pointer(message, "message");
    require_pointer(signature, "signature");
    const auto file = linnet::FileBytes::map(path);
    const linnet::Trailer trailer = linnet::read_trailer(file->view(), file->name());
    const std::vector<std::uint8_t> found = linnet::signed_message(trailer, file->name());
    std::copy(found.begin(), found.end(), message);
    std::copy_n(trailer.signature.data(), trailer.signature.size(), signature);
  });
}
