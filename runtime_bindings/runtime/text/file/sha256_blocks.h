// The step of SHA-256 that takes whole blocks, with the processor's own instructions where it has them.
#ifndef LINNET_RUNTIME_FILE_SHA256_BLOCKS_H_
#define LINNET_RUNTIME_FILE_SHA256_BLOCKS_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace linnet {

using Sha256State = std::array<std::uint32_t, 8>;

// Take `count` blocks of 64 bytes into the state (FIPS 180-4, 6.2.2).
using Sha256Blocks = void (*)(Sha256State& state, const std::uint8_t* data, std::size_t count) noexcept;

// In plain C++, for every processor.
void sha256_blocks_portable(Sha256State& state, const std::uint8_t* data, std::size_t count) noexcept;

// Return the fastest function that this processor can run, chosen once: with the SHA extensions of x86-64 or
// of 64-bit ARM, about six times as fast.
Sha256Blocks sha256_blocks() noexcept;

}  // namespace linnet

#endif  // LINNET_RUNTIME_FILE_SHA256_BLOCKS_H_
