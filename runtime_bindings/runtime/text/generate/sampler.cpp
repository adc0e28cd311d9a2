#include "generate/sampler.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "generate/weights.h"
#include "status.h"

namespace linnet {
namespace {

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

// The tokens that are chosen from, in the order of their ids.
struct Tokens {
  std::vector<std::uint32_t> ids;  // empty: the numbers of the logits
  std::vector<float> logits;       // empty: those of the caller

  std::int64_t id(std::size_t place) const noexcept {
    return ids.empty() ? static_cast<std::int64_t>(place) : std::int64_t{ids[place]};
  }
};

// Keep the allowed tokens alone.
void keep_allowed(Tokens& tokens, const float* logits, std::size_t count, const TokenSet& allowed) {
  std::vector<float> kept;
  for (std::size_t word = 0; word < allowed.size(); ++word) {
    std::size_t id = 64 * word;
    for (std::uint64_t bits = allowed[word]; bits != 0 && id < count; bits >>= 1U, ++id) {
      if ((bits & 1U) != 0) {
        tokens.ids.push_back(static_cast<std::uint32_t>(id));
        kept.push_back(logits[id]);
      }
    }
  }
  if (kept.empty()) {
    throw Error(LINNET_INVALID_ARGUMENT,
                "no token is allowed: the text is finished; ask whether it is before a token is chosen");
  }
  tokens.logits = std::move(kept);
}

// A token by its place among the tokens that are chosen from.
struct Candidate {
  std::uint32_t place;
  float logit;
};

// Order by logit, and equal ones by id.
bool is_likelier(const Candidate& left, const Candidate& right) {
  return left.logit != right.logit ? left.logit > right.logit : left.place < right.place;
}

// Return the `count` likeliest tokens in the order of their ids. Tokens are compared with the least likely
// one that can still be among them, and only those above it are sorted.
std::vector<Candidate> likeliest(const float* logits, std::size_t tokens, std::size_t count) {
  constexpr std::size_t kChunk = 256;
  const std::size_t room = 2 * count + kChunk;
  std::vector<Candidate> kept;
  kept.reserve(room);
  float least = -std::numeric_limits<float>::infinity();
  bool full = false;
  const auto keep_count = [&] {
    std::nth_element(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(count) - 1, kept.end(),
                     is_likelier);
    kept.resize(count);
    least = kept.back().logit;
    full = true;
  };
  for (std::size_t start = 0; start < tokens; start += kChunk) {
    const std::size_t end = std::min(tokens, start + kChunk);
    float largest = logits[start];
    for (std::size_t place = start; place < end; ++place) {
      largest = logits[place] > largest ? logits[place] : largest;
    }
    if (full && !(largest > least)) {
      continue;
    }
    for (std::size_t place = start; place < end; ++place) {
      if (!full || logits[place] > least) {
        kept.push_back({static_cast<std::uint32_t>(place), logits[place]});
      }
    }
    if (kept.size() >= 2 * count) {
      keep_count();
    }
  }
  if (kept.size() > count) {
    keep_count();
  }
  std::sort(kept.begin(), kept.end(),
            [](const Candidate& a, const Candidate& b) { return a.place < b.place; });
  return kept;
}

// What is drawn from: candidates in the order of their ids, and their weights.
struct Draw {
  std::vector<Candidate> candidates;
  std::vector<double> weights;
};

// Logits and what their weights depend on.
struct Weighing {
  const float* logits;
  std::size_t count;
  Largest largest;
  float temperature;

  // Return a logit below which all weights are below `weight`, or a little more.
  float bound(double weight) const {
    const double exact = largest.logit + static_cast<double>(temperature) * std::log(weight);
    return static_cast<float>(exact -
                              1e-6 * (std::abs(exact) + std::abs(static_cast<double>(largest.logit))));
  }
};

void weigh(Draw& draw, const Weighing& weighing) {
  std::vector<float> logits;
  logits.reserve(draw.candidates.size());
  std::transform(draw.candidates.begin(), draw.candidates.end(), std::back_inserter(logits),
                 [](const Candidate& candidate) { return candidate.logit; });
  draw.weights.resize(logits.size());
  write_weights(logits.data(), logits.size(), weighing.largest.logit, weighing.temperature,
                draw.weights.data());
}

// Return the tokens with a logit of at least `least`.
Draw above(const Weighing& weighing, float least) {
  Draw draw;
  for (std::size_t place = 0; place < weighing.count; ++place) {
    if (weighing.logits[place] >= least) {
      draw.candidates.push_back({static_cast<std::uint32_t>(place), weighing.logits[place]});
    }
  }
  weigh(draw, weighing);
  return draw;
}

double exact_sum(const std::vector<double>& weights) {
  double total = 0.0;
  for (const double weight : weights) {
    total += weight;
  }
  return total;
}

double exact_sum(const Weighing& weighing) {
  std::vector<double> weights(weighing.count);
  write_weights(weighing.logits, weighing.count, weighing.largest.logit, weighing.temperature,
                weights.data());
  return exact_sum(weights);
}

// Larger than all errors of rough_sum() and of the additions behind it, relative to the sum.
constexpr double kDoubt = 1e-9;

// Keep the fewest likeliest candidates whose weights sum up to `wanted`, at least one. The heap gives one
// after the other. Return false, and change nothing, if a sum comes as near to it as `doubt`.
bool keep_likeliest(Draw& draw, double wanted, double doubt) {
  struct Weighed {
    Candidate candidate;
    double weight;
  };
  std::vector<Weighed> heap;
  heap.reserve(draw.candidates.size());
  for (std::size_t i = 0; i < draw.candidates.size(); ++i) {
    heap.push_back({draw.candidates[i], draw.weights[i]});
  }
  const auto behind = [](const Weighed& left, const Weighed& right) {
    return is_likelier(right.candidate, left.candidate);
  };
  std::make_heap(heap.begin(), heap.end(), behind);
  double sum = 0.0;
  auto end = heap.end();
  while (end != heap.begin() && (sum < wanted || end == heap.end())) {
    std::pop_heap(heap.begin(), end, behind);
    --end;
    sum += end->weight;
    if (std::abs(sum - wanted) < doubt) {
      return false;
    }
  }
  heap.erase(heap.begin(), end);
  std::sort(heap.begin(), heap.end(), [](const Weighed& a, const Weighed& b) {
    return a.candidate.place < b.candidate.place;  // a sum in one order is the same everywhere
  });
  draw.candidates.clear();
  draw.weights.clear();
  for (const Weighed& kept : heap) {
    draw.candidates.push_back(kept.candidate);
    draw.weights.push_back(kept.weight);
  }
  return true;
}

// Return the fewest likeliest tokens whose weights sum up to top_p of all. Tokens so light that all of them
// together are below half of the rest are never looked at.
Draw likeliest_share(const Weighing& weighing, double top_p) {
  const double total =
      rough_sum(weighing.logits, weighing.count, weighing.largest.logit, weighing.temperature);
  const double light = 0.5 * (1.0 - top_p) * total / static_cast<double>(weighing.count);
  Draw draw = above(weighing, weighing.bound(light));
  if (!keep_likeliest(draw, top_p * total, kDoubt * total)) {
    keep_likeliest(draw, top_p * exact_sum(weighing), 0.0);
  }
  return draw;
}

// Return the place that a random number falls on, if each place is as wide as its weight.
std::size_t drawn(std::vector<double>& weights, double min_p, double random) {
  double total = 0.0;
  for (double& weight : weights) {
    weight = weight >= min_p ? weight : 0.0;  // the likeliest weighs 1
    total += weight;
  }
  double left = random * total;
  std::size_t chosen = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0.0) {
      chosen = i;
      left -= weights[i];
      if (left < 0.0) {
        break;
      }
    }
  }
  return chosen;
}

// Return what drawn() gives for all tokens. Rough sums of blocks find the block, and exact weights the place
// in it; all weights are exact if the random number falls so near to a border that the errors could decide.
std::size_t drawn_from_all(const Weighing& weighing, double random) {
  constexpr std::size_t kBlock = 512;
  const float largest = weighing.largest.logit;
  std::vector<double> sums;
  for (std::size_t start = 0; start < weighing.count; start += kBlock) {
    const std::size_t size = std::min(kBlock, weighing.count - start);
    sums.push_back(rough_sum(weighing.logits + start, size, largest, weighing.temperature));
  }
  const double total = exact_sum(sums);
  double left = random * total;
  std::size_t block = 0;
  while (block + 1 < sums.size() && left >= sums[block]) {
    left -= sums[block];
    ++block;
  }
  const std::size_t start = block * kBlock;
  std::vector<double> weights(std::min(kBlock, weighing.count - start));
  write_weights(weighing.logits + start, weights.size(), largest, weighing.temperature, weights.data());
  const double doubt = kDoubt * total;
  bool sure = left > doubt;
  for (std::size_t i = 0; sure && i < weights.size(); ++i) {
    left -= weights[i];
    if (left < 0.0 && weights[i] > 0.0) {
      if (left < -doubt) {
        return start + i;
      }
      sure = false;
    }
    sure = sure && left > doubt;
  }
  weights.resize(weighing.count);
  write_weights(weighing.logits, weighing.count, largest, weighing.temperature, weights.data());
  return drawn(weights, 0.0, random);
}

// Return the place of a sampled token.
std::size_t sampled(const float* logits, std::size_t count, const linnet_sampling& sampling,
                    std::size_t place) {
  const Weighing weighing = {logits, count, find_largest(logits, count), sampling.temperature};
  if (!std::isfinite(weighing.largest.logit)) {
    return weighing.largest.place;  // penalties went too far, or nothing that is allowed is finite
  }
  const double random = uniform(sampling.seed, place);
  const auto top_k = static_cast<std::size_t>(sampling.top_k);
  const bool has_top_k = sampling.top_k > 0 && top_k < count;
  const auto top_p = static_cast<double>(sampling.top_p);
  const auto min_p = static_cast<double>(sampling.min_p);
  Draw draw;
  if (has_top_k) {
    draw.candidates = likeliest(logits, count, top_k);
    weigh(draw, weighing);
    if (top_p < 1.0) {
      keep_likeliest(draw, top_p * exact_sum(draw.weights), 0.0);
    }
  } else if (top_p < 1.0) {
    draw = likeliest_share(weighing, top_p);
  } else if (min_p > 0.0) {
    draw = above(weighing, weighing.bound(min_p));
  } else {
    return drawn_from_all(weighing, random);
  }
  return draw.candidates[drawn(draw.weights, min_p, random)].place;
}

Largest finite_largest(const float* logits, std::size_t vocabulary) {
  const Largest largest = find_largest(logits, vocabulary);
  if (!std::isfinite(largest.logit)) {
    throw Error(LINNET_RUN_FAILED, "no logit is finite; run linnet verify on the file");
  }
  return largest;
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

std::int64_t choose_token(const float* logits, std::size_t vocabulary,
                          const std::vector<std::int64_t>& history, std::size_t generated,
                          const linnet_sampling& sampling, const TokenSet* allowed) {
  const Largest best = finite_largest(logits, vocabulary);
  Tokens tokens;
  if (has_penalties(sampling)) {
    tokens.logits.assign(logits, logits + vocabulary);
    penalize(tokens.logits, history, generated, sampling);
    logits = tokens.logits.data();
  }
  std::size_t count = vocabulary;
  if (allowed != nullptr) {
    keep_allowed(tokens, logits, vocabulary, *allowed);
    logits = tokens.logits.data();
    count = tokens.logits.size();
  }
  if (sampling.temperature > 0.0F) {
    return tokens.id(sampled(logits, count, sampling, history.size()));
  }
  const bool changed = !tokens.logits.empty();
  return tokens.id(changed ? find_largest(logits, count).place : best.place);
}

float log_probability(const float* logits, std::size_t vocabulary, std::int64_t id) {
  const Largest largest = finite_largest(logits, vocabulary);
  const double above = static_cast<double>(logits[static_cast<std::size_t>(id)]) - largest.logit;
  return static_cast<float>(above - std::log(rough_sum(logits, vocabulary, largest.logit, 1.0F)));
}

}  // namespace linnet
