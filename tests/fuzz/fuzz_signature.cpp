// A mapped file: signature, digest and every hash. Random bytes never pass a SHA-256, so the hashes are
// mended afterwards: what stands behind them is reached too.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "file/sha256.h"
#include "file/trailer.h"
#include "linnet.h"
#include "status.h"

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// Writes both hashes into the footer; false if there is no trailer to speak of.
bool mend(std::vector<std::uint8_t>& file) {
  try {
    const linnet::Trailer trailer = linnet::read_trailer({file.data(), file.size()}, "input");
    linnet::Sha256 structure;
    for (const linnet::ByteView& range : trailer.structure) {
      structure.update(range);
    }
    const linnet::Sha256::Digest first = structure.finish();
    std::copy(first.begin(), first.end(), file.end() - 128 + 48);
    linnet::Sha256 whole;
    whole.update(trailer.before_file_hash);
    const linnet::Sha256::Digest second = whole.finish();
    std::copy(second.begin(), second.end(), file.end() - 128 + 80);
    return true;
  } catch (const linnet::Error&) {
    return false;
  }
}

void read(const std::vector<std::uint8_t>& file, bool whole) {
  const int descriptor = memfd_create("fuzz", 0);
  require(descriptor >= 0 &&
          write(descriptor, file.data(), file.size()) == static_cast<ssize_t>(file.size()));
  const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  std::uint8_t message[LINNET_SIGNED_SIZE] = {};
  std::uint8_t signature[LINNET_SIGNATURE_SIZE] = {};
  std::uint8_t digest[32] = {};
  const linnet_status verdict = linnet_file_verify(path.c_str());
  const linnet_status checked = linnet_file_check(path.c_str());
  const linnet_status found = linnet_file_signature(path.c_str(), message, signature);
  require((linnet_file_digest(path.c_str(), digest) == LINNET_OK) ==
          (found == LINNET_OK || found == LINNET_SIGNATURE_INVALID));
  require(!whole || (verdict == LINNET_OK && checked == LINNET_OK));
  require(checked == linnet_bytes_check(file.data(), file.size()));
  if (found == LINNET_OK) {
    require(
        std::equal(signature, signature + LINNET_SIGNATURE_SIZE, file.end() - 128 - LINNET_SIGNATURE_SIZE));
  }
  close(descriptor);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> file(data, data + size);
  read(file, false);
  if (mend(file)) {
    read(file, true);
  }
  return 0;
}
