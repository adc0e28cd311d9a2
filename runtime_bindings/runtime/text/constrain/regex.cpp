#include "constrain/regex.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tokenizer/unicode.h"

namespace linnet::constrain {
namespace {

constexpr std::size_t kMostBytes = 65536;
constexpr std::uint32_t kMostTimes = 65536;
constexpr char32_t kEnd = 0xFFFFFFFF;  // of the expression

const CharSet& digits() {
  static const CharSet set({{'0', '9'}});
  return set;
}
const CharSet& word() {
  static const CharSet set({{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}});
  return set;
}
const CharSet& space() {
  static const CharSet set({{'\t', '\r'}, {' ', ' '}});
  return set;
}

bool is_letter_or_digit(char32_t c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

class Parser {
 public:
  Parser(Expressions& expressions, std::string_view text, const Dialect& dialect)
      : expressions_(expressions), text_(text), dialect_(dialect) {}

  // Groups are on a list of their own: however many are open, no function calls itself.
  Node read() {
    open_.emplace_back();
    while (peek() != kEnd) {
      read_next();
    }
    if (open_.size() > 1) {
      fail("a group is open, expected )");
    }
    end_alternative(true);
    return expressions_.any_of(std::move(open_.back().alternatives));
  }

 private:
  struct Group {
    std::vector<Node> alternatives;
    std::vector<Node> items;  // of the last alternative
    bool can_repeat = false;  // its last item
    bool has_start = false;   // ^ begins it
    bool has_end = false;     // $ ended it
  };

  [[noreturn]] void fail(const std::string& problem) const {
    refuse("the regular expression, byte " + std::to_string(at_) + ": " + problem +
           "; docs/how-to/generation.md lists what can be used");
  }

  char32_t peek() const {
    if (at_ >= text_.size()) {
      return kEnd;
    }
    return unicode::decode(text_.substr(at_)).c;
  }
  bool has(std::string_view next) const { return text_.substr(at_, next.size()) == next; }
  char32_t take() {
    if (at_ >= text_.size()) {
      fail("it ends too early, expected another character");
    }
    const unicode::Decoded next = unicode::decode(text_.substr(at_));
    at_ += next.length;
    return next.c;
  }

  void add(Node item) {
    Group& group = open_.back();
    if (group.has_end) {
      fail("something follows $, expected | or the end");
    }
    group.items.push_back(item);
    group.can_repeat = true;
  }
  void add(const CharSet& set) { add(dialect_.characters(expressions_, set)); }

  Node anything() {
    return expressions_.repeat(dialect_.characters(expressions_, CharSet::all()), 0, kUnlimited);
  }

  void end_alternative(bool outermost) {
    Group& group = open_.back();
    if (outermost && !dialect_.is_python) {  // the expression is looked for anywhere in the text
      if (!group.has_start) {
        group.items.insert(group.items.begin(), anything());
      }
      if (!group.has_end) {
        group.items.push_back(anything());
      }
    }
    group.alternatives.push_back(expressions_.sequence(std::move(group.items)));
    group.items.clear();
    group.can_repeat = group.has_start = group.has_end = false;
  }

  void read_next() {
    switch (peek()) {
      case '(':
        return begin_group();
      case ')':
        return end_group();
      case '|':
        ++at_;
        return end_alternative(open_.size() == 1);
      case '^':
        return read_start();
      case '$':
        return read_end();
      case '*':
      case '+':
      case '?':
        return read_quantifier();
      case '{':
        return read_brace();
      case '[':
        ++at_;
        return add(read_class());
      case '\\':
        ++at_;
        return add(read_escape(false));
      case '.':
        ++at_;
        return add(CharSet::all().without(dialect_.is_python
                                              ? CharSet({{'\n', '\n'}})
                                              : CharSet({{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}})));
      default: {
        const char32_t c = take();
        return add(CharSet({{c, c}}));
      }
    }
  }

  void begin_group() {
    ++at_;
    if (has("?:")) {
      at_ += 2;
    } else if (has("?P<") || (has("?<") && !has("?<=") && !has("?<!"))) {
      const std::size_t end = std::min(text_.find('>', at_), text_.size());
      const std::string_view name = text_.substr(at_, end - at_);
      at_ += name.size() + 1;
      if (at_ > text_.size()) {
        fail("the name of a group has no >");
      }
    } else if (has("?") || has("*")) {
      fail("found (" + std::string(text_.substr(at_, 2)) +
           ", expected (, (?: or (?P<name>; look-around and flags are not supported");
    }
    if (open_.back().has_end) {
      fail("something follows $, expected | or the end");
    }
    open_.emplace_back();
  }

  void end_group() {
    if (open_.size() == 1) {
      fail("found ) without a group, expected \\) for the character");
    }
    ++at_;
    end_alternative(false);
    const Node group = expressions_.any_of(std::move(open_.back().alternatives));
    open_.pop_back();
    add(group);
  }

  void read_start() {
    Group& group = open_.back();
    if (open_.size() > 1 || !group.items.empty()) {
      fail("found ^ inside, expected it at the beginning only; write \\^ for the character");
    }
    ++at_;
    group.has_start = true;
  }
  void read_end() {
    if (open_.size() > 1) {
      fail("found $ in a group, expected it at the end only; write \\$ for the character");
    }
    ++at_;
    open_.back().has_end = true;
    open_.back().can_repeat = false;
  }

  void read_quantifier() {
    const char32_t sign = take();
    repeat(sign == '+' ? 1 : 0, sign == '?' ? 1 : kUnlimited);
  }

  void repeat(std::uint32_t least, std::uint32_t most) {
    Group& group = open_.back();
    if (!group.can_repeat) {
      fail("nothing is before a quantifier that it could repeat; write a backslash before the character");
    }
    if (has("+")) {
      fail("found a possessive quantifier, expected *, +, ? or {m,n} alone");
    }
    at_ += has("?") ? 1 : 0;  // lazy: the same texts
    group.items.back() = expressions_.repeat(group.items.back(), least, most);
    group.can_repeat = false;
  }

  // Braces that hold no numbers are characters, as in Python.
  void read_brace() {
    const std::size_t begin = at_;
    ++at_;
    std::uint32_t least = 0;
    std::uint32_t most = kUnlimited;
    const bool has_least = read_number(least);
    bool is_quantifier = has_least;
    bool has_most = false;
    if (has(",")) {
      ++at_;
      has_most = read_number(most);
      is_quantifier = dialect_.is_python || has_least;
    } else {
      most = least;
    }
    if (!is_quantifier || !has("}")) {
      if (!dialect_.is_python && has_most) {
        fail("found {,n}, expected {0,n}");
      }
      at_ = begin + 1;
      add(CharSet({{'{', '{'}}));
      return;
    }
    ++at_;
    if (most < least) {
      fail("found {m,n} with m above n");
    }
    repeat(least, most);
  }

  bool read_number(std::uint32_t& number) {
    const std::size_t begin = at_;
    std::uint32_t read = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      read = 10 * read + static_cast<std::uint32_t>(text_[at_] - '0');
      if (read > kMostTimes) {
        fail("found a count above " + std::to_string(kMostTimes) + ", expected a smaller one");
      }
    }
    if (at_ > begin) {
      number = read;
    }
    return at_ > begin;
  }

  CharSet opposite(const CharSet& set) const {
    return (dialect_.is_python ? CharSet::all() : CharSet({{0, 0x7F}})).without(set);
  }

  // Read what follows a backslash.
  CharSet read_escape(bool in_class) {
    const char32_t c = take();
    switch (c) {
      case 'd':
        return digits();
      case 'D':
        return opposite(digits());
      case 'w':
        return word();
      case 'W':
        return opposite(word());
      case 's':
        return space();
      case 'S':
        return opposite(space());
      default: {
        const char32_t read = read_character_escape(c, in_class);
        return CharSet({{read, read}});
      }
    }
  }

  char32_t read_character_escape(char32_t c, bool in_class) {
    switch (c) {
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'r':
        return '\r';
      case 'f':
        return '\f';
      case 'v':
        return '\v';
      case 'b':
        if (in_class) {
          return '\b';
        }
        break;
      case 'x':
        return read_hexadecimal(2);
      case 'u':
        return read_hexadecimal(4);
      default:
        if (!is_letter_or_digit(c)) {
          return c;
        }
    }
    std::string shown;
    unicode::append_utf8(shown, c);
    fail("found \\" + shown + ", which is not supported");
  }

  char32_t read_hexadecimal(int length) {
    char32_t code = 0;
    for (int i = 0; i < length; ++i) {
      const char32_t c = take();
      const char32_t folded = c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c;
      if ((c < '0' || c > '9') && (folded < 'a' || folded > 'f')) {
        fail("expected " + std::to_string(length) + " hexadecimal digits");
      }
      code = 16 * code + (folded >= 'a' ? folded - 'a' + 10 : c - '0');
    }
    if (code >= 0xD800 && code <= 0xDFFF) {
      fail("found a surrogate, expected a character");
    }
    return code;
  }

  CharSet read_class() {
    const bool is_negated = has("^");
    at_ += is_negated ? 1 : 0;
    if (has("]")) {
      fail("found ] at the beginning of a class, expected \\] for the character");
    }
    CharSet set;
    while (!has("]")) {
      set = set.with(read_class_item());
    }
    ++at_;
    return is_negated ? CharSet::all().without(set) : set;
  }

  CharSet read_class_item() {
    CharSet first = read_class_part();
    if (!has("-") || text_.substr(at_, 2) == "-]") {
      return first;
    }
    ++at_;
    const CharSet last = read_class_part();
    const auto single = [](const CharSet& set) {
      return set.ranges().size() == 1 && set.ranges()[0].first == set.ranges()[0].last;
    };
    if (!single(first) || !single(last) || last.ranges()[0].first < first.ranges()[0].first) {
      fail("found no range of characters in a class, expected a-z; write \\- for the character");
    }
    return CharSet({{first.ranges()[0].first, last.ranges()[0].first}});
  }

  CharSet read_class_part() {
    const char32_t c = take();
    return c == '\\' ? read_escape(true) : CharSet({{c, c}});
  }

  Expressions& expressions_;
  std::string_view text_;
  const Dialect& dialect_;
  std::size_t at_ = 0;
  std::vector<Group> open_;
};

Node plain_characters(Expressions& expressions, const CharSet& set) { return expressions.characters(set); }

}  // namespace

Node read_regex(Expressions& expressions, std::string_view text, const Dialect& dialect) {
  if (text.size() > kMostBytes) {
    refuse("the regular expression has " + std::to_string(text.size()) + " bytes, expected at most " +
           std::to_string(kMostBytes) + "; make it shorter");
  }
  if (!unicode::is_valid_utf8(text)) {
    refuse("the regular expression is not UTF-8; convert it");
  }
  return Parser(expressions, text, dialect).read();
}

Dialect python_dialect() { return {true, plain_characters}; }

}  // namespace linnet::constrain
