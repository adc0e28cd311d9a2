// HMAC-SHA256 (RFC 2104), and sealing of bytes by a key.
#ifndef LINNET_RUNTIME_MASK_HMAC_H_
#define LINNET_RUNTIME_MASK_HMAC_H_

#include <string>
#include <string_view>

#include "file/sha256.h"

namespace linnet::mask {

// Return the HMAC-SHA256 of a message.
Sha256::Digest hmac_sha256(std::string_view key, std::string_view message);

// Shortest key that seals anything, in bytes.
inline constexpr std::size_t kLeastKey = 16;

// Encrypt and authenticate bytes: the SIV construction (Rogaway and Shrimpton, "Deterministic
// Authenticated-Encryption", 2006) with HMAC-SHA256 for both of its functions. The tag is the HMAC of the
// bytes, and also where the key stream, HMACs of the tag and a counter, begins. It needs no random numbers:
// equal bytes and keys give equal results, which is all that it tells. Throws LINNET_INVALID_ARGUMENT for a
// key below kLeastKey bytes.
std::string seal(std::string_view key, std::string_view bytes);
// Return what seal() was given. Throws LINNET_STATE_INVALID for anything that it did not return for this key,
// LINNET_INVALID_ARGUMENT for a short key.
std::string unseal(std::string_view key, std::string_view sealed);

}  // namespace linnet::mask

#endif  // LINNET_RUNTIME_MASK_HMAC_H_
