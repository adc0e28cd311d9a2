// A small manifest of every task, for the harnesses.
#ifndef LINNET_TESTS_FUZZ_MANIFEST_H_
#define LINNET_TESTS_FUZZ_MANIFEST_H_

#include <cstring>
#include <string>
#include <vector>

#include "linnet.h"

inline linnet_field text_field(const char* name, const std::string& value) {
  return {name, {LINNET_STRING, 0, 0.0, value.data(), value.size()}};
}

inline linnet_field int_field(const char* name, long long value) {
  return {name, {LINNET_INT, value, 0.0, nullptr, 0}};
}

inline void put_number(std::string& bytes, std::uint32_t number) {
  for (int i = 0; i < 4; ++i) {
    bytes.push_back(static_cast<char>(number >> (8 * i)));
  }
}

inline void put_text(std::string& bytes, const std::string& text) {
  put_number(bytes, static_cast<std::uint32_t>(text.size()));
  bytes += text;
}

// Tokenizer bytes of kind "wordpiece" (runtime_bindings/runtime/text/tokenizer/blob.h) with a few tokens.
inline std::string tokenizer_bytes() {
  const std::vector<std::string> tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the",         "cat",
                                           "##s",   "a",     "##a",   ".",     "'",      "\xE6\xBC\xA2"};
  std::string bytes = "LNWORDPC";
  for (const std::uint32_t number : {1U, 15U, 100U, 1U}) {
    put_number(bytes, number);
  }
  put_text(bytes, "##");
  put_number(bytes, static_cast<std::uint32_t>(tokens.size()));
  std::string pool;
  put_number(bytes, 0);
  for (const std::string& token : tokens) {
    pool += token;
    put_number(bytes, static_cast<std::uint32_t>(pool.size()));
  }
  put_text(bytes, pool);
  put_number(bytes, 5);
  for (std::uint32_t id = 0; id < 5; ++id) {
    put_number(bytes, id);
    put_number(bytes, 33);
    put_text(bytes, tokens[id]);
  }
  const std::vector<std::vector<std::uint32_t>> templates = {
      {3, 2, 0, 2, 0, 0, 0, 2, 0, 3}, {5, 2, 0, 2, 0, 0, 0, 2, 0, 3, 1, 1, 0, 2, 1, 3}};
  for (const std::vector<std::uint32_t>& numbers : templates) {
    for (const std::uint32_t number : numbers) {
      put_number(bytes, number);
    }
  }
  return bytes;
}

#endif  // LINNET_TESTS_FUZZ_MANIFEST_H_
