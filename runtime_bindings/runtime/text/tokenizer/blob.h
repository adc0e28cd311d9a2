// Parser of the tokenizer bytes of a file, kind "wordpiece". Every number is checked before it is used.
#ifndef LINNET_RUNTIME_TOKENIZER_BLOB_H_
#define LINNET_RUNTIME_TOKENIZER_BLOB_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace linnet {

// Which steps of BertNormalizer are on.
struct NormalizerOptions {
  bool clean_text = true;
  bool handle_chinese_chars = true;
  bool strip_accents = true;
  bool lowercase = true;
};

// A token that is found in a text before the text is split into words.
struct AddedToken {
  std::uint32_t id = 0;
  bool special = false;
  bool normalized = false;     // searched in the normalized text
  bool lstrip = false;         // takes the white space on its left
  bool rstrip = false;         // takes the white space on its right
  bool single_word = false;    // not inside a word
  bool in_vocabulary = false;  // WordPiece may produce it too
  std::string content;
};

// One piece of a template: a text or a special token.
struct TemplatePiece {
  enum class Kind : std::uint32_t { kFirstText = 0, kSecondText = 1, kSpecialToken = 2 };
  Kind kind = Kind::kFirstText;
  std::uint32_t type_id = 0;
  std::uint32_t token_id = 0;
};

using Template = std::vector<TemplatePiece>;

struct TokenizerSpec {
  NormalizerOptions normalizer;
  std::uint32_t max_word_chars = 0;  // a longer word is the unknown token
  std::uint32_t unknown_id = 0;
  std::string continuation;                  // prefix of a token inside a word, "##"
  std::string pool;                          // all tokens, one after another, valid UTF-8
  std::vector<std::uint32_t> token_offsets;  // token i is pool[offsets[i], offsets[i + 1]); empty: unused
  std::vector<AddedToken> added_tokens;
  Template single;  // holds the first text once
  Template pair;    // holds each text once
};

// Parse tokenizer bytes, of which everything is copied. Throw LINNET_TOKENIZER_INVALID.
TokenizerSpec parse_tokenizer(std::string_view bytes);

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_BLOB_H_
