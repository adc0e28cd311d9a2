// Tokenizer bytes of kind "wordpiece" (LNWORDPC), built independently of the exporter's writer.
#ifndef LINNET_TESTS_SUPPORT_WORDPIECE_H_
#define LINNET_TESTS_SUPPORT_WORDPIECE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace linnet_tests {

enum Normalizer : std::uint32_t { kClean = 1, kChinese = 2, kStrip = 4, kLower = 8, kUncased = 15 };
enum Added : std::uint32_t {
  kSpecial = 1,
  kNormalized = 2,
  kLstrip = 4,
  kRstrip = 8,
  kSingleWord = 16,
  kInVocabulary = 32
};

struct AddedEntry {
  std::uint32_t id;
  std::uint32_t flags;
};

// One piece of a template: kind 0 is the first text, 1 the second, 2 the token `token_id`.
struct Piece {
  std::uint32_t kind;
  std::uint32_t type_id;
  std::uint32_t token_id;
};

// A small uncased tokenizer; a test changes what it is about.
struct Spec {
  std::uint32_t flags = kUncased;
  std::uint32_t max_word_chars = 10;
  std::uint32_t unknown_id = 1;
  std::vector<std::string> tokens = {"[PAD]", "[UNK]",  "[CLS]", "[SEP]", "[MASK]",   "un",
                                     "##aff", "##able", "hello", ",",     "e",        "\xE4\xB8\xAD",
                                     "a",     "##b",    "b",     "c",     "new york", "##c"};
  std::vector<AddedEntry> added = {{0, kSpecial | kInVocabulary},
                                   {2, kSpecial | kInVocabulary},
                                   {3, kSpecial | kInVocabulary},
                                   {4, kSpecial | kInVocabulary | kLstrip},
                                   {16, kNormalized | kSingleWord}};
  std::vector<Piece> single = {{2, 0, 2}, {0, 0, 0}, {2, 0, 3}};
  std::vector<Piece> pair = {{2, 0, 2}, {0, 0, 0}, {2, 0, 3}, {1, 1, 0}, {2, 1, 3}};
};

inline void put(std::string& out, std::size_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<char>((value >> shift) & 0xFFU));
  }
}

inline void put_text(std::string& out, std::string_view text) {
  put(out, text.size());
  out += text;
}

inline void put_template(std::string& out, const std::vector<Piece>& pieces) {
  put(out, pieces.size());
  for (const Piece& piece : pieces) {
    put(out, piece.kind);
    put(out, piece.type_id);
    put(out, piece.token_id);
  }
}

// The layout is documented in runtime_bindings/runtime/text/tokenizer/blob.h.
inline std::string wordpiece_bytes(const Spec& spec) {
  std::string out = "LNWORDPC";
  put(out, 1);
  put(out, spec.flags);
  put(out, spec.max_word_chars);
  put(out, spec.unknown_id);
  put_text(out, "##");
  put(out, spec.tokens.size());
  std::string pool;
  for (const std::string& token : spec.tokens) {
    put(out, pool.size());
    pool += token;
  }
  put(out, pool.size());
  put_text(out, pool);
  put(out, spec.added.size());
  for (const AddedEntry& entry : spec.added) {
    put(out, entry.id);
    put(out, entry.flags);
    put_text(out, spec.tokens[entry.id]);
  }
  put_template(out, spec.single);
  put_template(out, spec.pair);
  return out;
}

}  // namespace linnet_tests

#endif  // LINNET_TESTS_SUPPORT_WORDPIECE_H_
