// Deterministic automaton over bytes, made of the nondeterministic one where texts lead.
#ifndef LINNET_RUNTIME_CONSTRAIN_AUTOMATON_H_
#define LINNET_RUNTIME_CONSTRAIN_AUTOMATON_H_

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "constrain/nfa.h"

namespace linnet::constrain {

// Not for several threads at once. States are numbers that forget() makes invalid.
class Automaton {
 public:
  static constexpr std::uint32_t kDead = 0xFFFFFFFF;   // no text goes on from here
  static constexpr std::uint32_t kNever = 0xFFFFFFFF;  // distance of states that no tokens lead on from

  // Take the automaton, and how many tokens each of its states is away from the end of a text.
  Automaton(Nfa nfa, std::vector<std::uint32_t> distances);

  std::uint32_t start();
  // Return the state behind a byte. Throw LINNET_INVALID_ARGUMENT if the states need more than 16 MiB.
  std::uint32_t step(std::uint32_t state, std::uint8_t byte);
  // Return the state of a set.
  std::uint32_t intern(StateSet members);

  const StateSet& members(std::uint32_t state) const { return states_[state].members; }
  // Whether a text may end here.
  bool accepts(std::uint32_t state) const { return states_[state].accepts; }
  // How many tokens lead from here to the end of a text; an upper bound of the least number.
  std::uint32_t distance(std::uint32_t state) const { return states_[state].distance; }

  // Tell whether so many states are known that forget() is due.
  bool is_full() const noexcept { return cells_ > kSoftBound; }
  void forget();

 private:
  static constexpr std::size_t kSoftBound = std::size_t{1} << 20U;  // numbers
  static constexpr std::size_t kHardBound = std::size_t{1} << 22U;

  struct State {
    StateSet members;
    std::vector<std::uint32_t> next;  // by class of byte
    std::uint32_t distance;
    bool accepts;
  };

  Nfa nfa_;
  std::vector<std::uint32_t> distances_;
  Marks marks_;
  std::vector<State> states_;
  std::unordered_multimap<std::uint64_t, std::uint32_t> by_hash_;
  std::size_t cells_ = 0;  // of all states
};

}  // namespace linnet::constrain

#endif  // LINNET_RUNTIME_CONSTRAIN_AUTOMATON_H_
