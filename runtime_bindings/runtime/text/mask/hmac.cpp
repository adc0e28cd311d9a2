#include "mask/hmac.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "status.h"

namespace linnet::mask {
namespace {

constexpr std::string_view kMagic = "LNMASK01";
constexpr std::size_t kDigest = std::tuple_size<Sha256::Digest>::value;

ByteView bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string_view text_of(const Sha256::Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// Return a key for one purpose, as HKDF-Expand (RFC 5869) derives it.
std::string derived(std::string_view key, std::string_view purpose) {
  if (key.size() < kLeastKey) {
    throw Error(LINNET_INVALID_ARGUMENT, "the key has " + std::to_string(key.size()) +
                                             " bytes, expected at least " + std::to_string(kLeastKey) +
                                             " random ones");
  }
  return std::string(text_of(hmac_sha256(key, std::string(purpose) + '\x01')));
}

// Encrypt, or decrypt: both add the key stream.
void add_stream(std::string_view key, std::string_view tag, std::string& bytes) {
  std::string block(tag);
  block.resize(kDigest + 8);
  for (std::size_t at = 0; at < bytes.size(); at += kDigest) {
    for (std::size_t i = 0; i < 8; ++i) {
      block[kDigest + i] = static_cast<char>(static_cast<std::uint64_t>(at / kDigest) >> (8 * i) & 0xFFU);
    }
    const Sha256::Digest stream = hmac_sha256(key, block);
    for (std::size_t i = 0; i < kDigest && at + i < bytes.size(); ++i) {
      bytes[at + i] = static_cast<char>(static_cast<std::uint8_t>(bytes[at + i]) ^ stream[i]);
    }
  }
}

// Compare in a time that does not depend on where two tags differ.
bool are_equal(std::string_view a, std::string_view b) {
  unsigned difference = 0;
  for (std::size_t i = 0; i < kDigest; ++i) {
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
  }
  return difference == 0;
}

}  // namespace

Sha256::Digest hmac_sha256(std::string_view key, std::string_view message) {
  constexpr std::size_t kBlock = 64;
  std::array<std::uint8_t, kBlock> padded = {};
  if (key.size() > kBlock) {
    Sha256 hash;
    hash.update(bytes_of(key));
    const Sha256::Digest digest = hash.finish();
    std::copy(digest.begin(), digest.end(), padded.begin());
  } else {
    std::copy(key.begin(), key.end(), padded.begin());
  }
  const auto hashed = [&padded](std::uint8_t pad, ByteView rest) {
    std::array<std::uint8_t, kBlock> block = padded;
    for (std::uint8_t& byte : block) {
      byte = static_cast<std::uint8_t>(byte ^ pad);
    }
    Sha256 hash;
    hash.update({block.data(), block.size()});
    hash.update(rest);
    return hash.finish();
  };
  const Sha256::Digest inner = hashed(0x36, bytes_of(message));
  return hashed(0x5C, {inner.data(), inner.size()});
}

std::string seal(std::string_view key, std::string_view bytes) {
  const std::string tag(text_of(hmac_sha256(derived(key, "linnet mask tag"), bytes)));
  std::string hidden(bytes);
  add_stream(derived(key, "linnet mask stream"), tag, hidden);
  return std::string(kMagic) + tag + hidden;
}

std::string unseal(std::string_view key, std::string_view sealed) {
  const std::string tag_key = derived(key, "linnet mask tag");
  if (sealed.size() < kMagic.size() + kDigest || sealed.substr(0, kMagic.size()) != kMagic) {
    throw Error(LINNET_STATE_INVALID,
                "these bytes are no saved masking session; pass what was saved, complete");
  }
  const std::string_view tag = sealed.substr(kMagic.size(), kDigest);
  std::string bytes(sealed.substr(kMagic.size() + kDigest));
  add_stream(derived(key, "linnet mask stream"), tag, bytes);
  if (!are_equal(text_of(hmac_sha256(tag_key, bytes)), tag)) {
    throw Error(LINNET_STATE_INVALID, "the saved masking session is damaged, or was sealed by another key");
  }
  return bytes;
}

}  // namespace linnet::mask
