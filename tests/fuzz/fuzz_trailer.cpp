// The bytes of a file: trailer, ranges, hashes.
#include <cstddef>
#include <cstdint>

#include "linnet.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)linnet_bytes_check(data, size);
  return 0;
}
