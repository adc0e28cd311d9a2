#include "file/sha256.h"

#include <algorithm>
#include <cstring>

#include "file/sha256_blocks.h"

namespace linnet {
void Sha256::update(ByteView bytes) noexcept {
  const std::uint8_t* data = bytes.data();
  std::size_t left = bytes.size();
  total_ += left;
  if (pending_size_ > 0) {
    const std::size_t taken = std::min(left, kBlock - pending_size_);
    std::memcpy(pending_.data() + pending_size_, data, taken);
    pending_size_ += taken, data += taken, left -= taken;
    if (pending_size_ < kBlock) {
      return;
    }
    sha256_blocks()(state_, pending_.data(), 1);
    pending_size_ = 0;
  }
  const std::size_t blocks = left / kBlock;
  sha256_blocks()(state_, data, blocks);
  data += blocks * kBlock, left -= blocks * kBlock;
  if (left > 0) {
    std::memcpy(pending_.data(), data, left);
    pending_size_ = left;
  }
}

Sha256::Digest Sha256::finish() noexcept {
  const std::uint64_t bits = total_ * 8;
  std::array<std::uint8_t, 2 * kBlock> tail = {0x80};
  // One bit, zeros up to 8 bytes before the end of a block, then the length in bits, big-endian.
  const std::size_t zeros = (pending_size_ < 56 ? 56 : 120) - pending_size_;
  for (std::size_t i = 0; i < 8; ++i) {
    tail[zeros + i] = static_cast<std::uint8_t>(bits >> (56 - 8 * i));
  }
  update({tail.data(), zeros + 8});
  Digest digest;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<std::uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

}  // namespace linnet
