// A small manifest of every task, for the harnesses.
#ifndef LINNET_TESTS_FUZZ_MANIFEST_H_
#define LINNET_TESTS_FUZZ_MANIFEST_H_

#include <cstring>
#include <string>
#include <vector>

#include "../support/wordpiece.h"
#include "linnet.h"

inline linnet_field text_field(const char* name, const std::string& value) {
  return {name, {LINNET_STRING, 0, 0.0, value.data(), value.size()}};
}

inline linnet_field int_field(const char* name, long long value) {
  return {name, {LINNET_INT, value, 0.0, nullptr, 0}};
}

// A tokenizer with a few tokens.
inline std::string tokenizer_bytes() {
  using namespace linnet_tests;
  Spec spec;
  spec.max_word_chars = 100;
  spec.tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the",         "cat",
                 "##s",   "a",     "##a",   ".",     "'",      "\xE6\xBC\xA2"};
  spec.added.clear();
  for (std::uint32_t id = 0; id < 5; ++id) {
    spec.added.push_back({id, kSpecial | kInVocabulary});
  }
  return wordpiece_bytes(spec);
}

#endif  // LINNET_TESTS_FUZZ_MANIFEST_H_
