// Guesses of prompt lookup against the plainest search: every length of the ending, every place, from the
// end.
#include "generate/lookup.h"

#include <algorithm>
#include <cstdio>
#include <random>

namespace {

using Tokens = std::vector<std::int64_t>;

// Return the last place where the last `length` tokens stand before, and what is behind them; empty: nowhere.
Tokens behind(const Tokens& tokens, std::size_t length, std::size_t most) {
  for (std::size_t start = tokens.size() - length; start-- > 0;) {
    if (std::equal(tokens.end() - static_cast<std::ptrdiff_t>(length), tokens.end(),
                   tokens.begin() + static_cast<std::ptrdiff_t>(start))) {
      Tokens longer = tokens;
      Tokens guess;
      while (guess.size() < std::min(length, most)) {
        const std::int64_t next = longer[start + length + guess.size()];
        guess.push_back(next);
        longer.push_back(next);
      }
      return guess;
    }
  }
  return {};
}

Tokens plainly(const Tokens& tokens, std::size_t most) {
  for (std::size_t length = std::min<std::size_t>(16, tokens.size()); length >= 2; --length) {
    const Tokens guess = behind(tokens, length, most);
    if (!guess.empty()) {
      return guess;
    }
  }
  return {};
}

}  // namespace

int main() {
  std::mt19937 random(1);
  int failures = 0;
  int guesses = 0;
  for (int round = 0; round < 20000; ++round) {
    const std::size_t size = random() % 60;
    const std::uint_fast32_t kinds = 1 + random() % 5;
    Tokens tokens(size);
    std::generate(tokens.begin(), tokens.end(), [&] { return static_cast<std::int64_t>(random() % kinds); });
    const std::size_t most = random() % 20;
    const Tokens guess = linnet::guess_tokens(tokens, most);
    guesses += guess.empty() ? 0 : 1;
    failures += guess == plainly(tokens, most) ? 0 : 1;
  }
  failures += linnet::guess_tokens({1, 2, 3, 9, 1, 2, 3}, 10) == Tokens{9, 1, 2} ? 0 : 1;
  failures += linnet::guess_tokens({4, 4, 4}, 10) == Tokens{4, 4} ? 0 : 1;  // goes round
  std::printf("%d failed, %d guesses\n", failures, guesses);
  return failures == 0 && guesses > 10000 ? 0 : 1;
}
