// SHA-256 hash of bytes that come in pieces (FIPS 180-4).
#ifndef LINNET_RUNTIME_FILE_SHA256_H_
#define LINNET_RUNTIME_FILE_SHA256_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "file/bytes.h"

namespace linnet {

class Sha256 {
 public:
  using Digest = std::array<std::uint8_t, 32>;

  // Append bytes to the message.
  void update(ByteView bytes) noexcept;
  // End the message and return its hash. The object cannot be used again.
  Digest finish() noexcept;

 private:
  static constexpr std::size_t kBlock = 64;

  // first 32 bits of the fractional parts of the square roots of the first 8 primes (FIPS 180-4, 5.3.3)
  std::array<std::uint32_t, 8> state_ = {0x6a09e667U, 0xbb67ae85U, 0x3c6ef372U, 0xa54ff53aU,
                                         0x510e527fU, 0x9b05688cU, 0x1f83d9abU, 0x5be0cd19U};
  std::array<std::uint8_t, kBlock> pending_ = {};
  std::size_t pending_size_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_FILE_SHA256_H_
