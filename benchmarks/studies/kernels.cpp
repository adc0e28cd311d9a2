// Speed of linnet's kernels alone, on one thread where nothing else is said: a line of tab-separated fields
// for each kind of kernels and size. Compiled and run by kernels.py, with the names of the lines that are
// wanted.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <thread>
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

// Return the seconds that work(item) takes for all items in turns, by the tenth part of the runs that were
// the fastest: other programs slow most of them down.
template <typename Work>
double usual(std::size_t items, const Work& work) {
  std::vector<double> times;
  for (const auto end = Clock::now() + 2 * kEach; Clock::now() < end;) {
    for (std::size_t item = 0; item < items; ++item) {
      const auto start = Clock::now();
      work(item);
      times.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    }
  }
  const auto tenth = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 10);
  std::nth_element(times.begin(), tenth, times.end());
  return *tenth;
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

// Threads that wait for work without sleeping, as those of a pool do shortly after their last work; other
// programs may run meanwhile.
class Team {
 public:
  explicit Team(std::size_t count) {
    for (std::size_t i = 1; i < count; ++i) {
      threads_.emplace_back([this, i] { follow(i); });
    }
  }
  ~Team() {
    ended_.store(true);
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  std::size_t size() const { return threads_.size() + 1; }

  // Run work(thread) on all threads and wait for them.
  void run(const std::function<void(std::size_t)>& work) {
    work_ = &work;
    busy_.store(threads_.size());
    turn_.fetch_add(1);
    work(0);
    while (busy_.load() != 0) {
      std::this_thread::yield();
    }
  }

 private:
  void follow(std::size_t thread) {
    for (std::size_t turn = 1;; ++turn) {
      while (turn_.load() < turn) {
        if (ended_.load()) {
          return;
        }
        std::this_thread::yield();
      }
      (*work_)(thread);
      busy_.fetch_sub(1);
    }
  }

  std::vector<std::thread> threads_;
  const std::function<void(std::size_t)>* work_ = nullptr;
  std::atomic<std::size_t> turn_{0};
  std::atomic<std::size_t> busy_{0};
  std::atomic<bool> ended_{false};
};

// Return the sum of words, which takes no longer than to read them.
std::uint64_t sum_of_words(const std::uint8_t* bytes, std::size_t size) {
  const auto* words = reinterpret_cast<const std::uint64_t*>(bytes);
  return std::accumulate(words, words + size / sizeof *words, std::uint64_t{0});
}

// One token, beside copies of a layer that no cache holds together.
void token(const Kernels& kernels, bool int4, std::size_t inputs, std::size_t outputs, std::size_t threads) {
  const LinearKernel& kernel = int4 ? kernels.int4_linear : kernels.linear;
  const std::vector<std::uint8_t> weight(inputs * outputs, 3);
  const std::vector<float> scale(outputs, 0.01F);
  const Int4Layer int4_layer(int4 ? inputs : kInt4Group, int4 ? outputs : 1);
  const LinearWeights int8_layer{inputs, outputs, weight.data(),
                                 reinterpret_cast<const std::uint8_t*>(scale.data()), nullptr};
  std::vector<PackedLinear> copies;
  const auto add = [&] {
    copies.push_back(int4 ? int4_layer.packed(kernel.packing) : PackedLinear(int8_layer, kernel.packing));
  };
  add();
  const std::size_t panels = copies.front().panels();
  const std::size_t panel = copies.front().groups() * kernel.packing.group_bytes();
  const double bytes = static_cast<double>(panels * panel);
  while (bytes * static_cast<double>(copies.size()) < kUncached) {
    add();
  }
  const std::vector<float> x = numbers(inputs);
  const Rounded rounded(1, copies.front().row_bytes(kernel.number_bytes));
  kernel.round_rows(x.data(), inputs, 0, 1, rounded.rows);
  std::vector<float> out(outputs);
  Team team(threads);
  const auto multiply = [&](const PackedLinear& layer) {
    team.run([&](std::size_t thread) {
      kernel.multiply(layer, Tail::kNone, rounded.rows, 1, nullptr, panels * thread / threads,
                      panels * (thread + 1) / threads, out.data());
    });
  };
  std::vector<std::uint64_t> sums(threads * 8);
  const auto read = [&](const PackedLinear& layer) {
    team.run([&](std::size_t thread) {
      const std::size_t first = panels * thread / threads;
      const std::size_t last = panels * (thread + 1) / threads;
      const auto* from = reinterpret_cast<const std::uint8_t*>(layer.panel(first));
      sums[thread * 8] += sum_of_words(from, (last - first) * panel);
    });
  };
  const double cached = fastest([&] { multiply(copies.front()); });
  const double streamed = usual(copies.size(), [&](std::size_t i) { multiply(copies[i]); });
  const double only_read = usual(copies.size(), [&](std::size_t i) { read(copies[i]); });
  std::printf("token\t%s\t%s\t%zu\t1 x %zu x %zu\t%.1f\t%.1f\t%.1f\n", kernels.name, int4 ? "int4" : "int8",
              threads, inputs, outputs, bytes / cached / 1e9, bytes / streamed / 1e9,
              bytes / only_read / 1e9);
}

// Layers of a cache that no processor's cache holds together, and a call of attention to one of them.
struct CachedCall {
  static constexpr std::size_t kHeads = 9;
  static constexpr std::size_t kKeyHeads = 3;
  static constexpr std::size_t kWidth = 64;

  CachedShape shape;
  std::size_t layer_bytes;
  std::size_t layers;
  Bytes cache;
  std::vector<float> query;
  std::vector<float> key;
  std::vector<float> angles;
  std::vector<float> out;

  CachedCall(std::size_t tokens, std::size_t start)
      : shape{tokens, start, kHeads, kKeyHeads, kWidth, SIZE_MAX},
        layer_bytes(shape.end() * CacheRow(kKeyHeads, kWidth).bytes),
        layers(static_cast<std::size_t>(kUncached / static_cast<double>(layer_bytes)) + 1),
        cache(memory(layers * layer_bytes)),
        query(numbers(tokens * kHeads * kWidth)),
        key(numbers(shape.end() * kKeyHeads * kWidth)),
        angles(shape.end() * kWidth / 2, 0.6F),
        out(query.size()) {}

  CachedInput input(std::size_t layer) const {
    CachedInput result;
    result.shape = shape;
    result.query = query.data();
    result.key = result.value = key.data();
    result.cosine = result.sine = angles.data();
    result.cache = cache.get() + layer * layer_bytes;
    return result;
  }

  void fill(const CachedAttentionKernel& kernel) const {
    for (std::size_t layer = 0; layer < layers; ++layer) {
      CachedInput all = input(layer);
      all.shape.tokens = shape.end();
      all.shape.start = 0;
      kernel.append(all, 0, shape.end());
    }
  }
};

// One token whose keys and values are in memory, and in the processor's cache.
void cached_token(const Kernels& kernels, std::size_t start) {
  const CachedAttentionKernel& kernel = kernels.cached_attention;
  CachedCall call(1, start);
  call.fill(kernel);
  const TokenLayout layout(call.shape, start);
  const Bytes held = memory(layout.size);
  std::uint8_t* bytes = held.get();
  const auto attend = [&](std::size_t layer) {
    const CachedInput input = call.input(layer);
    kernel.append(input, 0, 1);
    kernel.round_queries(input, 0, 0, CachedCall::kHeads, bytes);
    kernel.score(input, 0, 0, layout.keys / kBlock, bytes);
    kernel.weigh(input, 0, 0, CachedCall::kHeads, bytes);
    kernel.mix(input, 0, 0, CachedCall::kKeyHeads * slices_of_head(call.shape), bytes, call.out.data());
  };
  const double cached = fastest([&] { attend(0); });
  const double streamed = usual(call.layers, attend);
  std::uint64_t sum = 0;
  const double read = usual(call.layers, [&](std::size_t layer) {
    sum += sum_of_words(call.cache.get() + layer * call.layer_bytes, call.layer_bytes);
  });
  const double all = static_cast<double>(call.layer_bytes) / 1e9;
  std::printf("cached\t%s\t%zu\t%.1f\t%.1f\t%.1f\t%.1f\n", kernels.name, start, cached * 1e6,
              static_cast<double>(call.layer_bytes) / cached / 1e9, all / streamed,
              all / (read + static_cast<double>(sum & 1U) * 1e-12));
}

// A chunk of tokens, kLanes queries at once and one token after the other.
void cached_chunk(const Kernels& kernels, std::size_t tokens, std::size_t start) {
  const CachedAttentionKernel& kernel = kernels.cached_attention;
  CachedCall call(tokens, start);
  call.fill(kernel);
  const CachedInput input = call.input(0);
  const PackedCache layout(call.shape, kernel.format);
  const Bytes packed = memory(layout.size);
  const Bytes scratch = memory(TileScratch(layout).size);
  const Bytes held = memory(TokenLayout(call.shape, call.shape.end() - 1).size);
  const double tiles = fastest([&] {
    for (std::size_t head = 0; head < CachedCall::kKeyHeads; ++head) {
      kernel.pack(input, head, 0, layout.keys / kBlock, packed.get());
      kernel.attend(input, head, 0, tokens * call.shape.group(), packed.get(), scratch.get(),
                    call.out.data());
    }
  });
  const double rows = fastest([&] {
    for (std::size_t token = 0; token < tokens; ++token) {
      const std::size_t blocks = TokenLayout(call.shape, start + token).keys / kBlock;
      kernel.round_queries(input, token, 0, CachedCall::kHeads, held.get());
      kernel.score(input, token, 0, blocks, held.get());
      kernel.weigh(input, token, 0, CachedCall::kHeads, held.get());
      kernel.mix(input, token, 0, CachedCall::kKeyHeads * slices_of_head(call.shape), held.get(),
                 call.out.data());
    }
  });
  std::printf("chunk\t%s\t%zu behind %zu\t%.1f\t%.1f\n", kernels.name, tokens, start, tiles * 1e6,
              rows * 1e6);
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

void linear_sizes(const Kernels& kernels) {
  for (const int bits : {8, 7}) {
    for (const std::size_t rows : {1U, 8U, 16U, 64U, 128U}) {
      linear(kernels, bits, rows, 384, 384);
      linear(kernels, bits, rows, 384, 1536);
      linear(kernels, bits, rows, 1536, 384);
      linear(kernels, bits, rows, 128, 512);
    }
    if (!kernels.seven_is_faster) {
      break;
    }
  }
}

void int4_sizes(const Kernels& kernels) {
  for (const std::size_t rows : {1U, 8U, 16U, 64U, 128U}) {
    int4_linear(kernels, rows, 384, 384);
    int4_linear(kernels, rows, 384, 1536);
    int4_linear(kernels, rows, 1536, 384);
  }
}

// The layers of a decoder, the last one that gives the scores of its vocabulary.
void token_sizes(const Kernels& kernels) {
  for (const bool int4 : {false, true}) {
    for (const std::size_t threads : {1U, 2U}) {
      token(kernels, int4, 576, 192, threads);
      token(kernels, int4, 576, 576, threads);
      token(kernels, int4, 576, 1536, threads);
      token(kernels, int4, 1536, 576, threads);
      token(kernels, int4, 576, 49152, threads);
    }
  }
}

void cached_sizes(const Kernels& kernels) {
  for (const std::size_t start : {127U, 511U, 2047U, 8191U}) {
    cached_token(kernels, start);
  }
}

void chunk_sizes(const Kernels& kernels) {
  for (const std::size_t start : {0U, 1024U}) {
    for (const std::size_t tokens : {2U, 3U, 4U, 8U, 128U}) {
      cached_chunk(kernels, tokens, start);
    }
  }
}

void attention_sizes(const Kernels& kernels) {
  for (const std::size_t tokens : {8U, 32U, 128U, 256U, 512U}) {
    attention(kernels, tokens);
  }
}

struct Kind {
  const char* name;
  void (*measure)(const Kernels& kernels);
};

constexpr Kind kKinds[] = {{"linear", linear_sizes}, {"int4", int4_sizes},   {"token", token_sizes},
                           {"cached", cached_sizes}, {"chunk", chunk_sizes}, {"attention", attention_sizes}};

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> wanted(argv + 1, argv + argc);
  std::size_t count = 0;
  const Kernels* const* all = usable_kernels(count);
  for (std::size_t i = 1; i < count; ++i) {  // the portable ones come first, and are not made for speed
    for (const Kind& kind : kKinds) {
      if (wanted.empty() || std::find(wanted.begin(), wanted.end(), kind.name) != wanted.end()) {
        kind.measure(*all[i]);
        std::fflush(stdout);
      }
    }
  }
  return 0;
}
