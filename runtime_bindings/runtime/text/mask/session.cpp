#include "mask/session.h"

#include <algorithm>

#include "mask/folded.h"
#include "mask/hmac.h"
#include "status.h"
#include "tokenizer/unicode.h"

namespace linnet::mask {
namespace {

constexpr std::string_view kLiteral = "TEXT";        // type of what only looks like a pseudonym
constexpr std::string_view kBlock = "\xE2\x96\x88";  // U+2588
constexpr std::size_t kFixedBlocks = 5;
constexpr std::size_t kMostDigits = 10;

bool is_name_character(char c) {
  return (c >= 'A' && c <= 'Z') || c == '_' || is_digit(static_cast<unsigned char>(c));
}

std::string name_of(std::string_view type, std::uint64_t number) {
  return "[" + std::string(type) + "_" + std::to_string(number) + "]";
}

std::string key_of(std::string_view type, std::string_view value) {
  return std::string(type) + '\0' + std::string(value);
}

// Return where the next pseudonym at or behind `at` begins and ends; the size of the text twice if none does.
std::pair<std::size_t, std::size_t> next_pseudonym(std::string_view text, std::size_t at) {
  for (at = text.find('[', at); at != std::string_view::npos; at = text.find('[', at + 1)) {
    if (const std::size_t end = pseudonym_end(text, at); end != at) {
      return {at, end};
    }
  }
  return {text.size(), text.size()};
}

void append_number(std::string& bytes, std::uint64_t number) {
  for (std::size_t i = 0; i < 8; ++i) {
    bytes += static_cast<char>(number >> (8 * i) & 0xFFU);
  }
}

// Bytes of a saved session, read from their beginning.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool at_end() const { return rest_.empty(); }
  std::uint64_t number() {
    std::uint64_t value = 0;
    const std::string_view bytes = take(8);
    for (std::size_t i = 0; i < 8; ++i) {
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    }
    return value;
  }
  std::string text() { return std::string(take(number())); }

 private:
  std::string_view take(std::uint64_t size) {
    if (size > rest_.size()) {
      throw Error(LINNET_STATE_INVALID,
                  "the saved masking session ends too early; it was saved by another linnet");
    }
    const std::string_view taken = rest_.substr(0, static_cast<std::size_t>(size));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view rest_;
};

std::size_t at_of(std::int64_t place) { return static_cast<std::size_t>(place); }

}  // namespace

std::size_t pseudonym_end(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && end - at < kMostPseudonym && is_name_character(text[end])) {
    ++end;
  }
  if (text[at] != '[' || end >= text.size() || text[end] != ']' || text[at + 1] < 'A') {
    return at;
  }
  std::size_t first = end;
  while (is_digit(static_cast<unsigned char>(text[first - 1]))) {
    --first;
  }
  const bool fits = end - first >= 1 && end - first <= kMostDigits && text[first] != '0' &&
                    text[first - 1] == '_' && first - 1 > at + 1;
  return fits ? end + 1 : at;
}

std::string replace(std::string_view text, const Answers& findings, linnet_mask_mode mode) {
  std::string masked;
  std::size_t done = 0;
  for (const Answer& finding : findings) {
    masked += text.substr(done, at_of(finding.place.utf8.start) - done);
    done = at_of(finding.place.utf8.end);
    if (mode == LINNET_MASK_BY_TYPE) {
      masked += "[" + finding.label + "]";
      continue;
    }
    const std::size_t length = at_of(finding.place.code_points.end - finding.place.code_points.start);
    for (std::size_t i = 0; i < (mode == LINNET_MASK_REDACT_LENGTH ? length : kFixedBlocks); ++i) {
      masked += kBlock;
    }
  }
  return masked.append(text.substr(done));
}

std::string Session::mask(std::string_view text, const Answers& findings) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string masked;
  std::size_t done = 0;
  auto literal = next_pseudonym(text, 0);
  const auto copy_to = [&](std::size_t place) {
    masked += text.substr(done, place - done);
    done = place;
  };
  // write the literal pseudonyms that end before `limit`; what overlaps a finding is written with it
  const auto copy_literals = [&](std::size_t limit) {
    while (literal.second <= limit && literal.first < literal.second) {
      if (literal.first >= done) {
        copy_to(literal.first);
        masked += pseudonym(kLiteral, text.substr(literal.first, literal.second - literal.first));
        done = literal.second;
      }
      literal = next_pseudonym(text, literal.second);
    }
  };
  for (const Answer& finding : findings) {
    copy_literals(at_of(finding.place.utf8.start));
    copy_to(at_of(finding.place.utf8.start));
    masked += pseudonym(finding.label, finding.text);
    done = at_of(finding.place.utf8.end);
  }
  copy_literals(text.size());
  copy_to(text.size());
  return masked;
}

std::string Session::unmask(std::string_view text) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string plain;
  std::size_t done = 0;
  for (auto found = next_pseudonym(text, 0); found.first < found.second;
       found = next_pseudonym(text, found.second)) {
    const auto known = by_name_.find(std::string(text.substr(found.first, found.second - found.first)));
    if (known != by_name_.end()) {
      plain += text.substr(done, found.first - done);
      plain += values_[known->second].value;
      done = found.second;
    }
  }
  return plain.append(text.substr(done));
}

std::size_t Session::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return values_.size();
}

std::string Session::pseudonym(std::string_view type, std::string_view value) {
  const auto known = by_value_.find(key_of(type, value));
  if (known != by_value_.end()) {
    return name_of(type, values_[known->second].number);
  }
  const std::uint64_t number = counts_[std::string(type)] + 1;
  add({std::string(type), number, std::string(value)});
  return name_of(type, number);
}

void Session::add(const Value& value) {
  // in an order in which memory may run out anywhere: a number is not given twice, and no value is known by a
  // pseudonym that unmask() does not know
  const std::size_t index = values_.size();
  std::uint64_t& count = counts_[value.type];
  count = std::max(count, value.number);
  values_.push_back(value);
  by_name_.emplace(name_of(value.type, value.number), index);
  by_value_.emplace(key_of(value.type, value.value), index);
}

std::string Session::save(std::string_view key) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string bytes;
  for (const Value& value : values_) {
    append_number(bytes, value.type.size());
    bytes += value.type;
    append_number(bytes, value.number);
    append_number(bytes, value.value.size());
    bytes += value.value;
  }
  return seal(key, bytes);
}

void Session::load(std::string_view key, std::string_view saved) {
  const std::string bytes = unseal(key, saved);
  const std::lock_guard<std::mutex> lock(mutex_);
  values_.clear();
  by_value_.clear();
  by_name_.clear();
  counts_.clear();
  for (Reader reader(bytes); !reader.at_end();) {
    Value value;
    value.type = reader.text();
    value.number = reader.number();
    value.value = reader.text();
    add(value);
  }
}

std::string UnmaskStream::push(std::string_view piece) {
  held_ += piece;
  std::size_t certain = held_.rfind('[');
  if (certain == std::string::npos || held_.size() - certain >= kMostPseudonym ||
      !std::all_of(held_.begin() + static_cast<std::ptrdiff_t>(certain) + 1, held_.end(),
                   is_name_character)) {
    certain = held_.size();
  }
  const std::string plain = session_->unmask(std::string_view(held_).substr(0, certain));
  held_.erase(0, certain);
  return plain;
}

std::string UnmaskStream::finish() { return std::exchange(held_, {}); }

}  // namespace linnet::mask
