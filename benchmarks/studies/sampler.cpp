// Time to choose a token, on one thread: a line of tab-separated fields for each vocabulary and setting.
// Compiled and run by sampler.py.
#include "generate/sampler.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kEach{300};

struct Setting {
  const char* name;
  linnet_sampling sampling;
};

constexpr Setting kSettings[] = {
    {"greedy", {0.0F, 0, 1.0F, 0.0F, 1.0F, 0.0F, 0.0F, 1}},
    {"temperature 1", {1.0F, 0, 1.0F, 0.0F, 1.0F, 0.0F, 0.0F, 1}},
    {"top_k 50", {1.0F, 50, 1.0F, 0.0F, 1.0F, 0.0F, 0.0F, 1}},
    {"top_p 0.9", {1.0F, 0, 0.9F, 0.0F, 1.0F, 0.0F, 0.0F, 1}},
    {"min_p 0.05", {1.0F, 0, 1.0F, 0.05F, 1.0F, 0.0F, 0.0F, 1}},
    {"top_k 50, top_p 0.95, penalty 1.1", {0.7F, 50, 0.95F, 0.0F, 1.1F, 0.0F, 0.0F, 1}}};

// Return the microseconds of the fastest of many runs.
template <typename Work>
double fastest(const Work& work) {
  double best = 1e9;
  for (const auto end = Clock::now() + kEach; Clock::now() < end;) {
    const auto start = Clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return 1e6 * best;
}

}  // namespace

int main() {
  const std::vector<std::int64_t> history = {1, 2, 3, 4, 5};
  for (const std::size_t vocabulary : {std::size_t{49152}, std::size_t{262144}}) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal(0.0F, 3.0F);
    std::vector<float> logits(vocabulary);
    std::generate(logits.begin(), logits.end(), [&] { return normal(random); });
    std::int64_t sum = 0;  // keeps the calls
    const double asked =
        fastest([&] { sum += linnet::log_probability(logits.data(), vocabulary, 3) < 0.0F ? 1 : 0; });
    for (const Setting& setting : kSettings) {
      const double token = fastest(
          [&] { sum += linnet::choose_token(logits.data(), vocabulary, history, 3, setting.sampling); });
      std::printf("%zu\t%s\t%.0f\t%.0f\n", vocabulary, setting.name, token, asked);
    }
    if (sum == 0) {
      return 1;
    }
  }
  return 0;
}
