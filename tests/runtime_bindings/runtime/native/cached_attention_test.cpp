// Attention over a cache against the same in double precision, and to the last bit: kernels against each
// other, and tokens in one call against tokens in many.
#include "kernels/cached_attention.h"

#include <algorithm>
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

namespace {

using linnet::kernels::CachedAttentionKernel;
using linnet::kernels::CachedInput;
using linnet::kernels::CachedShape;
using linnet::kernels::CacheRow;
using linnet::kernels::ExactScratch;
using linnet::kernels::kBlock;
using linnet::kernels::Kernels;
using linnet::kernels::kLanes;
using linnet::kernels::PackedCache;
using linnet::kernels::portable_kernels;
using linnet::kernels::slices_of_head;
using linnet::kernels::TileScratch;
using linnet::kernels::TokenLayout;
using linnet::kernels::usable_kernels;
using Matrix = std::vector<float>;

constexpr std::size_t kAllKeys = SIZE_MAX;

int failures = 0;

struct Case {
  std::size_t tokens;  // of a text
  std::size_t heads;
  std::size_t key_heads;
  std::size_t width;
  std::size_t window = kAllKeys;
  bool rotated = true;

  std::string name() const {
    return std::to_string(tokens) + " tokens, " + std::to_string(heads) + " heads, " +
           std::to_string(key_heads) + " key heads, width " + std::to_string(width) + ", window " +
           (window == kAllKeys ? "none" : std::to_string(window));
  }
};

void expect(bool good, const char* what, const Case& about, const char* name, double found) {
  if (!good) {
    ++failures;
    std::printf("%s, %s: %s: %g\n", what, name, about.name().c_str(), found);
  }
}

Matrix random_matrix(std::mt19937& random, std::size_t size, float spread) {
  std::normal_distribution<float> normal(0.0F, spread);
  Matrix matrix(size);
  for (float& each : matrix) {
    each = normal(random);
  }
  return matrix;
}

// A text: queries, keys and values of all its tokens.
struct Text {
  Case about;
  Matrix query;
  Matrix key;
  Matrix value;
  Matrix cosine;  // [tokens, width / 2]
  Matrix sine;

  explicit Text(const Case& about_) : about(about_) {
    std::mt19937 random(static_cast<unsigned>(about.tokens * 100 + about.width));
    query = random_matrix(random, about.tokens * about.heads * about.width,
                          2.0F / std::sqrt(static_cast<float>(about.width)));
    key = random_matrix(random, about.tokens * about.key_heads * about.width, 1.0F);
    value = random_matrix(random, key.size(), 1.0F);
    for (std::size_t i = 0; i < value.size(); ++i) {  // some tokens have values that are much smaller
      value[i] *= i / (about.key_heads * about.width) % 7 == 0 ? 0.01F : 1.0F;
    }
    if (about.rotated) {
      cosine = random_matrix(random, about.tokens * (about.width / 2), 3.0F);
      sine = cosine;
      for (std::size_t i = 0; i < sine.size(); ++i) {
        sine[i] = std::sin(cosine[i]);
        cosine[i] = std::cos(cosine[i]);
      }
    }
  }

  // Return a call for tokens of this text, without a cache.
  CachedInput call(std::size_t first, std::size_t count) const {
    CachedInput input;
    input.shape = {count, first, about.heads, about.key_heads, about.width, about.window};
    input.query = query.data() + first * about.heads * about.width;
    input.key = key.data() + first * about.key_heads * about.width;
    input.value = value.data() + first * about.key_heads * about.width;
    input.cosine = about.rotated ? cosine.data() : nullptr;
    input.sine = about.rotated ? sine.data() : nullptr;
    return input;
  }
};

std::unique_ptr<std::uint8_t, decltype(&std::free)> memory(std::size_t size) {
  auto* bytes = static_cast<std::uint8_t*>(std::aligned_alloc(64, (size + 63) / 64 * 64));
  std::memset(bytes, 0xa5, size);  // what was in the memory before must not matter
  return {bytes, &std::free};
}

// In two pieces, as threads do.
template <typename Work>
void in_two(std::size_t count, const Work& work) {
  work(std::size_t{0}, count / 2);
  work(count / 2, count);
}

void by_token(const CachedAttentionKernel& kernel, const CachedInput& input, float* out) {
  const CachedShape& shape = input.shape;
  for (std::size_t token = 0; token < shape.tokens; ++token) {
    const TokenLayout layout(shape, shape.start + token);
    const auto held = memory(layout.size);
    std::uint8_t* bytes = held.get();
    in_two(shape.heads,
           [&](auto first, auto last) { kernel.round_queries(input, token, first, last, bytes); });
    in_two(layout.keys / kBlock,
           [&](auto first, auto last) { kernel.score(input, token, first, last, bytes); });
    in_two(shape.heads, [&](auto first, auto last) { kernel.weigh(input, token, first, last, bytes); });
    in_two(shape.key_heads * slices_of_head(shape),
           [&](auto first, auto last) { kernel.mix(input, token, first, last, bytes, out); });
  }
}

void by_tile(const CachedAttentionKernel& kernel, const CachedInput& input, float* out) {
  const CachedShape& shape = input.shape;
  const PackedCache layout(shape, kernel.format);
  const auto packed = memory(layout.size);
  const auto scratch = memory(TileScratch(layout).size);
  const std::size_t queries = shape.tokens * shape.group();
  const std::size_t middle = queries / 2 / kLanes * kLanes;
  for (std::size_t head = 0; head < shape.key_heads; ++head) {
    in_two(layout.keys / kBlock,
           [&](auto first, auto last) { kernel.pack(input, head, first, last, packed.get()); });
    kernel.attend(input, head, 0, middle, packed.get(), scratch.get(), out);
    kernel.attend(input, head, middle, queries, packed.get(), scratch.get(), out);
  }
}

struct Answer {
  Matrix out;
  std::vector<std::uint8_t> cache;
};

// Compute a text in calls of `chunk` tokens, those of more than one token with tiles if these are wanted.
Answer run(const CachedAttentionKernel& kernel, const Text& text, std::size_t chunk, bool tiles) {
  const Case& about = text.about;
  const std::size_t row = CacheRow(about.key_heads, about.width).bytes;
  const auto cache = memory(about.tokens * row);
  Answer answer{Matrix(text.query.size(), std::nanf("")), {}};
  for (std::size_t first = 0; first < about.tokens; first += chunk) {
    CachedInput input = text.call(first, std::min(chunk, about.tokens - first));
    input.cache = cache.get();
    in_two(input.shape.tokens, [&](auto from, auto to) { kernel.append(input, from, to); });
    float* out = answer.out.data() + first * about.heads * about.width;
    (tiles ? by_tile : by_token)(kernel, input, out);
  }
  answer.cache.assign(cache.get(), cache.get() + about.tokens * row);
  return answer;
}

Matrix run_exact(const CachedAttentionKernel& kernel, const Text& text, std::size_t chunk) {
  const Case& about = text.about;
  Matrix cache(about.tokens * 2 * about.key_heads * about.width, std::nanf(""));
  Matrix out(text.query.size(), std::nanf(""));
  for (std::size_t first = 0; first < about.tokens; first += chunk) {
    CachedInput input = text.call(first, std::min(chunk, about.tokens - first));
    input.exact_cache = cache.data();
    kernel.append_exact(input, 0, input.shape.tokens);
    for (std::size_t token = 0; token < input.shape.tokens; ++token) {
      const auto scratch = memory(ExactScratch(input.shape, first + token).size);
      for (std::size_t head = 0; head < about.heads; ++head) {
        kernel.attend_exact(input, token, head, scratch.get(),
                            out.data() + first * about.heads * about.width);
      }
    }
  }
  return out;
}

// Return the numbers of a head, rotated.
std::vector<double> placed(const Text& text, const Matrix& rows, std::size_t heads, std::size_t token,
                           std::size_t head) {
  const std::size_t width = text.about.width;
  const float* row = rows.data() + (token * heads + head) * width;
  std::vector<double> numbers(row, row + width);
  const std::size_t half = width / 2;
  for (std::size_t i = 0; text.about.rotated && i < half; ++i) {
    const auto first = static_cast<double>(row[i]);
    const auto second = static_cast<double>(row[half + i]);
    const auto cosine = static_cast<double>(text.cosine[token * half + i]);
    const auto sine = static_cast<double>(text.sine[token * half + i]);
    numbers[i] = first * cosine - second * sine;
    numbers[half + i] = second * cosine + first * sine;
  }
  return numbers;
}

void exact_head(const Text& text, std::size_t token, std::size_t head, double* out) {
  const Case& about = text.about;
  const std::size_t key_head = head / (about.heads / about.key_heads);
  const std::vector<double> query = placed(text, text.query, about.heads, token, head);
  const std::size_t first = token < about.window ? 0 : token + 1 - about.window;
  std::vector<double> weights;
  for (std::size_t other = first; other <= token; ++other) {
    const std::vector<double> key = placed(text, text.key, about.key_heads, other, key_head);
    double sum = 0.0;
    for (std::size_t i = 0; i < about.width; ++i) {
      sum += query[i] * key[i];
    }
    weights.push_back(sum);
  }
  const double largest = *std::max_element(weights.begin(), weights.end());
  double total = 0.0;
  for (double& weight : weights) {
    weight = std::exp(weight - largest);
    total += weight;
  }
  for (std::size_t i = 0; i < about.width; ++i) {
    out[i] = 0.0;
    for (std::size_t other = first; other <= token; ++other) {
      const std::size_t at = (other * about.key_heads + key_head) * about.width + i;
      out[i] += weights[other - first] / total * static_cast<double>(text.value[at]);
    }
  }
}

std::vector<double> exact(const Text& text) {
  const Case& about = text.about;
  std::vector<double> out(text.query.size());
  for (std::size_t token = 0; token < about.tokens; ++token) {
    for (std::size_t head = 0; head < about.heads; ++head) {
      exact_head(text, token, head, out.data() + (token * about.heads + head) * about.width);
    }
  }
  return out;
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

bool same(const Matrix& left, const Matrix& right) {
  return std::memcmp(left.data(), right.data(), left.size() * sizeof(float)) == 0;
}

void compare(const Case& about) {
  const Text text(about);
  const std::vector<double> expected = exact(text);
  const Answer portable = run(portable_kernels().cached_attention, text, 1, false);
  const Matrix portable_exact = run_exact(portable_kernels().cached_attention, text, 1);
  const double error = relative_error(portable.out, expected);
  expect(error < 0.03, "relative error", about, "portable", error);
  const double exact_error = relative_error(portable_exact, expected);
  expect(exact_error < 1e-6, "relative error with float32", about, "portable", exact_error);
  std::size_t count = 0;
  const Kernels* const* kernels = usable_kernels(count);
  for (std::size_t i = 0; i < count; ++i) {
    const CachedAttentionKernel& kernel = kernels[i]->cached_attention;
    for (const std::size_t chunk : {about.tokens, std::size_t{1}, std::size_t{5}, std::size_t{40}}) {
      for (const bool tiles : {false, true}) {
        if (chunk > 1 || !tiles || about.tokens < 40) {
          const Answer found = run(kernel, text, chunk, tiles);
          expect(same(found.out, portable.out), tiles ? "tiles apart" : "tokens apart", about,
                 kernels[i]->name, static_cast<double>(chunk));
          expect(found.cache == portable.cache, "caches apart", about, kernels[i]->name,
                 static_cast<double>(chunk));
        }
      }
    }
    expect(same(run_exact(kernel, text, 40), portable_exact), "float32 apart", about, kernels[i]->name, 0.0);
  }
}

// A single token attends to itself: its value comes back, up to the rounding of int8.
void one_token() {
  Text text({1, 2, 1, 4, kAllKeys, false});
  text.value = {0.5F, -1.0F, 127.0F, 0.0F};
  std::size_t count = 0;
  const Kernels* const* kernels = usable_kernels(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Matrix found = run(kernels[i]->cached_attention, text, 1, false).out;
    const Matrix expected{0.0F, -1.0F, 127.0F, 0.0F, 0.0F, -1.0F, 127.0F, 0.0F};
    for (std::size_t number = 0; number < found.size(); ++number) {
      const double off = std::fabs(static_cast<double>(found[number] - expected[number]));
      expect(off < 0.02, "one token", text.about, kernels[i]->name, off);
    }
  }
}

// A key with nearly all the weight whose value is almost zero: it is rounded away, but still divides.
void heavy_key_of_a_small_value() {
  Text text({2, 1, 1, 4, kAllKeys, false});
  text.query = {0.0F, 0.0F, 0.0F, 0.0F, 4.0F, 0.0F, 0.0F, 0.0F};
  text.key = {1.0F, 0.0F, 0.0F, 0.0F, 0.0F, 1.0F, 0.0F, 0.0F};
  text.value = {1e-6F, 0.0F, 0.0F, 0.0F, 1.0F, 1.0F, 1.0F, 1.0F};
  const double expected = 1.0 / (1.0 + std::exp(4.0));
  const Matrix found = run(portable_kernels().cached_attention, text, 1, false).out;
  expect(std::fabs(static_cast<double>(found[5]) - expected) < 1e-3 * expected, "heavy key", text.about,
         "portable", static_cast<double>(found[5]));
}

void zeros() {
  Text text({40, 4, 2, 16});
  for (Matrix* each : {&text.query, &text.key, &text.value}) {
    std::fill(each->begin(), each->end(), 0.0F);
  }
  std::size_t count = 0;
  const Kernels* const* kernels = usable_kernels(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (const bool tiles : {false, true}) {
      const Matrix found = run(kernels[i]->cached_attention, text, 40, tiles).out;
      expect(same(found, text.query), "zeros", text.about, kernels[i]->name, 0.0);
    }
  }
}

// Activations that are no numbers, or the largest ones, stay in their head, and nothing overflows (UBSan).
void no_numbers() {
  const Text clean({40, 4, 2, 16});
  std::size_t count = 0;
  const Kernels* const* kernels = usable_kernels(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (const bool tiles : {false, true}) {
      const CachedAttentionKernel& kernel = kernels[i]->cached_attention;
      const Matrix expected = run(kernel, clean, 40, tiles).out;
      for (const float strange : {std::nanf(""), INFINITY, -INFINITY, 3e38F, -3e38F}) {
        Text text = clean;
        for (std::size_t token = 0; token < text.about.tokens; token += 3) {
          text.query[token * 64 + token % 32] = strange;  // heads of the first key head
          text.key[token * 32 + token % 16] = strange;
          text.value[token * 32 + token % 16] = strange;
        }
        const Matrix found = run(kernel, text, 40, tiles).out;
        for (std::size_t number = 0; number < found.size(); ++number) {
          expect(number % 64 < 32 || found[number] == expected[number], "another head", text.about,
                 kernels[i]->name, static_cast<double>(strange));
        }
      }
    }
  }
}

}  // namespace

int main() {
  for (const std::size_t width : {4U, 16U, 20U, 32U, 48U, 64U, 80U, 128U}) {
    for (const std::size_t tokens : {1U, 2U, 17U, 33U, 100U}) {
      compare({tokens, 6, 2, width});
    }
  }
  compare({300, 9, 3, 64});
  compare({70, 3, 3, 64});
  compare({70, 10, 1, 32});
  compare({70, 10, 1, 256});
  compare({40, 2, 1, 9, kAllKeys, false});
  for (const std::size_t window : {1U, 7U, 32U, 33U, 64U, 99U}) {
    compare({100, 6, 2, 32, window});
  }
  one_token();
  heavy_key_of_a_small_value();
  zeros();
  no_numbers();
  std::printf("%d failed\n", failures);
  return failures == 0 ? 0 : 1;
}
