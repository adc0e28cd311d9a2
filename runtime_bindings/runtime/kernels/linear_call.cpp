#include "kernels/linear_call.h"

#include <cstring>
#include <utility>

namespace linnet::kernels {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kInt4Version = 2;  // the same, and a number more
constexpr std::uint32_t kMostWidth = 1U << 20U;
constexpr std::uint32_t kLongestName = 256;

class Reader {
 public:
  Reader(const void* data, std::size_t size) noexcept
      : at_(static_cast<const std::uint8_t*>(data)), left_(size) {}

  bool number(std::uint32_t least, std::uint32_t most, std::uint32_t& value) noexcept {
    if (left_ < sizeof value) {
      return false;
    }
    std::memcpy(&value, at_, sizeof value);
    skip(sizeof value);
    return value >= least && value <= most;
  }

  bool name(std::uint32_t shortest, std::string& value) {
    std::uint32_t size = 0;
    if (!number(shortest, kLongestName, size) || size > left_) {
      return false;
    }
    value.assign(reinterpret_cast<const char*>(at_), size);
    skip(size);
    return true;
  }

  bool done() const noexcept { return left_ == 0; }

 private:
  void skip(std::size_t size) noexcept {
    at_ += size;
    left_ -= size;
  }

  const std::uint8_t* at_;
  std::size_t left_;
};

}  // namespace

std::optional<LinearCall> read_linear_call(const void* data, std::size_t size) {
  Reader reader(data, size);
  LinearCall call;
  std::uint32_t version = 0;
  std::uint32_t tail = 0;
  std::uint32_t count = 0;
  if (!reader.number(kVersion, kInt4Version, version) || !reader.number(1, kMostWidth, call.inputs) ||
      !reader.number(0, static_cast<std::uint32_t>(Tail::kSilu), tail) ||
      !reader.number(0, 1, call.tokens_argument) || !reader.number(0, 1, call.residual_argument) ||
      !reader.number(1, LinearCall::kMostLayers, count)) {
    return std::nullopt;
  }
  if (version == kInt4Version && (!reader.number(kInt4Group, call.inputs, call.shared) ||
                                  call.shared % kInt4Group != 0 || call.inputs % call.shared != 0)) {
    return std::nullopt;
  }
  call.tail = static_cast<Tail>(tail);
  const bool added = call.tail == Tail::kResidual;
  // arguments are numbered from 0, and a residual belongs to a single layer
  const bool first = call.arguments() == 2 ? added : call.tokens_argument == 0;
  if (!first || (added && count != 1)) {
    return std::nullopt;
  }
  call.layers.resize(count);
  for (LinearCall::Layer& layer : call.layers) {
    if (!reader.number(1, kMostWidth, layer.outputs) || !reader.name(1, layer.weight) ||
        !reader.name(1, layer.scale) || !reader.name(0, layer.bias) ||
        !reader.name(0, layer.residual_scale) || added == layer.residual_scale.empty()) {
      return std::nullopt;
    }
  }
  return reader.done() ? std::optional(std::move(call)) : std::nullopt;
}

}  // namespace linnet::kernels
