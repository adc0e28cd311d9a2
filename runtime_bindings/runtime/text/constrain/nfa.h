// Nondeterministic automaton over bytes that accepts the texts of an expression in UTF-8.
#ifndef LINNET_RUNTIME_CONSTRAIN_NFA_H_
#define LINNET_RUNTIME_CONSTRAIN_NFA_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "constrain/expression.h"

namespace linnet::constrain {

// A step to another state with any byte of a range.
struct ByteEdge {
  std::uint8_t first;
  std::uint8_t last;  // included
  std::uint32_t to;
};

// States in order.
using StateSet = std::vector<std::uint32_t>;

// States that a search has found, each once, and those that it has still to look at.
class Marks {
 public:
  explicit Marks(std::size_t states) : marks_(states) {}
  void clear() noexcept {
    if (++now_ == 0) {  // it has wrapped
      marks_.assign(marks_.size(), 0);
      now_ = 1;
    }
  }
  // Mark a state; return false if it is marked already.
  bool add(std::uint32_t state) noexcept {
    const bool fresh = marks_[state] != now_;
    marks_[state] = now_;
    return fresh;
  }

  std::vector<std::uint32_t> later;

 private:
  std::vector<std::uint32_t> marks_;
  std::uint32_t now_ = 0;
};

class Nfa {
 public:
  // Build it. Throw LINNET_INVALID_ARGUMENT if it has more than 65 536 states.
  Nfa(const Expressions& expressions, Node root);

  std::size_t size() const noexcept { return empty_steps_.size(); }
  std::uint32_t accepting() const noexcept { return 1; }
  const std::vector<ByteEdge>& edges(std::uint32_t state) const { return edges_[state]; }
  // Classes of bytes between which no state makes a difference: the class of each byte, below classes().
  const std::array<std::uint8_t, 256>& byte_classes() const noexcept { return byte_classes_; }
  std::size_t classes() const noexcept { return classes_; }

  // Return the states in which a text may begin. Only states with edges, and the accepting one, are part of a
  // set.
  StateSet start(Marks& marks) const;
  // Return the states that one byte leads to from some states.
  StateSet step(const StateSet& from, std::uint8_t byte, Marks& marks) const;

 private:
  class Builder;

  // Add a state and all that are reached from it without a byte.
  void close(std::uint32_t state, StateSet& found, Marks& marks) const;
  void find_byte_classes();

  std::vector<std::vector<std::uint32_t>> empty_steps_;  // of each state: where it goes without a byte
  std::vector<std::vector<ByteEdge>> edges_;
  std::array<std::uint8_t, 256> byte_classes_ = {};
  std::size_t classes_ = 0;
};

}  // namespace linnet::constrain

#endif  // LINNET_RUNTIME_CONSTRAIN_NFA_H_
