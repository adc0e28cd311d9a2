// Split by one of the expressions of published tokenizers.
#include "tokenizer/pre_tokenizers/expressions.h"
#include "tokenizer/pre_tokenizers/pre_tokenizers.h"
#include "tokenizer/pre_tokenizers/splitting.h"

namespace linnet::tables {
namespace {

class Split final : public Splitting {
 public:
  Split(Expression expression, Behavior behavior, bool invert)
      : Splitting(behavior, invert), expression_(expression) {}

 private:
  std::size_t match(Scan& scan, std::size_t at) const override { return expression_(scan, at); }

  Expression expression_;
};

}  // namespace

std::unique_ptr<const PreTokenizerStep> make_split(Reader& reader) {
  const std::uint32_t number = reader.number();
  const auto behavior = static_cast<Behavior>(reader.number(kLastBehavior, "the behavior of Split"));
  const bool invert = reader.number(1, "invert") != 0;
  const Expression expression = expression_of(number);
  if (expression == nullptr) {
    fail("expression " + std::to_string(number) + " is not known to this build; install a newer linnet");
  }
  return std::make_unique<const Split>(expression, behavior, invert);
}

}  // namespace linnet::tables
