// The characters that byte-level tokenizers write for bytes: printable ASCII and Latin-1 stand for
// themselves, the other bytes get the characters from U+0100 on (bytes_char in tokenizers,
// pre_tokenizers/byte_level.rs).
#ifndef LINNET_RUNTIME_TOKENIZER_TABLES_BYTE_LEVEL_H_
#define LINNET_RUNTIME_TOKENIZER_TABLES_BYTE_LEVEL_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace linnet::tables {

constexpr bool is_printable_byte(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

constexpr std::array<std::uint16_t, 256> byte_characters() {
  std::array<std::uint16_t, 256> characters{};
  std::uint16_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    characters[byte] = is_printable_byte(byte) ? static_cast<std::uint16_t>(byte) : next++;
  }
  return characters;
}

// Character of each byte.
inline constexpr std::array<std::uint16_t, 256> kByteCharacters = byte_characters();

constexpr std::size_t kByteCharacterEnd = 0x144;  // one past the last such character

constexpr std::array<std::int16_t, kByteCharacterEnd> character_bytes() {
  std::array<std::int16_t, kByteCharacterEnd> bytes{};
  for (std::int16_t& byte : bytes) {
    byte = -1;
  }
  for (unsigned byte = 0; byte < 256; ++byte) {
    bytes[kByteCharacters[byte]] = static_cast<std::int16_t>(byte);
  }
  return bytes;
}

// Byte of each character, -1 for characters that stand for none.
inline constexpr std::array<std::int16_t, kByteCharacterEnd> kCharacterBytes = character_bytes();

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_TABLES_BYTE_LEVEL_H_
