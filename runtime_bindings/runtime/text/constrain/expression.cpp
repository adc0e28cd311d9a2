#include "constrain/expression.h"

#include <algorithm>
#include <utility>

#include "status.h"

namespace linnet::constrain {
namespace {

constexpr std::size_t kMostEntries = 500000;
constexpr char32_t kLastCharacter = 0x10FFFF;
constexpr char32_t kBeforeSurrogates = 0xD7FF;
constexpr char32_t kBehindSurrogates = 0xE000;

}  // namespace

void refuse(const std::string& sentence) { throw Error(LINNET_INVALID_ARGUMENT, sentence); }

CharSet::CharSet(const std::vector<CharRange>& ranges) {
  std::vector<CharRange> parts;
  for (const CharRange& range : ranges) {  // cut surrogates out
    if (range.first <= kBeforeSurrogates) {
      parts.push_back({range.first, std::min(range.last, kBeforeSurrogates)});
    }
    if (range.last >= kBehindSurrogates) {
      parts.push_back({std::max(range.first, kBehindSurrogates), range.last});
    }
  }
  std::sort(parts.begin(), parts.end(),
            [](const CharRange& a, const CharRange& b) { return a.first < b.first; });
  for (const CharRange& part : parts) {
    if (!ranges_.empty() && part.first <= ranges_.back().last + 1) {
      ranges_.back().last = std::max(ranges_.back().last, part.last);
    } else {
      ranges_.push_back(part);
    }
  }
}

CharSet CharSet::all() { return CharSet({{0, kLastCharacter}}); }

bool CharSet::has(char32_t c) const noexcept {
  return std::any_of(ranges_.begin(), ranges_.end(),
                     [c](const CharRange& range) { return range.first <= c && c <= range.last; });
}

CharSet CharSet::without(const CharSet& others) const {
  std::vector<CharRange> rest;
  for (CharRange range : ranges_) {
    bool is_left = true;
    for (const CharRange& other : others.ranges_) {
      if (other.last < range.first || other.first > range.last) {
        continue;
      }
      if (other.first > range.first) {
        rest.push_back({range.first, other.first - 1});
      }
      if (other.last >= range.last) {
        is_left = false;
        break;
      }
      range.first = other.last + 1;
    }
    if (is_left) {
      rest.push_back(range);
    }
  }
  return CharSet(rest);
}

CharSet CharSet::with(const CharSet& others) const {
  std::vector<CharRange> both = ranges_;
  both.insert(both.end(), others.ranges_.begin(), others.ranges_.end());
  return CharSet(both);
}

Node Expressions::add(Entry entry) {
  if (entries_.size() >= kMostEntries) {
    refuse("the constraint has more than " + std::to_string(kMostEntries) +
           " parts, expected fewer; make it smaller");
  }
  entries_.push_back(std::move(entry));
  return static_cast<Node>(entries_.size() - 1);
}

Node Expressions::nothing() { return add({}); }

Node Expressions::text(std::string_view text) {
  Entry entry;
  entry.kind = Kind::kText;
  entry.text = text;
  return add(std::move(entry));
}

Node Expressions::characters(CharSet set) {
  Entry entry;
  entry.kind = Kind::kCharacters;
  entry.characters = std::move(set);
  return add(std::move(entry));
}

Node Expressions::sequence(std::vector<Node> parts) {
  if (parts.size() == 1) {
    return parts[0];
  }
  Entry entry;
  entry.kind = Kind::kSequence;
  entry.nodes = std::move(parts);
  return add(std::move(entry));
}

Node Expressions::any_of(std::vector<Node> parts) {
  if (parts.size() == 1) {
    return parts[0];
  }
  Entry entry;
  entry.kind = Kind::kAnyOf;
  entry.nodes = std::move(parts);
  return add(std::move(entry));
}

Node Expressions::repeat(Node part, std::uint32_t least, std::uint32_t most) {
  Entry entry;
  entry.kind = Kind::kRepeat;
  entry.nodes = {part};
  entry.least = least;
  entry.most = most;
  return add(std::move(entry));
}

Node Expressions::list(Node item, Node separator, std::uint32_t least, std::uint32_t most) {
  Entry entry;
  entry.kind = Kind::kList;
  entry.nodes = {item, separator};
  entry.least = least;
  entry.most = most;
  return add(std::move(entry));
}

Node Expressions::members(const std::vector<Member>& members, Node separator) {
  Entry entry;
  entry.kind = Kind::kMembers;
  entry.nodes = {separator};
  for (const Member& member : members) {
    entry.nodes.push_back(member.node);
    entry.is_optional.push_back(member.is_optional);
  }
  return add(std::move(entry));
}

}  // namespace linnet::constrain
