#include "generate/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <unordered_map>

#include "status.h"

namespace linnet {
namespace {

// Return e^x for x <= 0 with plain multiplications and additions, so that every processor and C library gives
// the same bits: libraries differ in the last one, which could change a sampled token.
double exponential(double x) {
  constexpr double kLeast = -700.0;  // the result is still a normal number
  constexpr double kLog2 = 0.693147180559945286;
  constexpr double kPerLog2 = 1.44269504088896339;
  if (x < kLeast) {
    return 0.0;
  }
  const double whole = std::floor(x * kPerLog2 + 0.5);
  const double rest = x - whole * kLog2;  // within half a logarithm of 2 around 0
  double sum = 1.0;
  for (int term = 13; term > 0; --term) {  // Taylor's series: what is left out is below 1e-17
    sum = 1.0 + rest / term * sum;
  }
  return std::ldexp(sum, static_cast<int>(whole));
}

// Return a number in [0, 1) that depends on the seed and the place alone (splitmix64, Steele et al. 2014).
double uniform(std::uint64_t seed, std::uint64_t place) {
  constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15U;
  const auto mixed = [](std::uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  };
  const std::uint64_t bits = mixed(mixed(seed + kStep) + (place + 1) * kStep);
  return static_cast<double>(bits >> 11U) * 0x1p-53;
}

struct Candidate {
  std::int64_t id;
  float logit;
};

// Order by logit, and equal ones by id.
bool is_likelier(const Candidate& left, const Candidate& right) {
  return left.logit != right.logit ? left.logit > right.logit : left.id < right.id;
}

bool has_penalties(const linnet_sampling& sampling) {
  return sampling.repetition_penalty != 1.0F || sampling.presence_penalty != 0.0F ||
         sampling.frequency_penalty != 0.0F;
}

// repetition_penalty counts all tokens (https://arxiv.org/abs/1909.05858, as transformers has it), the others
// those that were generated (as OpenAI's interface has them).
void penalize(std::vector<float>& logits, const std::vector<std::int64_t>& history, std::size_t generated,
              const linnet_sampling& sampling) {
  struct Seen {
    bool anywhere = false;
    float generated = 0.0F;
  };
  std::unordered_map<std::int64_t, Seen> seen;
  for (std::size_t i = 0; i < history.size(); ++i) {
    Seen& token = seen[history[i]];
    token.anywhere = true;
    token.generated += i + generated >= history.size() ? 1.0F : 0.0F;
  }
  for (const auto& [id, token] : seen) {
    if (id < 0 || id >= static_cast<std::int64_t>(logits.size())) {
      continue;
    }
    float& logit = logits[static_cast<std::size_t>(id)];
    logit = logit > 0.0F ? logit / sampling.repetition_penalty : logit * sampling.repetition_penalty;
    logit -= token.generated * sampling.frequency_penalty;
    logit -= token.generated > 0.0F ? sampling.presence_penalty : 0.0F;
  }
}

Candidate likeliest(const float* logits, std::size_t vocabulary) {
  Candidate best = {-1, -std::numeric_limits<float>::infinity()};
  for (std::size_t id = 0; id < vocabulary; ++id) {
    if (std::isnan(logits[id])) {
      throw Error(LINNET_RUN_FAILED, "the logit of token " + std::to_string(id) +
                                         " is no number; run linnet verify on the file");
    }
    if (best.id < 0 || logits[id] > best.logit) {
      best = {static_cast<std::int64_t>(id), logits[id]};
    }
  }
  return best;
}

// Return the `count` likeliest tokens, the likeliest first.
std::vector<Candidate> candidates(const std::vector<float>& logits, std::size_t count) {
  std::vector<Candidate> all(logits.size());
  for (std::size_t id = 0; id < logits.size(); ++id) {
    all[id] = {static_cast<std::int64_t>(id), logits[id]};
  }
  if (count < all.size()) {
    std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end(), is_likelier);
    all.resize(count);
  }
  return all;
}

// Keep the fewest likeliest candidates whose weights sum up to top_p of all, and order them. Candidates far
// from the top are never sorted: the heap gives one after the other.
void keep_top_p(std::vector<Candidate>& all, double top_p, float largest, float temperature) {
  double total = 0.0;
  for (const Candidate& candidate : all) {
    total += exponential((static_cast<double>(candidate.logit) - largest) / temperature);
  }
  const auto behind = [](const Candidate& left, const Candidate& right) { return is_likelier(right, left); };
  std::make_heap(all.begin(), all.end(), behind);
  double sum = 0.0;
  auto end = all.end();
  while (end != all.begin() && sum < top_p * total) {
    std::pop_heap(all.begin(), end, behind);
    --end;
    sum += exponential((static_cast<double>(end->logit) - largest) / temperature);
  }
  if (end == all.end()) {  // even a top_p of almost 0 keeps the likeliest one
    std::pop_heap(all.begin(), end, behind);
    --end;
  }
  all.erase(all.begin(), end);
}

std::int64_t sampled(const std::vector<float>& logits, const linnet_sampling& sampling, std::size_t place) {
  const float largest = *std::max_element(logits.begin(), logits.end());
  const std::size_t count =
      sampling.top_k > 0 ? std::min<std::size_t>(static_cast<std::size_t>(sampling.top_k), logits.size())
                         : logits.size();
  std::vector<Candidate> all = candidates(logits, count);
  if (sampling.top_p < 1.0F) {
    keep_top_p(all, static_cast<double>(sampling.top_p), largest, sampling.temperature);
  }
  // by id: a sum in one order is the same everywhere
  std::sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) { return a.id < b.id; });
  std::vector<double> weights;
  weights.reserve(all.size());
  double total = 0.0;
  for (const Candidate& candidate : all) {
    const double weight =
        exponential((static_cast<double>(candidate.logit) - largest) / sampling.temperature);
    weights.push_back(weight >= static_cast<double>(sampling.min_p) ? weight
                                                                    : 0.0);  // the likeliest weighs 1
    total += weights.back();
  }
  double left = uniform(sampling.seed, place) * total;
  std::size_t chosen = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (weights[i] > 0.0) {
      chosen = i;
      left -= weights[i];
      if (left < 0.0) {
        break;
      }
    }
  }
  return all[chosen].id;
}

float log_probability(const float* logits, std::size_t vocabulary, float largest, std::int64_t id) {
  double total = 0.0;
  for (std::size_t i = 0; i < vocabulary; ++i) {
    total += exponential(static_cast<double>(logits[i]) - largest);
  }
  return static_cast<float>(static_cast<double>(logits[static_cast<std::size_t>(id)]) - largest -
                            std::log(total));
}

void require_range(bool inside, const char* name, const char* range, double found) {
  if (!inside) {
    throw Error(LINNET_INVALID_ARGUMENT,
                std::string(name) + " is " + std::to_string(found) + ", expected " + range);
  }
}

}  // namespace

void check_sampling(const linnet_sampling& sampling) {
  constexpr float kMostPenalty = 1000.0F;
  const auto within = [](float value, float least, float most) { return value >= least && value <= most; };
  require_range(within(sampling.temperature, 0.0F, kMostPenalty), "temperature", "0 to 1000",
                static_cast<double>(sampling.temperature));
  require_range(sampling.top_k >= 0, "top_k", "0 (all tokens) or more", sampling.top_k);
  require_range(within(sampling.top_p, 0.0F, 1.0F), "top_p", "0 to 1", static_cast<double>(sampling.top_p));
  require_range(within(sampling.min_p, 0.0F, 1.0F), "min_p", "0 to 1", static_cast<double>(sampling.min_p));
  require_range(sampling.repetition_penalty > 0.0F && sampling.repetition_penalty <= kMostPenalty,
                "repetition_penalty", "more than 0, at most 1000",
                static_cast<double>(sampling.repetition_penalty));
  require_range(within(sampling.presence_penalty, -kMostPenalty, kMostPenalty), "presence_penalty",
                "-1000 to 1000", static_cast<double>(sampling.presence_penalty));
  require_range(within(sampling.frequency_penalty, -kMostPenalty, kMostPenalty), "frequency_penalty",
                "-1000 to 1000", static_cast<double>(sampling.frequency_penalty));
}

Choice choose_token(const float* logits, std::size_t vocabulary, const std::vector<std::int64_t>& history,
                    std::size_t generated, const linnet_sampling& sampling) {
  const Candidate best = likeliest(logits, vocabulary);
  if (!std::isfinite(best.logit)) {
    throw Error(LINNET_RUN_FAILED, "no logit is finite; run linnet verify on the file");
  }
  std::int64_t id = best.id;
  if (has_penalties(sampling) || sampling.temperature > 0.0F) {
    std::vector<float> changed(logits, logits + vocabulary);
    if (has_penalties(sampling)) {
      penalize(changed, history, generated, sampling);
    }
    id = sampling.temperature > 0.0F ? sampled(changed, sampling, history.size())
                                     : likeliest(changed.data(), vocabulary).id;
  }
  return {id, log_probability(logits, vocabulary, best.logit, id)};
}

}  // namespace linnet
