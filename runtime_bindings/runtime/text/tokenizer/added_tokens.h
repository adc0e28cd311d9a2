// Search for added tokens: the longest pattern that begins at a place of a text, and the id of a token.
#ifndef LINNET_RUNTIME_TOKENIZER_ADDED_TOKENS_H_
#define LINNET_RUNTIME_TOKENIZER_ADDED_TOKENS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "status.h"
#include "tokenizer/blob.h"

namespace linnet {

// A set of patterns over `Unit` (char for bytes, char32_t for characters), each with its added token. It is
// sorted, so that patterns with a common prefix form a range, which a search narrows unit by unit.
template <typename Unit>
class PatternSet {
 public:
  using Text = std::basic_string_view<Unit>;

  struct Match {
    const AddedToken* token = nullptr;  // nullptr: nothing begins here
    std::size_t size = 0;
  };

  // Add a pattern, which must not be empty; `token` is borrowed and must outlive the set.
  void add(std::basic_string<Unit> pattern, const AddedToken& token) {
    first_[bucket(pattern.front())] = true;
    longest_ = std::max(longest_, pattern.size());
    any_lstrip_ = any_lstrip_ || token.lstrip;
    any_rstrip_ = any_rstrip_ || token.rstrip;
    entries_.push_back({std::move(pattern), &token});
  }

  // Sort the patterns, once after the last add(). Throw LINNET_TOKENIZER_INVALID for equal patterns.
  void finish() {
    std::sort(entries_.begin(), entries_.end(),
              [](const Entry& a, const Entry& b) { return a.pattern < b.pattern; });
    const auto same =
        std::adjacent_find(entries_.begin(), entries_.end(),
                           [](const Entry& a, const Entry& b) { return a.pattern == b.pattern; });
    if (same != entries_.end()) {
      throw Error(LINNET_TOKENIZER_INVALID, "two added tokens of the tokenizer bytes, one of them '" +
                                                same->token->content +
                                                "', are the same text; export the model again");
    }
  }

  bool empty() const noexcept { return entries_.empty(); }
  std::size_t longest() const noexcept { return longest_; }
  bool any_lstrip() const noexcept { return any_lstrip_; }
  bool any_rstrip() const noexcept { return any_rstrip_; }

  template <typename Predicate>
  bool any_begins_with(Predicate holds) const {
    return std::any_of(entries_.begin(), entries_.end(),
                       [&holds](const Entry& entry) { return holds(entry.pattern); });
  }

  // Return false if no pattern begins with `unit`; true decides nothing, since units share 256 buckets.
  bool may_begin(Unit unit) const noexcept { return first_[bucket(unit)]; }

  // Return the longest pattern that `text` begins with.
  Match longest_match(Text text) const {
    Match match;
    auto begin = entries_.begin();
    auto end = entries_.end();
    for (std::size_t depth = 0; depth < text.size() && begin != end; ++depth) {
      const Narrow narrow{depth};
      std::tie(begin, end) = std::equal_range(begin, end, text[depth], narrow);
      if (begin != end && begin->pattern.size() == depth + 1) {
        match = {begin->token, depth + 1};
        ++begin;
      }
    }
    return match;
  }

 private:
  struct Entry {
    std::basic_string<Unit> pattern;
    const AddedToken* token;
  };

  // Orders entries by their unit at `depth`; they agree before it.
  struct Narrow {
    std::size_t depth;
    bool operator()(const Entry& entry, Unit unit) const {
      return std::char_traits<Unit>::lt(entry.pattern[depth], unit);
    }
    bool operator()(Unit unit, const Entry& entry) const {
      return std::char_traits<Unit>::lt(unit, entry.pattern[depth]);
    }
  };

  static std::size_t bucket(Unit unit) noexcept { return static_cast<std::size_t>(unit) & 0xFFU; }

  std::vector<Entry> entries_;
  std::array<bool, 256> first_{};
  std::size_t longest_ = 0;
  bool any_lstrip_ = false;
  bool any_rstrip_ = false;
};

// Ids of added tokens by their text.
class AddedIds {
 public:
  // Add a token, borrowed, which must outlive the object. Of equal ones the first is found.
  void add(std::string_view token, std::uint32_t id) { entries_.emplace_back(token, id); }

  // Sort the tokens, once after the last add().
  void finish() { std::stable_sort(entries_.begin(), entries_.end(), Less()); }

  // Return the id of a token, or -1.
  std::int64_t find(std::string_view token) const noexcept {
    const auto found = std::lower_bound(entries_.begin(), entries_.end(), Entry(token, 0), Less());
    return found != entries_.end() && found->first == token ? std::int64_t{found->second} : -1;
  }

 private:
  using Entry = std::pair<std::string_view, std::uint32_t>;
  struct Less {
    bool operator()(const Entry& a, const Entry& b) const noexcept { return a.first < b.first; }
  };

  std::vector<Entry> entries_;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_ADDED_TOKENS_H_
