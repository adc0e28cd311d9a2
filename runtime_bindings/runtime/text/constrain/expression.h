// Expressions: sets of texts, built from parts. Regular expressions, choices and JSON schemas become one.
#ifndef LINNET_RUNTIME_CONSTRAIN_EXPRESSION_H_
#define LINNET_RUNTIME_CONSTRAIN_EXPRESSION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace linnet::constrain {

// Throw LINNET_INVALID_ARGUMENT with a sentence that says what was found, what was expected and what to do.
[[noreturn]] void refuse(const std::string& sentence);

struct CharRange {
  char32_t first;
  char32_t last;  // included
};

// Characters in order, without those that overlap or touch, and without surrogates.
class CharSet {
 public:
  CharSet() = default;
  // Take ranges in any order.
  explicit CharSet(const std::vector<CharRange>& ranges);
  // Every character.
  static CharSet all();

  const std::vector<CharRange>& ranges() const noexcept { return ranges_; }
  bool has(char32_t c) const noexcept;
  CharSet without(const CharSet& others) const;
  CharSet with(const CharSet& others) const;

 private:
  std::vector<CharRange> ranges_;
};

inline constexpr std::uint32_t kUnlimited = 0xFFFFFFFFU;

using Node = std::uint32_t;  // a set of texts, by its number in Expressions

// A part of Expressions::members().
struct Member {
  Node node;
  bool is_optional;
};

enum class Kind : std::uint8_t { kNothing, kText, kCharacters, kSequence, kAnyOf, kRepeat, kList, kMembers };

struct Entry {
  Kind kind = Kind::kNothing;
  std::string text;               // kText
  CharSet characters;             // kCharacters
  std::vector<Node> nodes;        // the parts; kRepeat: one; kList: the item and the separator; kMembers: the
                                  // separator, then the members
  std::vector<bool> is_optional;  // kMembers: of each member
  std::uint32_t least = 0;        // kRepeat, kList
  std::uint32_t most = 0;
};

// Nodes share their parts: a node may be part of several others, never of itself.
class Expressions {
 public:
  // No text at all.
  Node nothing();
  // One text, UTF-8.
  Node text(std::string_view text);
  // Texts of one character.
  Node characters(CharSet set);
  Node sequence(std::vector<Node> parts);
  Node any_of(std::vector<Node> parts);
  // `least` to `most` times a part.
  Node repeat(Node part, std::uint32_t least, std::uint32_t most);
  Node optional(Node part) { return repeat(part, 0, 1); }
  // `least` to `most` items with a separator between.
  Node list(Node item, Node separator, std::uint32_t least, std::uint32_t most);
  // Members in their order with a separator between, of which optional ones may be missing.
  Node members(const std::vector<Member>& members, Node separator);

  const Entry& operator[](Node node) const { return entries_[node]; }

 private:
  Node add(Entry entry);

  std::vector<Entry> entries_;
};

}  // namespace linnet::constrain

#endif  // LINNET_RUNTIME_CONSTRAIN_EXPRESSION_H_
