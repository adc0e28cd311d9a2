// ByteLevel: a space before the first word if wanted, then the expression of GPT-2 if wanted. Characters for
// bytes are the model's part.
#include "tokenizer/pre_tokenizers/expressions.h"
#include "tokenizer/pre_tokenizers/pre_tokenizers.h"

namespace linnet::tables {
namespace {

class ByteLevel final : public PreTokenizerStep {
 public:
  ByteLevel(bool add_prefix_space, bool use_regex)
      : add_prefix_space_(add_prefix_space), use_regex_(use_regex) {}

  Piece next(std::string_view text, std::size_t at, bool complete) const override {
    if (!use_regex_) {
      return {complete ? text.size() : kMore, true};
    }
    Scan scan(text, complete);
    const std::size_t end = match_gpt2(scan, at);
    return {scan.more() ? kMore : end, true};
  }

  bool changes() const noexcept override { return add_prefix_space_; }

  void change(const Run& run, bool first, AlignedText& text) const override {
    if (first && !run.bytes.empty() && run.bytes.front() != ' ') {
      const std::size_t length = unicode::decode(run.bytes).length;
      text.append(U' ', run.span(0, length));
    }
    text.append(run);
  }

 private:
  bool add_prefix_space_;
  bool use_regex_;
};

}  // namespace

std::unique_ptr<const PreTokenizerStep> make_byte_level(Reader& reader) {
  const bool add_prefix_space = reader.number(1, "add_prefix_space") != 0;
  const bool use_regex = reader.number(1, "use_regex") != 0;
  return std::make_unique<const ByteLevel>(add_prefix_space, use_regex);
}

}  // namespace linnet::tables
