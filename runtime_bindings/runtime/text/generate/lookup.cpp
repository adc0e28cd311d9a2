#include "generate/lookup.h"

#include <algorithm>

namespace linnet {
namespace {

constexpr std::size_t kLeast = 2;  // a single token stands in too many places to say what follows
constexpr std::size_t kLongest = 16;

// Count the tokens before `end` that are the last ones of the text, at most kLongest.
std::size_t common_ending(const std::vector<std::int64_t>& tokens, std::size_t end) {
  const std::size_t most = std::min(end, kLongest);
  std::size_t count = 0;
  while (count < most && tokens[end - 1 - count] == tokens[tokens.size() - 1 - count]) {
    ++count;
  }
  return count;
}

}  // namespace

std::vector<std::int64_t> guess_tokens(const std::vector<std::int64_t>& tokens, std::size_t most) {
  std::size_t found = 0;
  std::size_t behind = 0;
  for (std::size_t end = tokens.size(); end-- > 1 && found < kLongest;) {
    const std::size_t count = common_ending(tokens, end);
    if (count > found) {
      found = count;
      behind = end;
    }
  }
  std::vector<std::int64_t> guess(found < kLeast ? 0 : std::min(found, most));
  for (std::size_t place = 0; place < guess.size(); ++place) {
    const std::size_t at = behind + place;
    guess[place] = at < tokens.size() ? tokens[at] : guess[at - tokens.size()];
  }
  return guess;
}

}  // namespace linnet
