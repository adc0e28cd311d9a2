#include "kernels/attention.h"

namespace linnet::kernels {
namespace {

constexpr std::size_t kAlignment = 64;

std::size_t rounded_up(std::size_t value, std::size_t multiple) noexcept {
  return (value + multiple - 1) / multiple * multiple;
}

// Hands out aligned parts of one block of memory.
class Parts {
 public:
  std::size_t next(std::size_t bytes) noexcept {
    const std::size_t offset = size_;
    size_ = rounded_up(size_ + bytes, kAlignment);
    return offset;
  }
  std::size_t size() const noexcept { return size_; }

 private:
  std::size_t size_ = 0;
};

}  // namespace

PackedHead::PackedHead(const AttentionShape& shape) noexcept
    : tokens(rounded_up(shape.tokens, kKeys)),
      groups((shape.head_width + kGroup - 1) / kGroup),
      blocks((shape.head_width + kLanes - 1) / kLanes) {
  Parts parts;
  key_scale = parts.next(tokens * sizeof(float));
  key_bias = parts.next(tokens * sizeof(float));
  value_scale = parts.next(blocks * kLanes * sizeof(float));
  keys = parts.next(tokens * groups * kGroup);
  values = parts.next(tokens * blocks * kLanes * sizeof(std::int16_t));
  size = parts.size();
}

Scratch::Scratch(const PackedHead& head) noexcept {
  Parts parts;
  scores = parts.next(kRows * head.tokens * sizeof(float));
  weights = parts.next(kRows * head.tokens * sizeof(std::int16_t));
  queries = parts.next(kRows * head.groups * kGroup);
  size = parts.size();
}

}  // namespace linnet::kernels
