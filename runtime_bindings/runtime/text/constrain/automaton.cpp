#include "constrain/automaton.h"

#include <algorithm>
#include <utility>

namespace linnet::constrain {
namespace {

constexpr std::uint32_t kUnknown = 0xFFFFFFFE;

std::uint64_t hash_of(const StateSet& members) {
  std::uint64_t hash = 0xCBF29CE484222325U;  // FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv
  for (const std::uint32_t member : members) {
    hash = (hash ^ member) * 0x100000001B3U;
  }
  return hash;
}

}  // namespace

Automaton::Automaton(Nfa nfa, std::vector<std::uint32_t> distances)
    : nfa_(std::move(nfa)), distances_(std::move(distances)), marks_(nfa_.size()) {}

std::uint32_t Automaton::start() { return intern(nfa_.start(marks_)); }

std::uint32_t Automaton::step(std::uint32_t state, std::uint8_t byte) {
  const std::size_t byte_class = nfa_.byte_classes()[byte];
  if (const std::uint32_t known = states_[state].next[byte_class]; known != kUnknown) {
    return known;
  }
  const std::uint32_t found = intern(nfa_.step(states_[state].members, byte, marks_));
  states_[state].next[byte_class] = found;
  return found;
}

std::uint32_t Automaton::intern(StateSet members) {
  if (members.empty()) {
    return kDead;
  }
  const std::uint64_t hash = hash_of(members);
  const auto [begin, end] = by_hash_.equal_range(hash);
  for (auto found = begin; found != end; ++found) {
    if (states_[found->second].members == members) {
      return found->second;
    }
  }
  cells_ += members.size() + nfa_.classes() + sizeof(State) / sizeof(std::uint32_t);
  if (cells_ > kHardBound) {
    refuse(
        "the constraint can be read in too many ways at once, expected fewer; make counts such as {m,n} "
        "smaller, "
        "or parts more different from each other");
  }
  State state;
  state.accepts = std::binary_search(members.begin(), members.end(), nfa_.accepting());
  state.distance = kNever;
  for (const std::uint32_t member : members) {
    state.distance = std::min(state.distance, distances_[member]);
  }
  state.members = std::move(members);
  state.next.assign(nfa_.classes(), kUnknown);
  const auto number = static_cast<std::uint32_t>(states_.size());
  states_.push_back(std::move(state));
  by_hash_.emplace(hash, number);
  return number;
}

void Automaton::forget() {
  states_.clear();
  by_hash_.clear();
  cells_ = 0;
}

}  // namespace linnet::constrain
