// The operators of text generation as ExecuTorch calls them: on two threads as on one, and what they refuse.
#include <executorch/runtime/core/exec_aten/exec_aten.h>
#include <executorch/runtime/core/memory_allocator.h>
#include <executorch/runtime/kernel/kernel_runtime_context.h>
#include <executorch/runtime/kernel/operator_registry.h>
#include <executorch/runtime/platform/runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "kernels/cached_attention.h"
#include "program/threads.h"

namespace linnet {

// The number that a model would have fixed.
std::int32_t threads_of_test = 1;
std::int32_t fixed_threads() noexcept { return threads_of_test; }

}  // namespace linnet

namespace {

using executorch::aten::ScalarType;
using executorch::aten::Tensor;
using executorch::aten::TensorImpl;
using executorch::runtime::Error;
using executorch::runtime::EValue;
using executorch::runtime::KernelRuntimeContext;
using executorch::runtime::MemoryAllocator;
using executorch::runtime::Span;
using linnet::kernels::CacheRow;

int failures = 0;

void expect(bool good, const char* what) {
  if (!good) {
    ++failures;
    std::printf("%s\n", what);
  }
}

// A contiguous tensor with its memory.
template <typename Number, ScalarType kType>
class Array {
 public:
  Array(std::vector<std::int32_t> sizes, std::vector<Number> numbers)
      : numbers_(std::move(numbers)),
        sizes_(std::move(sizes)),
        order_(sizes_.size()),
        strides_(sizes_.size()) {
    std::int32_t stride = 1;
    for (std::size_t i = sizes_.size(); i-- > 0;) {
      order_[i] = static_cast<std::uint8_t>(i);
      strides_[i] = stride;
      stride *= sizes_[i];
    }
    impl_ = std::make_unique<TensorImpl>(kType, static_cast<ssize_t>(sizes_.size()), sizes_.data(),
                                         numbers_.data(), order_.data(), strides_.data());
  }

  EValue value() { return EValue(Tensor(impl_.get())); }
  std::vector<Number>& numbers() { return numbers_; }

 private:
  std::vector<Number> numbers_;
  std::vector<std::int32_t> sizes_;
  std::vector<std::uint8_t> order_;
  std::vector<std::int32_t> strides_;
  std::unique_ptr<TensorImpl> impl_;
};
using FloatArray = Array<float, ScalarType::Float>;
using CharArray = Array<std::int8_t, ScalarType::Char>;
using ByteArray = Array<std::uint8_t, ScalarType::Byte>;
using LongArray = Array<std::int64_t, ScalarType::Long>;

FloatArray random_rows(std::int32_t rows, std::int32_t width) {
  static std::mt19937 random(7);
  std::normal_distribution<float> normal;
  std::vector<float> numbers(static_cast<std::size_t>(rows * width));
  std::generate(numbers.begin(), numbers.end(), [&] { return normal(random); });
  return {{rows, width}, std::move(numbers)};
}

Error call(const char* name, std::vector<EValue> values) {
  static std::vector<std::uint8_t> pool(1U << 24U);
  MemoryAllocator allocator(static_cast<std::uint32_t>(pool.size()), pool.data());
  KernelRuntimeContext context(nullptr, &allocator);
  std::vector<EValue*> stack;
  stack.reserve(values.size());
  for (EValue& value : values) {
    stack.push_back(&value);
  }
  const auto found = executorch::runtime::get_op_function_from_registry(name);
  if (!found.ok()) {
    return found.error();
  }
  (*found)(context, Span<EValue*>(stack.data(), stack.size()));
  return context.failure_state();
}

constexpr std::int32_t kHeads = 6;
constexpr std::int32_t kKeyHeads = 2;
constexpr std::int32_t kWidth = 32;
constexpr std::int32_t kCapacity = 1500;
constexpr std::int32_t kLayers = 2;

// Arguments of cached_attention; tests change one of them.
struct Call {
  std::int32_t tokens;
  std::int32_t row;
  FloatArray query;
  FloatArray key;
  FloatArray value;
  ByteArray cache;
  FloatArray exact_cache;
  LongArray start;
  FloatArray angles;
  FloatArray out;
  bool exact = false;
  std::int64_t layer = 1;
  std::int64_t heads = kHeads;
  std::int64_t key_heads = kKeyHeads;
  std::int64_t window = -1;

  explicit Call(std::int32_t tokens_)
      : tokens(tokens_),
        row(static_cast<std::int32_t>(CacheRow(kKeyHeads, kWidth).bytes)),
        query(random_rows(tokens, kHeads * kWidth)),
        key(random_rows(tokens, kKeyHeads * kWidth)),
        value(random_rows(tokens, kKeyHeads * kWidth)),
        cache({kLayers, kCapacity, row},
              std::vector<std::uint8_t>(static_cast<std::size_t>(kLayers * kCapacity * row))),
        exact_cache(
            {kLayers, kCapacity, 2 * kKeyHeads * kWidth},
            std::vector<float>(static_cast<std::size_t>(kLayers * kCapacity * 2 * kKeyHeads * kWidth))),
        start({1}, {0}),
        angles(random_rows(kCapacity, kWidth / 2)),
        out({tokens, kHeads * kWidth},
            std::vector<float>(static_cast<std::size_t>(tokens * kHeads * kWidth))) {}

  Error run() {
    return call("linnet::cached_attention.out",
                {query.value(), key.value(), value.value(), exact ? exact_cache.value() : cache.value(),
                 start.value(), angles.value(), angles.value(), EValue(layer), EValue(heads),
                 EValue(key_heads), EValue(window), out.value()});
  }
};

// Write `count` tokens, then one more and a few.
std::vector<float> generated(std::int32_t count, bool exact, std::int32_t threads) {
  linnet::threads_of_test = threads;
  std::vector<float> found;
  std::unique_ptr<Call> before;
  std::int32_t start = 0;
  for (const std::int32_t tokens : {count, 1, 3}) {
    auto next = std::make_unique<Call>(tokens);
    std::mt19937 random(static_cast<unsigned>(tokens));
    for (FloatArray* each : {&next->query, &next->key, &next->value}) {
      for (float& number : each->numbers()) {
        number = std::normal_distribution<float>()(random);
      }
    }
    std::fill(next->angles.numbers().begin(), next->angles.numbers().end(), 0.6F);
    if (before != nullptr) {
      next->cache.numbers() = before->cache.numbers();
      next->exact_cache.numbers() = before->exact_cache.numbers();
    }
    next->start.numbers()[0] = start;
    next->exact = exact;
    expect(next->run() == Error::Ok, "a call failed");
    found.insert(found.end(), next->out.numbers().begin(), next->out.numbers().end());
    start += tokens;
    before = std::move(next);
  }
  return found;
}

void threads_give_the_same() {
  for (const bool exact : {false, true}) {
    for (const std::int32_t tokens : {1, 40, 1400}) {
      const std::vector<float> one = generated(tokens, exact, 1);
      const std::vector<float> two = generated(tokens, exact, 2);
      const std::vector<float> three = generated(tokens, exact, 3);
      expect(std::memcmp(one.data(), two.data(), one.size() * sizeof(float)) == 0, "two threads differ");
      expect(std::memcmp(one.data(), three.data(), one.size() * sizeof(float)) == 0, "three threads differ");
    }
  }
}

template <typename Change>
void refused(const char* what, const Change& change) {
  Call one(3);
  change(one);
  expect(one.run() == Error::InvalidArgument, what);
  const auto& bytes = one.cache.numbers();
  expect(std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; }),
         "written though refused");
}

void refusals() {
  refused("a negative start", [](Call& one) { one.start.numbers()[0] = -1; });
  refused("no room", [](Call& one) { one.start.numbers()[0] = kCapacity - 2; });
  refused("a start beyond all", [](Call& one) { one.start.numbers()[0] = INT64_MAX; });
  refused("a layer that is not there", [](Call& one) { one.layer = kLayers; });
  refused("a negative layer", [](Call& one) { one.layer = -1; });
  refused("heads that do not fit", [](Call& one) { one.heads = 5; });
  refused("key heads that do not fit", [](Call& one) { one.key_heads = 3; });
  refused("no key heads", [](Call& one) { one.key_heads = 0; });
  refused("a window of nothing", [](Call& one) { one.window = 0; });
  refused("a window below -1", [](Call& one) { one.window = -2; });
  refused("another number of values", [](Call& one) { one.value = random_rows(2, kKeyHeads * kWidth); });
  refused("another width of keys", [](Call& one) { one.key = random_rows(3, kWidth); });
  refused("rows of another size",
          [](Call& one) { one.cache = ByteArray({1, 4, 64}, std::vector<std::uint8_t>(256)); });
  refused("too few angles", [](Call& one) { one.angles = random_rows(2, kWidth / 2); });
  refused("angles of another width", [](Call& one) { one.angles = random_rows(kCapacity, kWidth); });
}

void normalization() {
  FloatArray x({1, 2}, {3.0F, 3.0F});
  FloatArray residual({1, 2}, {0.0F, 1.0F});
  FloatArray weight({2}, {1.0F, 2.0F});
  FloatArray sum({1, 2}, {0.0F, 0.0F});
  FloatArray out({1, 2}, {0.0F, 0.0F});
  const EValue epsilon(12.5);
  expect(call("linnet::add_rms_norm.out",
              {x.value(), residual.value(), weight.value(), epsilon, sum.value(), out.value()}) == Error::Ok,
         "add_rms_norm failed");
  // mean(9, 16) + 12.5 = 25
  expect(sum.numbers() == std::vector<float>({3.0F, 4.0F}), "sum");
  expect(out.numbers() == std::vector<float>({3.0F * 0.2F, 4.0F * 0.2F * 2.0F}), "normalized sum");
  expect(call("linnet::rms_norm.out", {sum.value(), weight.value(), epsilon, x.value()}) == Error::Ok,
         "rms_norm failed");
  expect(x.numbers() == out.numbers(), "normalized");
  FloatArray narrow({1}, {1.0F});
  expect(call("linnet::rms_norm.out", {sum.value(), narrow.value(), epsilon, x.value()}) ==
             Error::InvalidArgument,
         "a narrow weight");
  expect(call("linnet::add_rms_norm.out", {x.value(), weight.value(), weight.value(), epsilon, sum.value(),
                                           out.value()}) == Error::InvalidArgument,
         "a residual of another shape");
}

// States of 2 rows times a table of 3: -1 and 0.5 are -32767 and 16384 of 32767, by hand.
void head() {
  FloatArray x({2, 2}, {-1.0F, 0.5F, 0.0F, 0.0F});
  CharArray table({3, 2}, {1, 0, 0, 2, -128, 127});
  FloatArray scale({3}, {1.0F, 10.0F, 0.1F});
  FloatArray out({2, 3}, std::vector<float>(6, 1.0F));
  const auto run = [&](FloatArray& states) {
    return call("linnet::int8_head.out", {states.value(), table.value(), scale.value(), out.value()});
  };
  expect(run(x) == Error::Ok, "int8_head failed");
  const double expected[] = {-1.0, 10.0, 0.1 * (128.0 + 0.5 * 127.0), 0.0, 0.0, 0.0};
  for (std::size_t i = 0; i < 6; ++i) {
    expect(std::fabs(static_cast<double>(out.numbers()[i]) - expected[i]) < 4e-4, "a logit");
  }
  x.numbers()[3] = std::numeric_limits<float>::infinity();
  expect(run(x) == Error::InvalidState, "an infinite state");
  FloatArray wide({2, 3}, std::vector<float>(6));
  expect(run(wide) == Error::InvalidArgument, "states of another width");
}

// Two threads transform 100 rows as one does.
void transform() {
  FloatArray x = random_rows(100, 96);
  std::vector<FloatArray> out;
  for (const std::int32_t threads : {1, 2}) {
    linnet::threads_of_test = threads;
    out.push_back(random_rows(100, 96));
    const EValue block(std::int64_t{32});
    expect(call("linnet::hadamard.out", {x.value(), block, out.back().value()}) == Error::Ok,
           "hadamard failed");
  }
  expect(out[0].numbers() == out[1].numbers(), "two threads transform otherwise");
  for (const std::int64_t block : {std::int64_t{0}, std::int64_t{-32}, std::int64_t{8}, std::int64_t{64}}) {
    expect(call("linnet::hadamard.out", {x.value(), EValue(block), out[0].value()}) == Error::InvalidArgument,
           "a block that does not fit");
  }
}

}  // namespace

int main() {
  executorch::runtime::runtime_init();
  threads_give_the_same();
  refusals();
  normalization();
  head();
  transform();
  std::printf("%d failed\n", failures);
  return failures == 0 ? 0 : 1;
}
