// E-mail addresses: the practical part of RFC 5321 and 5322, with letters of every script (RFC 6531).
#include "mask/pattern.h"

namespace linnet::mask {
namespace {

// RFC 5321, 4.5.3.1: octets there, characters here.
constexpr std::size_t kMostLocal = 64;
constexpr std::size_t kMostDomain = 255;
constexpr std::size_t kMostLabel = 63;  // RFC 1035, 2.3.4

constexpr bool is_unspaced(unsigned char c) { return c >= kFirstUnspaced && c < kOther; }

// Letters and digits of the kind of script that a part began with: "write to a@b.com" may stand between
// characters of a script that has no spaces.
constexpr bool is_of_kind(unsigned char c, bool unspaced) {
  return is_digit(c) || (is_any_letter(c) && is_unspaced(c) == unspaced);
}

// atext of RFC 5322 without = / ? { | } `, which mostly stand around an address.
bool is_local(unsigned char c, bool unspaced) {
  constexpr std::string_view kMarks = "._+-%&'~!#$*^";
  return is_of_kind(c, unspaced) || (c != 0 && kMarks.find(static_cast<char>(c)) != std::string_view::npos);
}

// Return where a quoted local part before `at` begins: `"Ada L."@example.org`; `at` if there is none.
std::size_t quoted_local(const Folded& text, std::size_t at) {
  for (std::size_t start = at - 2; start < at && at - start <= kMostLocal; --start) {
    if (text[start] == '"' && text[start - 1] != '\\') {
      return start;
    }
    if (text[start] < ' ' || text[start] == 0x7F) {
      break;
    }
  }
  return at;
}

std::size_t local_start(const Folded& text, std::size_t at) {
  if (text[at - 1] == '"' && at >= 2) {
    return quoted_local(text, at);
  }
  const bool unspaced = is_unspaced(text[at - 1]);
  std::size_t start = at;
  while (start > 0 && is_local(text[start - 1], unspaced) && at - start <= kMostLocal) {
    if (text[start - 1] == '.' && (start == at || text[start] == '.')) {
      break;  // a dot stands between two parts
    }
    --start;
  }
  if (at - start > kMostLocal) {
    return at;
  }
  while (start < at && !is_any_letter(text[start]) && text[start] != '_' && text[start] != '+') {
    ++start;  // quotation marks, dots and dashes before the address
  }
  return start;
}

// Return where the label that begins at `at` ends; `at` if there is none.
std::size_t label_end(const Folded& text, std::size_t at) {
  const bool unspaced = is_unspaced(text[at]);
  std::size_t end = at;
  while (end - at <= kMostLabel && (is_of_kind(text[end], unspaced) || (text[end] == '-' && end > at))) {
    ++end;
  }
  while (end > at && text[end - 1] == '-') {
    --end;
  }
  return end - at > kMostLabel ? at : end;
}

// Return where the top-level domain ends that the label [start, end) is or begins with; `start` if none.
std::size_t top_level_end(const Folded& text, std::size_t start, std::size_t end) {
  if (end - start > 4 && lower(text[start]) == 'x' && lower(text[start + 1]) == 'n' &&
      text[start + 2] == '-') {
    return end;
  }
  std::size_t stop = start;
  while (stop < end && is_any_letter(text[stop]) && !is_digit(text[stop])) {
    ++stop;
  }
  return stop - start >= 2 && (stop == end || text[stop] == '-') ? stop : start;
}

// Return where the domain that begins at `at` ends; `at` if it has no two labels.
std::size_t domain_end(const Folded& text, std::size_t at) {
  std::size_t best = at;
  for (std::size_t label = at; label - at < kMostDomain;) {
    const std::size_t end = label_end(text, label);
    if (end == label) {
      break;
    }
    const std::size_t top = label == at ? label : top_level_end(text, label, end);
    best = top > label && top - at <= kMostDomain ? top : best;
    if (text[end] != '.') {
      break;
    }
    label = end + 1;
  }
  return best;
}

// Return where an address literal ends: [192.0.2.1], [IPv6:2001:db8::1] (RFC 5321, 4.1.3).
std::size_t literal_end(const Folded& text, std::size_t at) {
  std::size_t start = at + 1;
  if (lower(text[start]) == 'i' && lower(text[start + 1]) == 'p') {
    start += 5;
  }
  const Match address = find_ip(text, start);
  return address.end > start && address.start == start && text[address.end] == ']' ? address.end + 1 : at;
}

}  // namespace

Match find_email(const Folded& text, std::size_t at) {
  if (at == 0) {
    return {};
  }
  const std::size_t start = local_start(text, at);
  if (start == at) {
    return {};
  }
  const std::size_t domain = at + 1;
  const std::size_t end = text[domain] == '[' ? literal_end(text, domain) : domain_end(text, domain);
  return end == domain ? Match{} : Match{start, end, false};
}

}  // namespace linnet::mask
