// Loops of the normalizers over the characters of a text.
#ifndef LINNET_RUNTIME_TOKENIZER_NORMALIZERS_CHARACTERS_H_
#define LINNET_RUNTIME_TOKENIZER_NORMALIZERS_CHARACTERS_H_

#include <string_view>
#include <vector>

#include "tokenizer/tables/run.h"
#include "tokenizer/unicode.h"

namespace linnet::tables {

// Call `visit` with each character of a valid text.
template <typename Visit>
void for_each_character(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const unicode::Decoded next = unicode::decode(text);
    visit(next.c);
    text.remove_prefix(next.length);
  }
}

// Return true if `holds` is true for no character of a valid text.
template <typename Holds>
bool none_of_characters(std::string_view text, Holds holds) {
  while (!text.empty()) {
    const unicode::Decoded next = unicode::decode(text);
    if (holds(next.c)) {
      return false;
    }
    text.remove_prefix(next.length);
  }
  return true;
}

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_NORMALIZERS_CHARACTERS_H_
