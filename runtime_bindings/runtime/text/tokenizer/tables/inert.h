// Characters between which a text may be cut before it is normalized.
#ifndef LINNET_RUNTIME_TOKENIZER_TABLES_INERT_H_
#define LINNET_RUNTIME_TOKENIZER_TABLES_INERT_H_

namespace linnet::tables {

// Return true for characters of a few large scripts whose normalization, in every form, depends on nothing
// before them and that begin a grapheme cluster: two of them, side by side, never affect each other. Many
// more do; these are enough to find one in the first words of a text, and a text without any is normalized as
// a whole.
constexpr bool is_inert(char32_t c) {
  return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') || (c >= U'0' && c <= U'9') ||
         (c >= 0x0430 && c <= 0x044F && c != 0x0439) ||                   // Cyrillic without short i
         (c >= 0x05D0 && c <= 0x05EA) || (c >= 0x0627 && c <= 0x063A) ||  // Hebrew, Arabic
         (c >= 0x0E01 && c <= 0x0E2E) || (c >= 0x3041 && c <= 0x3093) ||  // Thai consonants, Hiragana
         (c >= 0x30A1 && c <= 0x30F3) || (c >= 0x4E00 && c <= 0x9FA5);    // Katakana, Chinese characters
}

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_TABLES_INERT_H_
