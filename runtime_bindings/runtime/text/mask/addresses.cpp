// Addresses of machines: IPv4, IPv6 in the forms of RFC 4291 and 5952, MAC.
#include <array>

#include "mask/pattern.h"

namespace linnet::mask {
namespace {

constexpr std::size_t kMostV6 = 45;  // "0000:0000:0000:0000:0000:ffff:255.255.255.255"
constexpr std::size_t kMostZone = 16;

// Return where four octets without leading zeros end; `at` if there are none.
std::size_t v4_end(const Folded& text, std::size_t at, std::size_t limit) {
  std::size_t place = at;
  for (int octet = 0; octet < 4; ++octet) {
    if (octet > 0) {
      if (text[place] != '.') {
        return at;
      }
      ++place;
    }
    unsigned value = 0;
    const std::size_t first = place;
    while (place < limit && place - first < 3 && is_digit(text[place])) {
      value = 10 * value + (text[place++] - '0');
    }
    if (place == first || value > 255 || (place - first > 1 && text[first] == '0')) {
      return at;
    }
  }
  return place;
}

// Tell whether the characters [start, end) are an IPv6 address.
bool is_v6(const Folded& text, std::size_t start, std::size_t end) {
  int groups = 0;
  bool compressed = false;
  std::size_t at = start;
  bool expects_group = true;
  bool has_digit = false;
  while (at < end) {
    if (text[at] == ':' && text[at + 1] == ':' && at + 1 < end) {
      if (compressed) {
        return false;
      }
      compressed = true;
      expects_group = false;
      at += 2;
      continue;
    }
    if (!expects_group && at > start && text[at] == ':' && text[at - 1] != ':') {
      expects_group = true;
      ++at;
      continue;
    }
    if (const std::size_t v4 = v4_end(text, at, end); v4 == end) {
      groups += 2;
      has_digit = true;
      expects_group = false;
      break;
    }
    const std::size_t first = at;
    while (at < end && at - first < 4 && is_hex(text[at])) {
      has_digit = has_digit || is_digit(text[at]);
      ++at;
    }
    if (at == first || (at < end && text[at] != ':')) {
      return false;
    }
    ++groups;
    expects_group = false;
  }
  if (expects_group || (!has_digit && groups < 3)) {
    return false;  // "dead::beef" and "a::b" are names in programs more often than addresses
  }
  return compressed ? groups <= 7 : groups == 8;
}

// Tell whether what stands before is one more group of the same address: "ab:" but not "site:".
bool follows_group(const Folded& text, std::size_t at) {
  const unsigned char before = text[at - 1];
  if (before != ':' && before != '-') {
    return before == '.' && is_alphanumeric(text[at - 2]);
  }
  std::size_t length = 0;
  while (length < 5 && is_word(text[at - 2 - length])) {
    if (!is_hex(text[at - 2 - length])) {
      return false;
    }
    ++length;
  }
  return length == 0 ? text[at - 2] == ':' && before == ':' : length < 5;
}

Match find_v6(const Folded& text, std::size_t at) {
  if (text[at] == ':' ? text[at + 1] != ':' || text[at - 1] == ':' || is_word(text[at - 1])
                      : follows_group(text, at)) {
    return {};
  }
  std::size_t end = at;
  std::size_t colons = 0;
  while (end - at <= kMostV6 + 2 && (is_hex(text[end]) || text[end] == ':' || text[end] == '.')) {
    colons += text[end] == ':' ? 1 : 0;
    ++end;
  }
  if (colons < 2 || end - at > kMostV6 + 2 || is_word(text[end])) {
    return {};
  }
  for (int trimmed = 0; trimmed <= 2 && end > at; ++trimmed) {  // the end of a sentence
    if (is_v6(text, at, end)) {
      std::size_t zone = end + 1;  // RFC 4007, 11: fe80::1%eth0
      while (text[end] == '%' && zone - end <= kMostZone && is_alphanumeric(text[zone])) {
        ++zone;
      }
      return {at, zone > end + 1 ? zone : end, false};
    }
    if (text[end - 1] != '.' && text[end - 1] != ':') {
      break;
    }
    --end;
  }
  return {};
}

Match find_v4(const Folded& text, std::size_t at) {
  if (text[at - 1] == '.' || text[at - 1] == '-') {
    return {};
  }
  const std::size_t end = v4_end(text, at, text.size());
  return end == at || is_word(text[end]) || (text[end] == '.' && is_digit(text[end + 1]))
             ? Match{}
             : Match{at, end, false};
}

// Return where `groups` groups of `width` hexadecimal digits end; `at` if they are not there.
std::size_t groups_end(const Folded& text, std::size_t at, std::size_t groups, std::size_t width,
                       unsigned char separator) {
  std::size_t place = at;
  for (std::size_t group = 0; group < groups; ++group) {
    if (group > 0 && text[place++] != separator) {
      return at;
    }
    for (std::size_t digit = 0; digit < width; ++digit) {
      if (!is_hex(text[place++])) {
        return at;
      }
    }
  }
  const bool goes_on = is_word(text[place]) || (text[place] == separator && is_hex(text[place + 1]));
  return goes_on ? at : place;
}

}  // namespace

Match find_ip(const Folded& text, std::size_t at) {
  const Match v4 = is_digit(text[at]) ? find_v4(text, at) : Match{};
  return v4.end != 0 ? v4 : find_v6(text, at);
}

Match find_mac(const Folded& text, std::size_t at) {
  if (!is_hex(text[at]) || !is_hex(text[at + 1])) {
    return {};
  }
  struct Grouping {
    std::size_t groups, width;
    unsigned char separator;
  };
  // IEEE 802 (EUI-48 and EUI-64, "canonical form" with dashes), with colons as most systems print it, and in
  // three groups as Cisco does
  constexpr std::array<Grouping, 4> kGroupings = {{{6, 2, '-'}, {6, 2, ':'}, {8, 2, '-'}, {3, 4, '.'}}};
  if (follows_group(text, at)) {
    return {};
  }
  for (const Grouping& grouping : kGroupings) {
    const std::size_t end = groups_end(text, at, grouping.groups, grouping.width, grouping.separator);
    if (end != at) {
      return {at, end, false};
    }
  }
  return {};
}

}  // namespace linnet::mask
