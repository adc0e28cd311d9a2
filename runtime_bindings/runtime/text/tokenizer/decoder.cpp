#include "tokenizer/decoder.h"

namespace linnet {
namespace {

struct Replacement {
  std::string_view found;
  std::string_view replacement;
};

// The replacements of `cleanup` in tokenizers, decoders/wordpiece.rs. Their order matters, as each works on
// the result of the one before.
constexpr Replacement kCleanup[] = {{" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
                                    {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
                                    {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};

// The replacements of clean_up_tokenization in tokenization_utils_base.py of transformers 5.23, in its order.
constexpr Replacement kTransformersCleanup[] = {
    {" .", "."},     {" ?", "?"},   {" !", "!"},   {" ,", ","},     {" ' ", "'"},
    {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};

void replace_all(std::string& text, const Replacement& rule) {
  std::size_t at = text.find(rule.found);
  while (at != std::string::npos) {
    text.replace(at, rule.found.size(), rule.replacement);
    at = text.find(rule.found, at + rule.replacement.size());
  }
}

}  // namespace

std::string join_token(std::string_view token, bool first, std::string_view continuation, bool cleanup) {
  const bool continues = !first && token.substr(0, continuation.size()) == continuation;
  std::string piece(!first && !continues ? " " : "");
  piece.append(continues ? token.substr(continuation.size()) : token);
  if (cleanup) {
    for (const Replacement& rule : kCleanup) {
      replace_all(piece, rule);
    }
  }
  return piece;
}

std::string join_tokens(const std::vector<std::string_view>& tokens, std::string_view continuation) {
  std::string text;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    text += join_token(tokens[i], i == 0, continuation, true);
  }
  return text;
}

void clean_up(std::string& text) {
  for (const Replacement& rule : kTransformersCleanup) {
    replace_all(text, rule);
  }
}

}  // namespace linnet
