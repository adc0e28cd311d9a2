#include "tokenizer/decoder.h"

#include <algorithm>
#include <iterator>

#include "tokenizer/decoders/stages.h"

namespace linnet {
namespace {

struct Replacement {
  std::string_view found;
  std::string_view replacement;
};

// The replacements of clean_up_tokenization in tokenization_utils_base.py of transformers 5.23, in its order.
constexpr Replacement kCleanup[] = {{" .", "."},     {" ?", "?"},     {" !", "!"},   {" ,", ","},
                                    {" ' ", "'"},    {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"},
                                    {" 've", "'ve"}, {" 're", "'re"}};

}  // namespace

void add_clean_up(Decoding& decoding) {
  // each works on the result of the one before, so the last one is nearest to the text
  std::for_each(std::rbegin(kCleanup), std::rend(kCleanup), [&](const Replacement& rule) {
    decoding.add<tables::ReplaceStage>(tables::Pattern(rule.found), rule.replacement);
  });
  decoding.add<tables::FuseStage>();
}

}  // namespace linnet
