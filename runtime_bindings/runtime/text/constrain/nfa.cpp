#include "constrain/nfa.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "tokenizer/unicode.h"

namespace linnet::constrain {
namespace {

constexpr std::size_t kMostStates = 65536;
constexpr std::size_t kMostSteps = 2000000;  // of the construction: edges, and parts that are looked at
constexpr char32_t kLastOfLength[] = {0x7F, 0x7FF, 0xFFFF};  // of one, two and three bytes

}  // namespace

// Builds parts between two states, from a list of what is still to build: no part calls another one.
class Nfa::Builder {
 public:
  Builder(const Expressions& expressions, Nfa& nfa) : expressions_(expressions), nfa_(nfa) {}

  void build(Node root) {
    const std::uint32_t start = state();
    const std::uint32_t accepting = state();
    later_.push_back({root, start, accepting});
    while (!later_.empty()) {
      const Part part = later_.back();
      later_.pop_back();
      count_step();
      put(expressions_[part.node], part.from, part.to);
    }
  }

 private:
  struct Part {
    Node node;
    std::uint32_t from;
    std::uint32_t to;
  };

  [[noreturn]] static void refuse_size() {
    refuse("the constraint needs an automaton of more than " + std::to_string(kMostStates) +
           " states, expected fewer; make counts such as maxLength or {m,n} smaller, or leave parts out");
  }
  void count_step() {
    if (++steps_ > kMostSteps) {
      refuse_size();
    }
  }

  std::uint32_t state() {
    if (nfa_.edges_.size() >= kMostStates) {
      refuse_size();
    }
    nfa_.edges_.emplace_back();
    nfa_.empty_steps_.emplace_back();
    return static_cast<std::uint32_t>(nfa_.edges_.size() - 1);
  }
  void skip(std::uint32_t from, std::uint32_t to) {
    count_step();
    nfa_.empty_steps_[from].push_back(to);
  }
  void edge(std::uint32_t from, std::uint8_t first, std::uint8_t last, std::uint32_t to) {
    count_step();
    nfa_.edges_[from].push_back({first, last, to});
  }

  void put(const Entry& entry, std::uint32_t from, std::uint32_t to) {
    switch (entry.kind) {
      case Kind::kNothing:
        return;
      case Kind::kText:
        return put_text(entry.text, from, to);
      case Kind::kCharacters:
        return put_characters(entry.characters, from, to);
      case Kind::kSequence:
        return put_sequence(entry.nodes, from, to);
      case Kind::kAnyOf:
        for (const Node node : entry.nodes) {
          later_.push_back({node, from, to});
        }
        return;
      case Kind::kRepeat:
        return put_repeat(entry, from, to);
      case Kind::kList:
        return put_list(entry, from, to);
      case Kind::kMembers:
        return put_members(entry, from, to);
    }
  }

  void put_text(const std::string& text, std::uint32_t from, std::uint32_t to) {
    if (text.empty()) {
      skip(from, to);
      return;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
      const std::uint32_t next = i + 1 == text.size() ? to : state();
      const auto byte = static_cast<std::uint8_t>(text[i]);
      edge(from, byte, byte, next);
      from = next;
    }
  }

  void put_sequence(const std::vector<Node>& nodes, std::uint32_t from, std::uint32_t to) {
    if (nodes.empty()) {
      skip(from, to);
      return;
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const std::uint32_t next = i + 1 == nodes.size() ? to : state();
      later_.push_back({nodes[i], from, next});
      from = next;
    }
  }

  void put_repeat(const Entry& entry, std::uint32_t from, std::uint32_t to) {
    for (std::uint32_t i = 0; i < entry.least; ++i) {
      const std::uint32_t next = state();
      later_.push_back({entry.nodes[0], from, next});
      from = next;
    }
    if (entry.most == kUnlimited) {
      const std::uint32_t again = state();  // of its own: nothing else enters or leaves it
      skip(from, again);
      skip(again, to);
      later_.push_back({entry.nodes[0], again, again});
      return;
    }
    for (std::uint32_t i = entry.least; i < entry.most; ++i) {
      const std::uint32_t next = state();
      skip(from, to);
      later_.push_back({entry.nodes[0], from, next});
      from = next;
    }
    skip(from, to);
  }

  void put_list(const Entry& entry, std::uint32_t from, std::uint32_t to) {
    if (entry.least == 0) {
      skip(from, to);
    }
    if (entry.most == 0) {
      return;
    }
    const std::uint32_t least = std::max(entry.least, 1U);
    const std::uint32_t copies = entry.most == kUnlimited ? least : entry.most;
    std::uint32_t before = state();  // an item
    skip(from, before);
    for (std::uint32_t i = 1; i <= copies; ++i) {
      const std::uint32_t behind = state();
      later_.push_back({entry.nodes[0], before, behind});
      if (i >= least) {
        skip(behind, to);
      }
      if (i < copies) {
        before = state();
        later_.push_back({entry.nodes[1], behind, before});
      } else if (entry.most == kUnlimited) {
        later_.push_back({entry.nodes[1], behind, before});
      }
    }
  }

  // Two states lead to each member: one behind no member, where no separator is needed, and one behind some.
  void put_members(const Entry& entry, std::uint32_t from, std::uint32_t to) {
    std::uint32_t none = state();
    std::uint32_t some = state();
    skip(from, none);
    for (std::size_t i = 0; i < entry.is_optional.size(); ++i) {
      const std::uint32_t before = state();
      const std::uint32_t next_none = state();
      const std::uint32_t next_some = state();
      skip(none, before);
      later_.push_back({entry.nodes[0], some, before});
      later_.push_back({entry.nodes[i + 1], before, next_some});
      if (entry.is_optional[i]) {
        skip(none, next_none);
        skip(some, next_some);
      }
      none = next_none;
      some = next_some;
    }
    skip(none, to);
    skip(some, to);
  }

  void put_characters(const CharSet& set, std::uint32_t from, std::uint32_t to) {
    ends_.clear();
    std::vector<CharRange> left = set.ranges();
    while (!left.empty()) {
      const CharRange range = left.back();
      left.pop_back();
      if (!cut(range, left)) {
        put_bytes(range, from, to);
      }
    }
  }

  // Cut a range in two if its characters differ in length, or in more than one run of last bytes. The ranges
  // that are left have any byte of one range at each place.
  static bool cut(const CharRange& range, std::vector<CharRange>& left) {
    for (const char32_t last : kLastOfLength) {
      if (range.first <= last && last < range.last) {
        left.push_back({range.first, last});
        left.push_back({last + 1, range.last});
        return true;
      }
    }
    if (range.last <= kLastOfLength[0]) {
      return false;
    }
    for (unsigned bits = 6; bits <= 18; bits += 6) {
      const char32_t low = (char32_t{1} << bits) - 1;
      if ((range.first & ~low) == (range.last & ~low)) {
        continue;
      }
      if ((range.first & low) != 0) {
        left.push_back({range.first, range.first | low});
        left.push_back({(range.first | low) + 1, range.last});
        return true;
      }
      if ((range.last & low) != low) {
        left.push_back({range.first, (range.last & ~low) - 1});
        left.push_back({range.last & ~low, range.last});
        return true;
      }
    }
    return false;
  }

  // Ranges of one set share the states before their last bytes.
  void put_bytes(const CharRange& range, std::uint32_t from, std::uint32_t to) {
    std::string first;
    std::string last;
    unicode::append_utf8(first, range.first);
    unicode::append_utf8(last, range.last);
    const auto byte = [](char c) { return static_cast<std::uint8_t>(c); };
    for (std::size_t i = first.size() - 1; i > 0; --i) {
      const auto key = std::make_tuple(byte(first[i]), byte(last[i]), to);
      const auto [found, is_new] = ends_.try_emplace(key, 0);
      if (is_new) {
        found->second = state();
        edge(found->second, byte(first[i]), byte(last[i]), to);
      }
      to = found->second;
    }
    edge(from, byte(first[0]), byte(last[0]), to);
  }

  const Expressions& expressions_;
  Nfa& nfa_;
  std::vector<Part> later_;
  std::size_t steps_ = 0;
  std::map<std::tuple<std::uint8_t, std::uint8_t, std::uint32_t>, std::uint32_t> ends_;
};

Nfa::Nfa(const Expressions& expressions, Node root) {
  Builder(expressions, *this).build(root);
  find_byte_classes();
}

void Nfa::find_byte_classes() {
  std::array<bool, 257> begins = {};
  for (const std::vector<ByteEdge>& edges : edges_) {
    for (const ByteEdge& edge : edges) {
      begins[edge.first] = true;
      begins[edge.last + 1U] = true;
    }
  }
  std::uint8_t number = 0;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    number = static_cast<std::uint8_t>(number + (byte > 0 && begins[byte] ? 1 : 0));
    byte_classes_[byte] = number;
  }
  classes_ = std::size_t{number} + 1;
}

void Nfa::close(std::uint32_t state, StateSet& found, Marks& marks) const {
  if (!marks.add(state)) {
    return;
  }
  marks.later.assign(1, state);
  while (!marks.later.empty()) {
    const std::uint32_t next = marks.later.back();
    marks.later.pop_back();
    if (!edges_[next].empty() || next == accepting()) {
      found.push_back(next);
    }
    for (const std::uint32_t reached : empty_steps_[next]) {
      if (marks.add(reached)) {
        marks.later.push_back(reached);
      }
    }
  }
}

StateSet Nfa::start(Marks& marks) const {
  marks.clear();
  StateSet found;
  close(0, found, marks);
  std::sort(found.begin(), found.end());
  return found;
}

StateSet Nfa::step(const StateSet& from, std::uint8_t byte, Marks& marks) const {
  marks.clear();
  StateSet found;
  for (const std::uint32_t state : from) {
    for (const ByteEdge& edge : edges_[state]) {
      if (edge.first <= byte && byte <= edge.last) {
        close(edge.to, found, marks);
      }
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace linnet::constrain
