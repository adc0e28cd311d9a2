// Pre-tokenizers that search delimiters and keep, remove or join them, as NormalizedString::split of
// `tokenizers`.
#ifndef LINNET_RUNTIME_TOKENIZER_PRE_TOKENIZERS_SPLITTING_H_
#define LINNET_RUNTIME_TOKENIZER_PRE_TOKENIZERS_SPLITTING_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tokenizer/pre_tokenizers/classes.h"
#include "tokenizer/tables/steps.h"

namespace linnet::tables {

// What becomes of a delimiter; numbers as in the bytes.
enum class Behavior : std::uint32_t {
  kRemoved,
  kIsolated,
  kMergedWithPrevious,
  kMergedWithNext,
  kContiguous
};

inline constexpr auto kLastBehavior = static_cast<std::uint32_t>(Behavior::kContiguous);

class Splitting : public PreTokenizerStep {
 public:
  // `invert`: what match() does not match is the delimiter.
  explicit Splitting(Behavior behavior, bool invert = false) : behavior_(behavior), invert_(invert) {}

  Piece next(std::string_view text, std::size_t at, bool complete) const final;

 private:
  // Return where the match ends that begins exactly at `at`, which is inside of the text; `at` if there is
  // none.
  virtual std::size_t match(Scan& scan, std::size_t at) const = 0;

  // Return where the next match begins, there being none at `at`; the end of the text if there is none.
  virtual std::size_t unmatched_end(Scan& scan, std::size_t at) const;

  // A match, or the text before the next one.
  struct Element {
    std::size_t end;
    bool delimiter;
  };

  Element element(Scan& scan, std::size_t at) const;
  std::size_t joined_end(Scan& scan, const Element& element) const;

  Behavior behavior_;
  bool invert_;
};

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_PRE_TOKENIZERS_SPLITTING_H_
