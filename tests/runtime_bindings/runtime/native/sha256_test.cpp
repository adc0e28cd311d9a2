// SHA-256: the examples of FIPS 180-4, and the processor's instructions against plain C++.
#include "file/sha256.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "file/sha256_blocks.h"

namespace {

using linnet::Sha256;
using linnet::sha256_blocks;
using linnet::sha256_blocks_portable;
using linnet::Sha256State;

int failures = 0;

std::string hash_in_pieces(const std::string& message, std::size_t piece) {
  Sha256 hash;
  for (std::size_t at = 0; at < message.size(); at += piece) {
    const std::string part = message.substr(at, piece);
    hash.update({reinterpret_cast<const std::uint8_t*>(part.data()), part.size()});
  }
  std::string text;
  for (const std::uint8_t byte : hash.finish()) {
    char digits[3];
    static_cast<void>(std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned>(byte)));
    text += digits;
  }
  return text;
}

void expect(const std::string& message, const char* expected) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{1000000}}) {
    if (hash_in_pieces(message, piece) != expected) {
      ++failures;
      std::printf("a message of %zu bytes in pieces of %zu\n", message.size(), piece);
    }
  }
}

}  // namespace

int main() {
  // https://csrc.nist.gov/projects/cryptographic-standards-and-guidelines/example-values, and the million
  // letters of the standard's older edition
  expect("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  expect(std::string(1000000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  std::mt19937 random(5);
  for (std::size_t count = 0; count < 20; ++count) {
    std::vector<std::uint8_t> data(count * 64 + 1);
    Sha256State one;
    for (std::uint32_t& word : one) {
      word = static_cast<std::uint32_t>(random());
    }
    for (std::uint8_t& byte : data) {
      byte = static_cast<std::uint8_t>(random());
    }
    Sha256State other = one;
    sha256_blocks_portable(one, data.data() + 1, count);
    sha256_blocks()(other, data.data() + 1, count);
    if (one != other) {
      ++failures;
      std::printf("%zu blocks differ\n", count);
    }
  }
  std::printf("%d failed, %s\n", failures,
              sha256_blocks() == sha256_blocks_portable ? "plain C++" : "with instructions");
  return failures == 0 ? 0 : 1;
}
