#include "constrain/token_distance.h"

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <optional>
#include <utility>

#include "constrain/automaton.h"

namespace linnet::constrain {
namespace {

constexpr std::size_t kWork = 3000000;  // tries of a token's next byte, in all states together
constexpr std::size_t kLeastWork = 64;  // for each state
constexpr std::size_t kMostWork = 4096;
constexpr std::size_t kMostMoves = 4000000;

// A token leads from one state to the other.
struct Move {
  std::uint32_t to;
  std::uint32_t from;
};

class Search {
 public:
  Search(const Nfa& nfa, const TokenTrie& trie)
      : nfa_(nfa), trie_(trie), marks_(nfa.size()), reached_(nfa.size()) {
    std::size_t states = 1;
    for (std::uint32_t state = 0; state < nfa.size(); ++state) {
      states += nfa.edges(state).empty() ? 0 : 1;
    }
    bound_ = std::clamp(kWork / states, kLeastWork, kMostWork);
  }

  // Find the states that tokens lead to from one state.
  void add_moves(std::uint32_t from) {
    reached_.clear();
    beginnings_.clear();
    beginnings_.push_back({0, {from}});
    std::size_t work = 0;
    for (std::size_t i = 0; i < beginnings_.size() && (i == 0 || work < bound_); ++i) {
      const Beginning beginning = std::move(beginnings_[i]);
      const std::bitset<256> bytes = next_bytes(beginning.states);
      const TokenTrie::Node& node = trie_[beginning.node];
      by_class_.assign(nfa_.classes(), std::nullopt);
      for (std::uint32_t child = node.first_child; child < node.first_child + node.children; ++child) {
        const std::uint8_t byte = trie_[child].byte;
        if (!bytes[byte]) {
          continue;
        }
        std::optional<StateSet>& states = by_class_[nfa_.byte_classes()[byte]];
        if (!states) {
          states = nfa_.step(beginning.states, byte, marks_);
          work += states->size();
        }
        ++work;
        if (trie_[child].tokens > 0) {
          keep(from, *states);
        }
        if (trie_[child].children > 0 && !states->empty()) {
          beginnings_.push_back({child, *states});
          work += states->size();
        }
      }
    }
  }

  std::vector<Move>& moves() noexcept { return moves_; }

 private:
  struct Beginning {
    std::uint32_t node;
    StateSet states;
  };

  std::bitset<256> next_bytes(const StateSet& states) const {
    std::bitset<256> bytes;
    for (const std::uint32_t state : states) {
      for (const ByteEdge& edge : nfa_.edges(state)) {
        for (std::size_t byte = edge.first; byte <= edge.last; ++byte) {
          bytes.set(byte);
        }
      }
    }
    return bytes;
  }

  void keep(std::uint32_t from, const StateSet& states) {
    for (const std::uint32_t state : states) {
      if (reached_.add(state)) {
        moves_.push_back({state, from});
      }
    }
    if (moves_.size() > kMostMoves) {
      refuse(
          "the constraint can be read in too many ways at once, expected fewer; make counts such as {m,n} "
          "smaller, "
          "or parts more different from each other");
    }
  }

  const Nfa& nfa_;
  const TokenTrie& trie_;
  Marks marks_;
  Marks reached_;
  std::size_t bound_;
  std::vector<Beginning> beginnings_;
  std::vector<std::optional<StateSet>> by_class_;  // what a byte of each class leads to
  std::vector<Move> moves_;
};

}  // namespace

std::vector<std::uint32_t> token_distances(const Nfa& nfa, const TokenTrie& trie) {
  Search search(nfa, trie);
  for (std::uint32_t state = 0; state < nfa.size(); ++state) {
    if (!nfa.edges(state).empty()) {
      search.add_moves(state);
    }
  }
  std::vector<Move>& moves = search.moves();
  std::sort(moves.begin(), moves.end(), [](const Move& a, const Move& b) { return a.to < b.to; });
  std::vector<std::uint32_t> distances(nfa.size(), Automaton::kNever);
  std::vector<std::uint32_t> order = {nfa.accepting()};  // nearer states first
  distances[nfa.accepting()] = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::uint32_t to = order[i];
    auto move = std::lower_bound(moves.begin(), moves.end(), to,
                                 [](const Move& a, std::uint32_t state) { return a.to < state; });
    for (; move != moves.end() && move->to == to; ++move) {
      if (distances[move->from] == Automaton::kNever) {
        distances[move->from] = distances[to] + 1;
        order.push_back(move->from);
      }
    }
  }
  return distances;
}

}  // namespace linnet::constrain
