// Speed of linnet's kernels alone, on one thread: a line of tab-separated fields for each kind of kernels and
// size. Compiled and run by kernels.py.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "kernels/dispatch.h"

namespace {

using namespace linnet::kernels;
using Clock = std::chrono::steady_clock;
using Bytes = std::unique_ptr<std::uint8_t, decltype(&std::free)>;

constexpr std::chrono::milliseconds kEach{200};
constexpr double kUncached = 256e6;  // bytes, several times the largest cache

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

// An int4 layer, borrowed by its packed copies.
struct Int4Layer {
  std::size_t inputs;
  std::size_t outputs;
  std::vector<std::uint8_t> weight = std::vector<std::uint8_t>(inputs / 2 * outputs);
  std::vector<std::uint16_t> scale =
      std::vector<std::uint16_t>(inputs / kInt4Group * outputs, 0x3c23);  // 0.01

  Int4Layer(std::size_t inputs_, std::size_t outputs_) : inputs(inputs_), outputs(outputs_) {
    std::mt19937 random(1);
    std::generate(weight.begin(), weight.end(), [&] { return static_cast<std::uint8_t>(random()); });
  }

  PackedLinear packed(const Packing& packing) const {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(scale.data());
    return PackedLinear({inputs, outputs, weight.data(), bytes, nullptr, nullptr, kInt4Group}, packing);
  }
  double bytes() const { return static_cast<double>(inputs * outputs) / kInt4Group * kInt4GroupBytes; }
};

// Rounded rows with their memory.
struct Rounded {
  std::size_t stride;
  Bytes bytes;
  std::vector<float> scales;
  std::vector<float> zeros;
  RoundedRows rows;

  Rounded(std::size_t count, std::size_t stride_)
      : stride(stride_),
        bytes(memory(count * stride)),
        scales(count),
        zeros(count),
        rows{bytes.get(), stride, scales.data(), zeros.data()} {}
};

// Multiply rounded rows with a packed layer.
struct Int4Product {
  const LinearKernel& kernel;
  const std::size_t count;
  const std::vector<float> x;
  const Rounded rounded;
  std::vector<float> out;

  Int4Product(const LinearKernel& kernel_, std::size_t count_, const PackedLinear& layer)
      : kernel(kernel_),
        count(count_),
        x(numbers(count * layer.inputs())),
        rounded(count, layer.row_bytes(kernel.number_bytes)),
        out(count * layer.outputs()) {
    round(layer);
  }

  void round(const PackedLinear& layer) {
    kernel.round_rows(x.data(), layer.inputs(), 0, count, rounded.rows);
  }
  void multiply(const PackedLinear& layer, Tail tail) {
    kernel.multiply(layer, tail, rounded.rows, count, nullptr, 0, layer.panels(), out.data());
  }
};

void int4_linear(const Kernels& kernels, std::size_t rows, std::size_t inputs, std::size_t outputs) {
  const PackedLinear packed = Int4Layer(inputs, outputs).packed(kernels.int4_linear.packing);
  Int4Product product(kernels.int4_linear, rows, packed);
  const double rounding = fastest([&] { product.round(packed); });
  const double none = fastest([&] { product.multiply(packed, Tail::kNone); });
  const double gelu = fastest([&] { product.multiply(packed, Tail::kGelu); });
  const double work = static_cast<double>(rows * inputs * outputs) / 1e9;
  std::printf("int4\t%s\t%zu x %zu x %zu\t%.2f\t%.1f\t%.1f\n", kernels.name, rows, inputs, outputs,
              rounding * 1e6, work / none, work / gelu);
}

// Return the sum of the weights' words, which takes no longer than to read them.
std::uint64_t sum_of_words(const PackedLinear& layer, std::size_t bytes) {
  const auto* words = reinterpret_cast<const std::uint64_t*>(layer.panel(0));
  return std::accumulate(words, words + bytes / sizeof *words, std::uint64_t{0});
}

// One token, beside copies of a layer that no cache holds together.
void int4_token(const Kernels& kernels, std::size_t inputs, std::size_t outputs) {
  const Int4Layer layer(inputs, outputs);
  std::vector<PackedLinear> copies;
  while (layer.bytes() * static_cast<double>(copies.size()) < kUncached) {
    copies.push_back(layer.packed(kernels.int4_linear.packing));
  }
  Int4Product product(kernels.int4_linear, 1, copies.front());
  const double cached = fastest([&] { product.multiply(copies.front(), Tail::kNone); });
  const double streamed = fastest([&] {
    for (const PackedLinear& copy : copies) {
      product.multiply(copy, Tail::kNone);
    }
  });
  volatile std::uint64_t sum = 0;
  const double read = fastest([&] {
    for (const PackedLinear& copy : copies) {
      sum = sum + sum_of_words(copy, static_cast<std::size_t>(layer.bytes()));
    }
  });
  const double all = layer.bytes() * static_cast<double>(copies.size());
  std::printf("token\t%s\t1 x %zu x %zu\t%.1f\t%.1f\t%.1f\n", kernels.name, inputs, outputs,
              layer.bytes() / cached / 1e9, all / streamed / 1e9, all / read / 1e9);
}

void attention(const Kernels& kernels, std::size_t tokens) {
  const AttentionShape shape{tokens, 12, 32};
  const PackedHead layout(shape, kernels.attention.format);
  const std::vector<float> x = numbers(tokens * shape.width());
  const std::vector<float> weight(shape.width(), 1.0F);
  std::vector<float> out(x.size());
  const Bytes packed = memory(layout.size);
  const Bytes scratch = memory(Scratch(layout).size);
  AttentionInput attention_input;
  attention_input.shape = shape;
  attention_input.query.first = attention_input.key.first = attention_input.value = x.data();
  attention_input.before = attention_input.behind = tokens;
  const double packing = fastest([&] {
    for (std::size_t head = 0; head < shape.heads; ++head) {
      kernels.attention.pack(attention_input, head, packed.get());
    }
  });
  const double all = fastest([&] {
    for (std::size_t head = 0; head < shape.heads; ++head) {
      kernels.attention.pack(attention_input, head, packed.get());
      kernels.attention.attend(attention_input, head, 0, tokens, packed.get(), scratch.get(), out.data());
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
    for (const std::size_t rows : {1U, 8U, 16U, 64U, 128U}) {
      int4_linear(*all[i], rows, 384, 384);
      int4_linear(*all[i], rows, 384, 1536);
      int4_linear(*all[i], rows, 1536, 384);
    }
    int4_token(*all[i], 576, 1536);
    for (const std::size_t tokens : {8U, 32U, 128U, 256U, 512U}) {
      attention(*all[i], tokens);
    }
    std::fflush(stdout);
  }
  return 0;
}
