// Speed of linnet's kernels alone, on one thread: a line of tab-separated fields for each kind of kernels and
// size. Compiled and run by kernels.py.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "kernels/dispatch.h"

namespace {

using namespace linnet::kernels;
using Clock = std::chrono::steady_clock;
using Bytes = std::unique_ptr<std::uint8_t, decltype(&std::free)>;

constexpr std::chrono::milliseconds kEach{200};

// Return the seconds of the fastest of many runs.
template <typename Work>
double fastest(const Work& work) {
  double best = 1e9;
  for (const auto end = Clock::now() + kEach; Clock::now() < end;) {
    const auto start = Clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

Bytes memory(std::size_t size) {
  return {static_cast<std::uint8_t*>(std::aligned_alloc(64, (size + 63) / 64 * 64)), &std::free};
}

std::vector<float> numbers(std::size_t size) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> all(size);
  std::generate(all.begin(), all.end(), [&] { return normal(random); });
  return all;
}

void linear(const Kernels& kernels, int bits, std::size_t rows, std::size_t inputs, std::size_t outputs) {
  const LinearKernel& kernel = bits == 7 ? kernels.seven_linear : kernels.linear;
  std::vector<std::int8_t> weight(inputs * outputs);
  std::mt19937 random(1);
  // a quarter of the range is about what trained weights have
  std::normal_distribution<float> normal(0.0F, 32.0F);
  std::generate(weight.begin(), weight.end(),
                [&] { return static_cast<std::int8_t>(std::clamp(normal(random), -127.0F, 127.0F)); });
  const std::vector<float> scale(outputs, 0.01F);
  const std::vector<float> x = numbers(rows * inputs);
  const PackedLinear packed({inputs, outputs, reinterpret_cast<const std::uint8_t*>(weight.data()),
                             reinterpret_cast<const std::uint8_t*>(scale.data()), nullptr},
                            kernel.packing);
  const std::size_t stride = packed.row_bytes(kernel.number_bytes);
  const Bytes bytes = memory(rows * stride);
  std::vector<float> scales(rows);
  std::vector<float> zeros(rows);
  std::vector<float> out(rows * outputs);
  const RoundedRows rounded{bytes.get(), stride, scales.data(), zeros.data()};
  const double rounding = fastest([&] { kernel.round_rows(x.data(), inputs, 0, rows, rounded); });
  const double products = fastest(
      [&] { kernel.multiply(packed, Tail::kNone, rounded, rows, nullptr, 0, packed.panels(), out.data()); });
  const double gelu = fastest(
      [&] { kernel.multiply(packed, Tail::kGelu, rounded, rows, nullptr, 0, packed.panels(), out.data()); });
  const double work = static_cast<double>(rows * inputs * outputs) / 1e9;
  std::printf("linear\t%s\t%d\t%zu x %zu x %zu\t%.2f\t%.1f\t%.1f\n", kernels.name, bits, rows, inputs,
              outputs, rounding * 1e6, work / products, work / gelu);
}

void attention(const Kernels& kernels, std::size_t tokens) {
  const AttentionShape shape{tokens, 12, 32};
  const PackedHead layout(shape, kernels.attention.format);
  const std::vector<float> x = numbers(tokens * shape.width());
  const std::vector<float> weight(shape.width(), 1.0F);
  std::vector<float> out(x.size());
  const Bytes packed = memory(layout.size);
  const Bytes scratch = memory(Scratch(layout).size);
  const double packing = fastest([&] {
    for (std::size_t head = 0; head < shape.heads; ++head) {
      kernels.attention.pack(shape, x.data(), x.data(), head, packed.get());
    }
  });
  const double all = fastest([&] {
    for (std::size_t head = 0; head < shape.heads; ++head) {
      kernels.attention.pack(shape, x.data(), x.data(), head, packed.get());
      kernels.attention.attend(shape, x.data(), head, 0, tokens, packed.get(), scratch.get(), out.data());
    }
  });
  const LayerNormInput input{x.data(), x.data(), weight.data(), shape.width(), 1e-12F};
  const double norm = fastest([&] { kernels.layer_norm(input, 0, tokens, out.data()); });
  std::printf("attention\t%s\t%zu\t%.1f\t%.1f\t%.1f\n", kernels.name, tokens, packing * 1e6, all * 1e6,
              norm * 1e6);
}

}  // namespace

int main() {
  std::size_t count = 0;
  const Kernels* const* all = usable_kernels(count);
  for (std::size_t i = 1; i < count; ++i) {  // the portable ones come first, and are not made for speed
    for (const int bits : {8, 7}) {
      for (const std::size_t rows : {1U, 8U, 16U, 64U, 128U}) {
        linear(*all[i], bits, rows, 384, 384);
        linear(*all[i], bits, rows, 384, 1536);
        linear(*all[i], bits, rows, 1536, 384);
        linear(*all[i], bits, rows, 128, 512);
      }
      if (!all[i]->seven_is_faster) {
        break;
      }
    }
    for (const std::size_t tokens : {8U, 32U, 128U, 256U, 512U}) {
      attention(*all[i], tokens);
    }
    std::fflush(stdout);
  }
  return 0;
}
