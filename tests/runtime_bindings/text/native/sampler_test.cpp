// The sampler against the plainest way to sample: sort all tokens, add up all weights in the order of the
// ids.
#include "generate/sampler.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

namespace {

constexpr std::size_t kVocabulary = 1500;  // more than a block
constexpr int kSeeds = 400;

int failures = 0;

void expect(bool right, const char* what, int number) {
  if (!right) {
    ++failures;
    std::printf("%s, seed %d\n", what, number);
  }
}

// The generator of random numbers is part of the promise that a seed gives the same text.
double uniform(std::uint64_t seed, std::uint64_t place) {
  const auto mixed = [](std::uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  };
  return static_cast<double>(mixed(mixed(seed + 0x9E3779B97F4A7C15U) + (place + 1) * 0x9E3779B97F4A7C15U) >>
                             11U) *
         0x1p-53;
}

std::int64_t plainly(const std::vector<float>& logits, const std::vector<std::size_t>& allowed,
                     std::size_t history, const linnet_sampling& sampling) {
  std::vector<std::size_t> order = allowed;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  if (sampling.temperature == 0.0F) {
    return static_cast<std::int64_t>(order[0]);
  }
  const double largest = static_cast<double>(logits[order[0]]);
  const auto weight = [&](std::size_t id) {
    return std::exp((static_cast<double>(logits[id]) - largest) / static_cast<double>(sampling.temperature));
  };
  if (sampling.top_k > 0) {
    order.resize(std::min(order.size(), static_cast<std::size_t>(sampling.top_k)));
  }
  if (sampling.top_p < 1.0F) {
    const double total = std::accumulate(order.begin(), order.end(), 0.0,
                                         [&](double sum, std::size_t id) { return sum + weight(id); });
    std::size_t kept = 0;
    for (double sum = 0.0;
         kept < order.size() && (kept == 0 || sum < static_cast<double>(sampling.top_p) * total); ++kept) {
      sum += weight(order[kept]);
    }
    order.resize(kept);
  }
  order.erase(
      std::remove_if(order.begin(), order.end(),
                     [&](std::size_t id) { return weight(id) < static_cast<double>(sampling.min_p); }),
      order.end());
  std::sort(order.begin(), order.end());
  double left = uniform(sampling.seed, history) *
                std::accumulate(order.begin(), order.end(), 0.0,
                                [&](double sum, std::size_t id) { return sum + weight(id); });
  for (const std::size_t id : order) {
    left -= weight(id);
    if (left < 0.0) {
      return static_cast<std::int64_t>(id);
    }
  }
  return static_cast<std::int64_t>(order.back());
}

void test_settings() {
  const linnet_sampling settings[] = {
      {0.0F, 0, 1.0F, 0.0F, 1.0F, 0.0F, 0.0F, 0},    {1.0F, 0, 1.0F, 0.0F, 1.0F, 0.0F, 0.0F, 0},
      {0.01F, 0, 1.0F, 0.0F, 1.0F, 0.0F, 0.0F, 0},   {1.5F, 20, 1.0F, 0.0F, 1.0F, 0.0F, 0.0F, 0},
      {1.5F, 2000, 1.0F, 0.0F, 1.0F, 0.0F, 0.0F, 0}, {1.0F, 0, 0.7F, 0.0F, 1.0F, 0.0F, 0.0F, 0},
      {1.0F, 0, 0.0F, 0.0F, 1.0F, 0.0F, 0.0F, 0},    {1.0F, 0, 1.0F, 0.05F, 1.0F, 0.0F, 0.0F, 0},
      {1.0F, 0, 1.0F, 1.0F, 1.0F, 0.0F, 0.0F, 0},    {1.0F, 40, 0.9F, 0.01F, 1.0F, 0.0F, 0.0F, 0}};
  for (int seed = 0; seed < kSeeds; ++seed) {
    std::mt19937 random(static_cast<unsigned>(seed));
    std::normal_distribution<float> normal(0.0F, 3.0F);
    std::vector<float> logits(kVocabulary);
    for (float& logit : logits) {
      const float drawn = normal(random);
      logit = seed % 3 == 0 ? std::round(drawn) : drawn;  // with many equal ones
      logit = random() % 50 == 0 ? -std::numeric_limits<float>::infinity() : logit;
    }
    std::vector<std::size_t> all(kVocabulary);
    std::iota(all.begin(), all.end(), std::size_t{0});
    std::vector<std::size_t> some;
    linnet::TokenSet set((kVocabulary + 63) / 64 - 1);  // the last ids are not part of it
    for (const std::size_t id : all) {
      if (id / 64 < set.size() && std::isfinite(logits[id]) && random() % 20 == 0) {
        some.push_back(id);
        set[id / 64] |= std::uint64_t{1} << (id % 64);
      }
    }
    const std::vector<std::int64_t> history(static_cast<std::size_t>(seed % 9), 3);
    for (linnet_sampling sampling : settings) {
      sampling.seed = static_cast<std::uint64_t>(seed);
      expect(linnet::choose_token(logits.data(), kVocabulary, history, 0, sampling) ==
                 plainly(logits, all, history.size(), sampling),
             "another token than the plain way", seed);
      expect(linnet::choose_token(logits.data(), kVocabulary, history, 0, sampling, &set) ==
                 plainly(logits, some, history.size(), sampling),
             "another token than the plain way among those that are allowed", seed);
    }
    const double largest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
    double sum = 0.0;
    for (const float logit : logits) {
      sum += std::exp(static_cast<double>(logit) - largest);
    }
    const double expected = static_cast<double>(logits[some[0]]) - largest - std::log(sum);
    const double found = static_cast<double>(
        linnet::log_probability(logits.data(), kVocabulary, static_cast<std::int64_t>(some[0])));
    expect(std::abs(found - expected) < 1e-6 * (1.0 - expected), "another log probability", seed);
  }
}

template <typename Work>
void expect_refused(const Work& work, const char* what) {
  try {
    work();
    expect(false, what, 0);
  } catch (const std::exception&) {
    return;
  }
}

void test_refusals() {
  const linnet_sampling greedy = {0.0F, 0, 1.0F, 0.0F, 1.0F, 0.0F, 0.0F, 0};
  std::vector<float> logits(kVocabulary, 0.0F);
  const linnet::TokenSet nothing(3);
  expect_refused([&] { linnet::choose_token(logits.data(), kVocabulary, {}, 0, greedy, &nothing); },
                 "nothing is allowed");
  logits[kVocabulary - 2] = std::numeric_limits<float>::quiet_NaN();
  expect_refused([&] { linnet::choose_token(logits.data(), kVocabulary, {}, 0, greedy); }, "no number");
  const std::vector<float> none(kVocabulary, -std::numeric_limits<float>::infinity());
  expect_refused([&] { linnet::choose_token(none.data(), kVocabulary, {}, 0, greedy); }, "none is finite");
}

}  // namespace

int main() {
  test_settings();
  test_refusals();
  std::printf("%d failed\n", failures);
  return failures > 0 ? 1 : 0;
}
