// The attention kernels against softmax(Q K^T) V in double precision, with what scores can know of places,
// and to the last bit against each other.
#include "kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "kernels/dispatch.h"

namespace {

using linnet::kernels::AttentionInput;
using linnet::kernels::AttentionKernel;
using linnet::kernels::AttentionShape;
using linnet::kernels::kLanes;
using linnet::kernels::PackedHead;
using linnet::kernels::portable_kernels;
using linnet::kernels::Scratch;
using linnet::kernels::usable_kernels;
using Matrix = std::vector<float>;

int failures = 0;

void expect(bool good, const char* what, const AttentionShape& shape, double found) {
  if (!good) {
    ++failures;
    std::printf("%s: tokens %zu, heads %zu, head width %zu: %g\n", what, shape.tokens, shape.heads,
                shape.head_width, found);
  }
}

std::vector<AttentionKernel> kernels() {
  std::size_t count = 0;
  const auto* all = usable_kernels(count);
  std::vector<AttentionKernel> found;
  for (std::size_t i = 0; i < count; ++i) {
    found.push_back(all[i]->attention);
  }
  return found;
}

// What scores know of places.
enum class Places {
  kNone,
  kBias,
  kWindow,
  kBiasAndWindow,
  kRotation,
  kRotationAndWindow,
  kDistanceKeys,
  kDistanceQueries,
  kDistances,
  kDistancesAndWindow
};

struct Input {
  AttentionShape shape;
  Matrix query;
  Matrix key;
  Matrix value;
  std::size_t before = 1000;
  std::size_t behind = 1000;
  Matrix bias = {};    // [heads, 2 * reach]
  Matrix cosine = {};  // [tokens, head_width / 2]; queries and keys are halves then, one behind the other
  Matrix sine = {};
  Matrix distance_keys = {};  // [2 * tokens, width]
  Matrix distance_queries = {};

  // Return what a kernel takes; it borrows from this object.
  AttentionInput borrowed() const {
    AttentionInput input;
    input.shape = shape;
    input.query.first = query.data();
    input.key.first = key.data();
    input.value = value.data();
    if (!cosine.empty()) {
      input.query.second = query.data() + query.size() / 2;
      input.key.second = key.data() + key.size() / 2;
      input.cosine = cosine.data();
      input.sine = sine.data();
    }
    input.bias = bias.empty() ? nullptr : bias.data();
    input.reach = bias.size() / shape.heads / 2;
    input.distance_keys = distance_keys.empty() ? nullptr : distance_keys.data();
    input.distance_queries = distance_queries.empty() ? nullptr : distance_queries.data();
    input.before = std::min(before, shape.tokens);
    input.behind = std::min(behind, shape.tokens);
    return input;
  }
};

Matrix random_matrix(std::mt19937& random, std::size_t size, float spread) {
  std::normal_distribution<float> normal(0.0F, spread);
  Matrix matrix(size);
  for (float& each : matrix) {
    each = normal(random);
  }
  return matrix;
}

bool has_bias(Places places) { return places == Places::kBias || places == Places::kBiasAndWindow; }
bool has_rotation(Places places) {
  return places == Places::kRotation || places == Places::kRotationAndWindow;
}
bool has_window(Places places) {
  return places == Places::kWindow || places == Places::kBiasAndWindow ||
         places == Places::kRotationAndWindow || places == Places::kDistancesAndWindow;
}
bool has_distance_keys(Places places) {
  return places == Places::kDistanceKeys || places == Places::kDistances ||
         places == Places::kDistancesAndWindow;
}
bool has_distance_queries(Places places) {
  return places == Places::kDistanceQueries || places == Places::kDistances ||
         places == Places::kDistancesAndWindow;
}

Input random_input(const AttentionShape& shape, Places places = Places::kNone) {
  std::mt19937 random(static_cast<unsigned>(shape.tokens * 100 + shape.head_width));
  const std::size_t size = shape.tokens * shape.width();
  Input input{shape, random_matrix(random, size, 0.5F), random_matrix(random, size, 1.0F),
              random_matrix(random, size, 1.0F)};
  if (has_bias(places)) {
    // longer than the text, as a file has it
    input.bias = random_matrix(random, shape.heads * 2 * (shape.tokens + shape.tokens % 3), 1.5F);
  }
  if (has_window(places)) {
    input.before = shape.tokens / 5;
    input.behind = places == Places::kWindow ? 0 : 20;  // the keys so far; wider than a short text
  }
  if (has_distance_keys(places)) {
    input.distance_keys = random_matrix(random, 2 * size, 0.8F);
  }
  if (has_distance_queries(places)) {
    input.distance_queries = random_matrix(random, 2 * size, 0.4F);
  }
  input.shape.distances = has_distance_keys(places) || has_distance_queries(places);
  if (has_rotation(places)) {
    input.cosine = random_matrix(random, shape.tokens * shape.head_width / 2, 3.0F);
    input.sine = input.cosine;
    for (std::size_t i = 0; i < input.sine.size(); ++i) {
      input.sine[i] = std::sin(input.cosine[i]);
      input.cosine[i] = std::cos(input.cosine[i]);
    }
  }
  return input;
}

std::unique_ptr<std::uint8_t, decltype(&std::free)> memory(std::size_t size) {
  return {static_cast<std::uint8_t*>(std::aligned_alloc(64, size)), &std::free};
}

Matrix run(const AttentionKernel& kernel, const Input& input) {
  const PackedHead layout(input.shape, kernel.format);
  const auto packed = memory(layout.size);
  const auto scratch = memory(Scratch(layout).size);
  Matrix out(input.query.size(), std::nanf(""));
  for (std::size_t head = 0; head < input.shape.heads; ++head) {
    kernel.pack(input.borrowed(), head, packed.get());
    // in two pieces, as threads do
    const std::size_t middle = input.shape.tokens / 2 / kLanes * kLanes;
    kernel.attend(input.borrowed(), head, 0, middle, packed.get(), scratch.get(), out.data());
    kernel.attend(input.borrowed(), head, middle, input.shape.tokens, packed.get(), scratch.get(),
                  out.data());
  }
  return out;
}

// Return a number of the row of a token and head, rotated if the input has halves.
double placed(const Input& input, const Matrix& rows, std::size_t token, std::size_t head, std::size_t i) {
  const AttentionShape& shape = input.shape;
  if (input.cosine.empty()) {
    return static_cast<double>(rows[token * shape.width() + head * shape.head_width + i]);
  }
  const std::size_t half = shape.head_width / 2;
  const std::size_t place = i % half;
  const std::size_t at = (token * shape.heads + head) * half + place;
  const auto first = static_cast<double>(rows[at]);
  const auto second = static_cast<double>(rows[rows.size() / 2 + at]);
  const auto cosine = static_cast<double>(input.cosine[token * half + place]);
  const auto sine = static_cast<double>(input.sine[token * half + place]);
  return i < half ? first * cosine - second * sine : second * cosine + first * sine;
}

// Return the product of numbers of a head.
double product(const AttentionShape& shape, const float* left, const float* right, std::size_t head) {
  double sum = 0.0;
  for (std::size_t i = head * shape.head_width; i < (head + 1) * shape.head_width; ++i) {
    sum += static_cast<double>(left[i]) * static_cast<double>(right[i]);
  }
  return sum;
}

// Return what the rows of distances add to a score.
double by_distance(const Input& input, std::size_t query, std::size_t key, std::size_t head) {
  const AttentionShape& shape = input.shape;
  double sum = 0.0;
  if (!input.distance_keys.empty()) {
    sum += product(shape, &input.query[query * shape.width()],
                   &input.distance_keys[(shape.tokens + key - query) * shape.width()], head);
  }
  if (!input.distance_queries.empty()) {
    sum += product(shape, &input.key[key * shape.width()],
                   &input.distance_queries[(shape.tokens + query - key) * shape.width()], head);
  }
  return sum;
}

void exact_row(const Input& input, std::size_t token, std::size_t head, std::vector<double>& out) {
  const AttentionShape& shape = input.shape;
  std::vector<double> weights(shape.tokens);
  double largest = -INFINITY;
  for (std::size_t other = 0; other < shape.tokens; ++other) {
    for (std::size_t i = 0; i < shape.head_width; ++i) {
      weights[other] += placed(input, input.query, token, head, i) * placed(input, input.key, other, head, i);
    }
    const std::size_t reach = input.bias.size() / shape.heads / 2;
    if (reach > 0) {
      weights[other] += static_cast<double>(input.bias[head * 2 * reach + reach - 1 + token - other]);
    }
    weights[other] += by_distance(input, token, other, head);
    if (other + input.before < token || token + input.behind < other) {
      weights[other] = -INFINITY;
    }
    largest = std::fmax(largest, weights[other]);
  }
  double sum = 0.0;
  for (double& weight : weights) {
    weight = std::exp(weight - largest);
    sum += weight;
  }
  const std::size_t offset = head * shape.head_width;
  for (std::size_t i = 0; i < shape.head_width; ++i) {
    for (std::size_t other = 0; other < shape.tokens; ++other) {
      out[token * shape.width() + offset + i] +=
          weights[other] / sum * static_cast<double>(input.value[other * shape.width() + offset + i]);
    }
  }
}

std::vector<double> exact(const Input& input) {
  std::vector<double> out(input.query.size());
  for (std::size_t token = 0; token < input.shape.tokens; ++token) {
    for (std::size_t head = 0; head < input.shape.heads; ++head) {
      exact_row(input, token, head, out);
    }
  }
  return out;
}

template <typename Numbers>
double largest_difference(const Matrix& found, const Numbers& expected) {
  double largest = 0.0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(found[i]) - static_cast<double>(expected[i]));
    // a NaN is no answer
    largest = difference <= largest ? largest : difference;
  }
  return largest;
}

double relative_error(const Matrix& found, const std::vector<double>& expected) {
  double error = 0.0;
  double all = 0.0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    error += std::pow(static_cast<double>(found[i]) - expected[i], 2);
    all += std::pow(expected[i], 2);
  }
  return std::sqrt(error / all);
}

void compare(const AttentionShape& shape, Places places) {
  const Input input = random_input(shape, places);
  const std::vector<double> expected = exact(input);
  const Matrix portable = run(portable_kernels().attention, input);
  // scores of random rows have a spread of a few units, and each is some thousandths of that off
  const double error = relative_error(portable, expected);
  expect(error < 0.025, "portable kernel, relative error", shape, error);
  for (const AttentionKernel& kernel : kernels()) {
    const double apart = largest_difference(run(kernel, input), portable);
    expect(apart == 0.0, "kernels apart", shape, apart);
  }
}

void one_token() {
  // a single token attends to itself: its value comes back, up to the rounding of int8
  const AttentionShape shape{1, 1, 4};
  const Input input{shape, {1.0F, 2.0F, 3.0F, 4.0F}, {1.0F, 1.0F, 1.0F, 1.0F}, {0.5F, -1.0F, 127.0F, 0.0F}};
  for (const AttentionKernel& kernel : kernels()) {
    expect(largest_difference(run(kernel, input), input.value) < 1e-5, "one token", shape, 0.0);
  }
}

// Queries of zeros weigh all keys alike, and those behind the last token not at all.
void zero_queries() {
  const AttentionShape shape{5, 1, 4};
  const Matrix nothing(20, 0.0F);
  const Matrix ones(20, 1.0F);
  for (const AttentionKernel& kernel : kernels()) {
    const double error = largest_difference(run(kernel, {shape, nothing, ones, ones}), ones);
    expect(error < 1e-6, "zero queries", shape, error);
  }
}

// A window of the own token alone gives its value back, whatever the scores are.
void narrowest_window() {
  const AttentionShape shape{70, 2, 16};
  Input input = random_input(shape);
  std::fill(input.value.begin(), input.value.end(), 1.0F);
  for (std::size_t i = 0; i < input.value.size(); i += 32) {
    input.value[i] = -1.0F;
  }
  input.before = input.behind = 0;
  for (const AttentionKernel& kernel : kernels()) {
    const double error = largest_difference(run(kernel, input), input.value);
    expect(error < 1e-6, "narrowest window", shape, error);
  }
}

void zeros() {
  const AttentionShape shape{5, 2, 8};
  const Matrix nothing(5 * 16, 0.0F);
  for (const AttentionKernel& kernel : kernels()) {
    const double error = largest_difference(run(kernel, {shape, nothing, nothing, nothing}), nothing);
    expect(error == 0.0, "zeros", shape, error);
  }
}

// Activations that are no numbers, or the largest ones, stay in their head, and nothing overflows (UBSan).
void no_numbers(Places places) {
  const AttentionShape shape{40, 2, 16};
  const Input clean = random_input(shape, places);
  for (const AttentionKernel& kernel : kernels()) {
    const Matrix expected = run(kernel, clean);
    for (const float strange : {std::nanf(""), INFINITY, -INFINITY, 3e38F, -3e38F}) {
      for (int part = 0; part < 7; ++part) {
        Input input = clean;
        for (std::size_t token = 0; token < shape.tokens; token += 1 + static_cast<std::size_t>(part) * 5) {
          const std::size_t at = token * shape.width() + token % shape.head_width;  // of the first head
          input.query[at] = (part + 1) % 2 != 0 ? strange : input.query[at];
          input.key[at] = (part + 1) / 2 % 2 != 0 ? strange : input.key[at];
          input.value[at] = (part + 1) / 4 != 0 ? strange : input.value[at];
          if (input.shape.distances) {
            input.distance_keys[at] = (part + 1) % 2 != 0 ? strange : input.distance_keys[at];
            input.distance_queries[at] = (part + 1) / 2 % 2 != 0 ? strange : input.distance_queries[at];
          }
        }
        const Matrix found = run(kernel, input);
        for (std::size_t i = 0; i < found.size(); ++i) {
          const bool first_head = i % shape.width() < shape.head_width;
          expect(first_head || found[i] == expected[i], "another head", shape, static_cast<double>(found[i]));
        }
      }
    }
  }
}

}  // namespace

int main() {
  for (const std::size_t width : {4U, 8U, 16U, 26U, 30U, 32U, 33U, 48U, 64U}) {
    for (const Places places :
         {Places::kNone, Places::kBias, Places::kWindow, Places::kBiasAndWindow, Places::kRotation,
          Places::kRotationAndWindow, Places::kDistances, Places::kDistancesAndWindow}) {
      if (!has_rotation(places) || width % 2 == 0) {
        for (const std::size_t tokens : {1U, 2U, 3U, 7U, 8U, 15U, 16U, 17U, 33U, 100U, 512U}) {
          compare({tokens, 2, width}, places);
        }
      }
    }
    for (const Places places : {Places::kDistanceKeys, Places::kDistanceQueries}) {
      for (const std::size_t tokens : {1U, 17U, 100U}) {
        compare({tokens, 2, width}, places);
      }
    }
  }
  one_token();
  zero_queries();
  narrowest_window();
  zeros();
  no_numbers(Places::kNone);
  no_numbers(Places::kDistances);
  std::printf("%d failed\n", failures);
  return failures == 0 ? 0 : 1;
}
