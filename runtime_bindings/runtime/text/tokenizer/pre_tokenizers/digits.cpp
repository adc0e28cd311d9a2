// Digits: numbers are pieces of their own, whole or digit by digit.
#include "tokenizer/pre_tokenizers/pre_tokenizers.h"
#include "tokenizer/pre_tokenizers/splitting.h"

namespace linnet::tables {
namespace {

class Digits final : public Splitting {
 public:
  using Splitting::Splitting;

 private:
  std::size_t match(Scan& scan, std::size_t at) const override {
    const Scan::Character next = scan.look(at);
    return (next.flags & kNumeric) != 0 ? at + next.length : at;
  }
};

}  // namespace

std::unique_ptr<const PreTokenizerStep> make_digits(Reader& reader) {
  const bool individual = reader.number(1, "individual_digits") != 0;
  return std::make_unique<const Digits>(individual ? Behavior::kIsolated : Behavior::kContiguous);
}

}  // namespace linnet::tables
