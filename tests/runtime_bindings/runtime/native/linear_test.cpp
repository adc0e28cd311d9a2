// The linear kernels against the same in double precision and to the last bit against each other, and the
// description of a call.
#include "kernels/linear.h"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels/dispatch.h"
#include "kernels/linear_call.h"

namespace {

using linnet::kernels::Kernels;
using linnet::kernels::kInt4Group;
using linnet::kernels::LinearKernel;
using linnet::kernels::LinearWeights;
using linnet::kernels::PackedLinear;
using linnet::kernels::portable_kernels;
using linnet::kernels::read_linear_call;
using linnet::kernels::RoundedRows;
using linnet::kernels::Tail;
using linnet::kernels::usable_kernels;

constexpr float kUntouched = 12345.0F;

int failures = 0;

void expect(bool good, const char* what, const std::string& where, double found) {
  if (!good) {
    ++failures;
    std::printf("%s: %s: %g\n", what, where.c_str(), found);
  }
}

template <typename T>
const std::uint8_t* bytes_of(const std::vector<T>& values) {
  return reinterpret_cast<const std::uint8_t*>(values.data());
}

// A layer and its input; a row of the input lies far from zero, one is all zeros. Weights are int4 if
// inputs share their scales.
struct Case {
  std::size_t rows;
  std::size_t inputs;
  std::size_t outputs;
  std::size_t shared;  // inputs with the same scale; 0 with int8 weights
  std::vector<float> x;
  std::vector<std::int8_t> weight;
  std::vector<float> scale;
  std::vector<float> bias;
  std::vector<float> residual_scale;
  std::vector<float> residual;

  std::vector<std::uint16_t> group_scale;  // bfloat16 [outputs, inputs / shared]

  Case(std::size_t rows_, std::size_t inputs_, std::size_t outputs_, std::size_t shared_ = 0)
      : rows(rows_), inputs(inputs_), outputs(outputs_), shared(shared_) {
    std::mt19937 random(static_cast<unsigned>(rows * 10000 + inputs * 100 + outputs));
    std::normal_distribution<float> normal;
    std::uniform_int_distribution<int> byte(shared == 0 ? -127 : -8, shared == 0 ? 127 : 7);
    for (std::size_t i = 0; i < rows * inputs; ++i) {
      x.push_back(i / inputs == 1 ? 0.0F : normal(random) + (i / inputs == 2 ? 9.0F : 0.0F));
    }
    for (std::size_t i = 0; i < inputs * outputs; ++i) {
      weight.push_back(static_cast<std::int8_t>(byte(random)));
    }
    for (std::size_t i = 0; i < outputs; ++i) {
      scale.push_back(0.001F + 0.01F * std::fabs(normal(random)));
      bias.push_back(normal(random));
      residual_scale.push_back(normal(random));
    }
    for (std::size_t i = 0; shared > 0 && i < inputs / shared * outputs; ++i) {
      const float small = 0.001F + 0.05F * std::fabs(normal(random));
      std::uint32_t bits = 0;
      std::memcpy(&bits, &small, sizeof bits);
      group_scale.push_back(static_cast<std::uint16_t>(bits >> 16U));
    }
    for (std::size_t i = 0; i < rows * outputs; ++i) {
      residual.push_back(normal(random));
    }
  }

  std::string name() const {
    return std::to_string(rows) + " x " + std::to_string(inputs) + " x " + std::to_string(outputs) +
           (shared == 0 ? "" : " by " + std::to_string(shared));
  }

  // Return the weights as a program stores them.
  std::vector<std::uint8_t> stored() const {
    std::vector<std::uint8_t> all;
    for (std::size_t i = 0; i < weight.size(); i += shared == 0 ? 1 : 2) {
      all.push_back(shared == 0 ? static_cast<std::uint8_t>(weight[i])
                                : static_cast<std::uint8_t>((weight[i] + 8) | (weight[i + 1] + 8) << 4));
    }
    return all;
  }

  // Return the layer, which borrows from this object and from stored().
  LinearWeights weights(const std::vector<std::uint8_t>& stored) const {
    const std::uint8_t* scales = shared == 0 ? bytes_of(scale) : bytes_of(group_scale);
    return {inputs, outputs, stored.data(), scales, bytes_of(bias), bytes_of(residual_scale), shared};
  }

  double real_weight(std::size_t output, std::size_t input) const {
    const double whole = weight[output * inputs + input];
    if (shared == 0) {
      return whole * static_cast<double>(scale[output]);
    }
    const std::uint32_t bits = static_cast<std::uint32_t>(group_scale[(output * inputs + input) / shared])
                               << 16U;
    float factor = 0.0F;
    std::memcpy(&factor, &bits, sizeof factor);
    return whole * static_cast<double>(factor);
  }
};

double finished(double value, Tail tail) {
  switch (tail) {
    case Tail::kGelu:
      return value * 0.5 * (1.0 + std::erf(value / std::sqrt(2.0)));
    case Tail::kRelu:
      return std::max(value, 0.0);
    case Tail::kGeluTanh:
      return value * 0.5 *
             (1.0 + std::tanh(std::sqrt(2.0 / std::acos(-1.0)) * (value + 0.044715 * value * value * value)));
    case Tail::kSilu:
      return value / (1.0 + std::exp(-value));
    case Tail::kNone:
    case Tail::kResidual:
      break;
  }
  return value;
}

struct Memory {
  Memory(std::size_t rows, std::size_t stride)
      : bytes(static_cast<std::uint8_t*>(std::malloc(rows * stride)), &std::free), scales(rows), zeros(rows) {
    std::memset(bytes.get(), 0xff, rows * stride);
  }
  std::unique_ptr<std::uint8_t, decltype(&std::free)> bytes;
  std::vector<float> scales;
  std::vector<float> zeros;
};

// Return a rounded activation, which is stored in one byte or two.
double number(const LinearKernel& kernel, const RoundedRows& rows, std::size_t row, std::size_t i) {
  const std::uint8_t* from = rows.bytes + row * rows.stride + i * kernel.number_bytes;
  if (kernel.number_bytes == 1) {
    return kernel.offset == 0 ? *from : static_cast<std::int8_t>(*from) + kernel.offset;
  }
  std::int16_t wide = 0;
  std::memcpy(&wide, from, sizeof wide);
  return wide;
}

// Each number comes back within half a step, and zero exactly.
void check_rounding(const Case& layer, const RoundedRows& rows, const LinearKernel& kernel,
                    const char* name) {
  for (std::size_t i = 0; i < layer.x.size(); ++i) {
    const std::size_t row = i / layer.inputs;
    const float scale = rows.scales[row];
    const auto byte = static_cast<float>(number(kernel, rows, row, i % layer.inputs));
    const float found = (byte - rows.zeros[row]) * scale;
    expect(std::fabs(found - layer.x[i]) <= 0.501F * scale + 1e-6F, name, layer.name() + " rounding",
           static_cast<double>(found));
    expect(layer.x[i] != 0.0F || found == 0.0F, name, layer.name() + " zero", static_cast<double>(found));
  }
}

// What exact arithmetic makes of the rounded rows.
double expected_value(const Case& layer, const LinearKernel& kernel, const RoundedRows& rows, std::size_t row,
                      std::size_t output) {
  double sum = 0.0;
  for (std::size_t i = 0; i < layer.inputs; ++i) {
    sum +=
        (number(kernel, rows, row, i) - static_cast<double>(rows.zeros[row])) * layer.real_weight(output, i);
  }
  return sum * static_cast<double>(rows.scales[row]) + static_cast<double>(layer.bias[output]);
}

std::vector<float> check_products(const Case& layer, const PackedLinear& packed, const RoundedRows& rows,
                                  const LinearKernel& kernel, Tail tail, const char* name) {
  std::vector<float> out(layer.rows * layer.outputs, kUntouched);
  // in two pieces, as threads do
  const std::size_t middle = packed.panels() / 2;
  const float* residual = tail == Tail::kResidual ? layer.residual.data() : nullptr;
  kernel.multiply(packed, tail, rows, layer.rows, residual, middle, packed.panels(), out.data());
  if (middle > 0) {
    expect(out[0] == kUntouched, name, layer.name() + " wrote before its panels",
           static_cast<double>(out[0]));
  }
  kernel.multiply(packed, tail, rows, layer.rows, residual, 0, middle, out.data());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t output = i % layer.outputs;
    const double added = residual == nullptr ? 0.0
                                             : static_cast<double>(residual[i]) *
                                                   static_cast<double>(layer.residual_scale[output]);
    const double sum = expected_value(layer, kernel, rows, i / layer.outputs, output) + added;
    const double error = std::fabs(static_cast<double>(out[i]) - finished(sum, tail));
    // GELU's polynomial errs by up to 6e-5, and far from zero by x times what is left of the distribution
    // there
    expect(error <= 1e-4 + 4e-6 * std::fabs(sum), name, layer.name() + " product", error);
  }
  return out;
}

// Return the outputs with each tail, one after the other.
std::vector<float> check_kernel(const LinearKernel& kernel, const char* name, const Case& layer) {
  const std::vector<std::uint8_t> stored = layer.stored();
  const PackedLinear packed(layer.weights(stored), kernel.packing);
  const std::size_t stride = packed.row_bytes(kernel.number_bytes);
  Memory memory(layer.rows, stride);
  const RoundedRows rows{memory.bytes.get(), stride, memory.scales.data(), memory.zeros.data()};
  const std::size_t middle = layer.rows / 2;
  kernel.round_rows(layer.x.data(), layer.inputs, 0, middle, rows);
  kernel.round_rows(layer.x.data(), layer.inputs, middle, layer.rows, rows);
  check_rounding(layer, rows, kernel, name);
  std::vector<float> all;
  for (const Tail tail :
       {Tail::kNone, Tail::kGelu, Tail::kRelu, Tail::kResidual, Tail::kGeluTanh, Tail::kSilu}) {
    const std::vector<float> out = check_products(layer, packed, rows, kernel, tail, name);
    all.insert(all.end(), out.begin(), out.end());
  }
  return all;
}

void compare(const Case& layer, LinearKernel Kernels::* bits) {
  const std::vector<float> expected = check_kernel(portable_kernels().*bits, "portable", layer);
  std::size_t count = 0;
  const Kernels* const* kernels = usable_kernels(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<float> found = check_kernel(kernels[i]->*bits, kernels[i]->name, layer);
    const bool same = std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)) == 0;
    expect(same, kernels[i]->name, layer.name() + " differs from the portable kernels", 0.0);
  }
}

// With activations of 8 bits, and of 7.
void compare(const Case& layer) {
  if (layer.shared > 0) {
    compare(layer, &Kernels::int4_linear);
    return;
  }
  compare(layer, &Kernels::linear);
  compare(layer, &Kernels::seven_linear);
}

// Weights and activations whose products are the largest that there are, and of one sign.
void check_extremes() {
  for (const int weight : {-128, 127}) {
    Case layer(5, 385, 33);
    std::fill(layer.weight.begin(), layer.weight.end(), static_cast<std::int8_t>(weight));
    for (std::size_t i = 0; i < layer.x.size(); ++i) {
      const std::size_t row = i / layer.inputs;
      layer.x[i] = row == 0 ? -1.0F : row == 1 ? 1.0F : i % 5 == 0 ? 1.0F : -1.0F;
    }
    compare(layer);
  }
}

// The same with int4 weights, of which all sixteen products in an int16 lane may be the largest.
void check_int4_extremes() {
  for (const int weight : {-8, 7}) {
    Case layer(5, 384, 33, kInt4Group);
    std::fill(layer.weight.begin(), layer.weight.end(), static_cast<std::int8_t>(weight));
    for (std::size_t i = 0; i < layer.x.size(); ++i) {
      const std::size_t row = i / layer.inputs;
      layer.x[i] = row == 0 ? -1.0F : row == 1 ? 1.0F : i % 5 == 0 ? 1.0F : -1.0F;
    }
    compare(layer);
  }
}

void check_int4_kernels() {
  for (const std::size_t rows : {1U, 3U, 6U, 9U, 41U}) {
    for (const std::size_t outputs : {1U, 3U, 16U, 31U, 32U, 100U}) {
      for (const std::size_t inputs : {32U, 64U, 160U}) {
        compare(Case(rows, inputs, outputs, kInt4Group));
      }
      compare(Case(rows, 384, outputs, 64));
      compare(Case(rows, 384, outputs, 384));
    }
  }
}

void check_kernels() {
  for (const std::size_t rows : {1U, 3U, 8U, 9U, 41U}) {
    for (const std::size_t inputs : {1U, 4U, 30U, 64U, 144U, 385U}) {
      for (const std::size_t outputs : {1U, 16U, 31U, 32U, 100U}) {
        compare(Case(rows, inputs, outputs));
      }
    }
  }
}

void add(std::string& text, std::uint32_t number) {
  text.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void add(std::string& text, const char* name) {
  add(text, static_cast<std::uint32_t>(std::strlen(name)));
  text += name;
}

std::string description(const std::vector<std::uint32_t>& head, const std::vector<const char*>& names) {
  std::string text;
  for (const std::uint32_t number : head) {
    add(text, number);
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i % 4 == 0) {
      add(text, 7U);  // outputs
    }
    add(text, names[i]);
  }
  return text;
}

void check_good_descriptions() {
  const std::string two =
      description({1, 384, 1, 0, 0, 2}, {"first", "second", "third", "", "fourth", "fifth", "", ""});
  const auto call = read_linear_call(two.data(), two.size());
  expect(call && call->inputs == 384 && call->tail == Tail::kGelu && call->arguments() == 1 &&
             call->layers.size() == 2 && call->layers[0].outputs == 7 && call->layers[0].weight == "first" &&
             call->layers[0].bias == "third" && call->layers[1].scale == "fifth" &&
             call->layers[1].bias.empty(),
         "description", "two layers", 0);
  const std::string one = description({1, 384, 3, 1, 0, 1}, {"first", "second", "", "third"});
  const auto added = read_linear_call(one.data(), one.size());
  expect(added && added->arguments() == 2 && added->tokens_argument == 1 && added->residual_argument == 0 &&
             added->layers[0].residual_scale == "third",
         "description", "with a residual", 0);
  const std::string int4 = description({2, 384, 0, 0, 0, 1, 96}, {"first", "second", "", ""});
  const auto grouped = read_linear_call(int4.data(), int4.size());
  expect(grouped && grouped->shared == 96 && grouped->layers[0].outputs == 7, "description", "int4", 0);
}

void check_bad_descriptions() {
  const std::vector<const char*> names{"first", "second", "", ""};
  const std::vector<const char*> added{"first", "second", "", "third"};
  const std::string good = description({2, 384, 0, 0, 0, 1, 32}, names);
  const std::string bad[] = {good + "x",
                             description({3, 384, 0, 0, 0, 1}, names),  // version
                             description({2, 384, 0, 0, 0, 1}, names),  // no inputs that share a scale
                             description({2, 384, 0, 0, 0, 1, 0}, names),
                             description({2, 384, 0, 0, 0, 1, 48}, names),
                             description({2, 384, 0, 0, 0, 1, 256}, names),
                             description({1, 0, 0, 0, 0, 1}, names),    // inputs
                             description({1, 384, 6, 0, 0, 1}, names),  // tail
                             description({1, 384, 0, 1, 1, 1}, names),  // no first argument
                             description({1, 384, 0, 0, 1, 1}, names),  // two arguments, no residual
                             description({1, 384, 0, 0, 0, 1}, added),  // a scale, no residual
                             description({1, 384, 3, 0, 1, 1}, names),  // a residual, no scale
                             description({1, 384, 3, 0, 1, 2}, {"a", "b", "", "c", "a", "b", "", "c"})};
  for (const std::string& each : bad) {
    expect(!read_linear_call(each.data(), each.size()), "description", "bad",
           static_cast<double>(&each - bad));
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    // a copy of its own, so that a read behind the end is seen
    const std::vector<char> cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    expect(!read_linear_call(cut.data(), cut.size()), "description", "cut", static_cast<double>(size));
  }
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::vector<char> changed(good.begin(), good.end());
    changed[at] = '\xff';
    read_linear_call(changed.data(), changed.size());  // whatever it says, it stays inside
  }
}

}  // namespace

int main() {
  check_kernels();
  check_extremes();
  check_int4_kernels();
  check_int4_extremes();
  check_good_descriptions();
  check_bad_descriptions();
  std::size_t count = 0;
  const Kernels* const* kernels = usable_kernels(count);
  std::printf("linear: up to %s, %d failures\n", kernels[count - 1]->name, failures);
  return failures == 0 ? 0 : 1;
}
