// Layout of tokenizer bytes of kind "tables", version 1, and a reader that never leaves them.
//
// All numbers are little-endian uint32 at any alignment; a string is its size in bytes and its UTF-8; an
// array is its count and its numbers. Nothing is copied: views point into the bytes, which the tokenizer
// borrows. Every count and offset is checked when the bytes are opened, in one pass without allocation, and
// an index that comes out of a table is checked again where it is used.
//
//   magic "LNTOKTAB", version, flags (1: decoded text loses the space before punctuation)
//   then one block (size in bytes, content) each:
//     vocabulary        vocabulary.h
//     added tokens      added_vocabulary.h
//     normalizer        steps
//     pre-tokenizer     steps
//     model             kind, content; models/
//     post-processor    post_processor.h
//     decoder           steps
//   steps: their count; for each its kind, then a block
//
// The writer is export/linnet_export/tokenizer/tables.
#ifndef LINNET_RUNTIME_TOKENIZER_TABLES_FORMAT_H_
#define LINNET_RUNTIME_TOKENIZER_TABLES_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace linnet::tables {

inline constexpr std::string_view kMagic = "LNTOKTAB";
inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::uint32_t kCleanUp = 1;
inline constexpr std::uint32_t kNone = 0xFFFFFFFF;          // no id
inline constexpr std::uint32_t kMostIds = (1U << 24U) - 1;  // an id plus one fits in 24 bits of a slot

// Throw LINNET_TOKENIZER_INVALID.
[[noreturn]] void fail(const std::string& what);

inline void require(bool condition, const char* what) {
  if (!condition) {
    fail(what);
  }
}

inline std::uint32_t load32(const char* at) noexcept {
  const auto* byte = reinterpret_cast<const unsigned char*>(at);  // compilers make one load of this
  return std::uint32_t{byte[0]} | std::uint32_t{byte[1]} << 8U | std::uint32_t{byte[2]} << 16U |
         std::uint32_t{byte[3]} << 24U;
}

// Numbers in the bytes.
class Numbers {
 public:
  Numbers() = default;
  explicit Numbers(std::string_view bytes) : bytes_(bytes) {}

  std::size_t size() const noexcept { return bytes_.size() / 4; }
  // Return number `index`, which must be below size().
  std::uint32_t operator[](std::size_t index) const noexcept { return load32(bytes_.data() + 4 * index); }

 private:
  std::string_view bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool ended() const noexcept { return rest_.empty(); }
  std::string_view rest() const noexcept { return rest_; }

  std::string_view bytes(std::size_t count);
  std::uint32_t number() { return Numbers(bytes(4))[0]; }
  // Read a flag or a choice, at most `most`.
  std::uint32_t number(std::uint32_t most, const char* what);
  // Read an array: its count and its numbers.
  Numbers array() { return numbers(number()); }
  // Read `count` numbers.
  Numbers numbers(std::size_t count);
  // Read a size in bytes and as many bytes.
  std::string_view block() { return bytes(number()); }
  // Read a string. Throw if it is not UTF-8.
  std::string_view text();
  // Throw if something is left.
  void finish() const;

 private:
  std::string_view rest_;
};

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_TABLES_FORMAT_H_
