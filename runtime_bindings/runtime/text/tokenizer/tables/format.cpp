#include "tokenizer/tables/format.h"

#include "status.h"
#include "tokenizer/unicode.h"

namespace linnet::tables {

void fail(const std::string& what) {
  throw Error(LINNET_TOKENIZER_INVALID,
              "the tokenizer bytes do not parse: " + what + "; export the model again");
}

std::string_view Reader::bytes(std::size_t count) {
  if (count > rest_.size()) {
    fail("expected " + std::to_string(count) + " more bytes, got " + std::to_string(rest_.size()));
  }
  const std::string_view taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

std::uint32_t Reader::number(std::uint32_t most, const char* what) {
  const std::uint32_t value = number();
  if (value > most) {
    fail(std::string(what) + " is " + std::to_string(value) + ", at most " + std::to_string(most) +
         " is known");
  }
  return value;
}

Numbers Reader::numbers(std::size_t count) {
  if (count > rest_.size() / 4) {
    fail("a count of " + std::to_string(count) + " numbers needs more bytes than there are");
  }
  return Numbers(bytes(4 * count));
}

std::string_view Reader::text() {
  const std::string_view value = block();
  require(unicode::is_valid_utf8(value), "a string is not UTF-8");
  return value;
}

void Reader::finish() const { require(rest_.empty(), "a part is longer than its content"); }

}  // namespace linnet::tables
