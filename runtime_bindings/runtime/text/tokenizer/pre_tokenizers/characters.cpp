// Pre-tokenizers whose delimiter is a character of a class, or a text: WhitespaceSplit, Punctuation,
// Whitespace, and Split by a text.
#include "tokenizer/pre_tokenizers/pre_tokenizers.h"
#include "tokenizer/pre_tokenizers/splitting.h"

namespace linnet::tables {
namespace {

class Class final : public Splitting {
 public:
  Class(unsigned wanted, Behavior behavior) : Splitting(behavior), wanted_(wanted) {}

 private:
  std::size_t match(Scan& scan, std::size_t at) const override {
    const Scan::Character next = scan.look(at);
    return (next.flags & wanted_) != 0 ? at + next.length : at;
  }

  std::size_t unmatched_end(Scan& scan, std::size_t at) const override {
    return scan.run_without(at, wanted_);
  }

  unsigned wanted_;
};

// \w+|[^\w\s]+ are the pieces.
class Whitespace final : public Splitting {
 public:
  Whitespace() : Splitting(Behavior::kRemoved, true) {}

 private:
  std::size_t match(Scan& scan, std::size_t at) const override {
    const std::size_t end = scan.run(at, kWord);
    return end != at ? end : scan.run_without(at, kWord | kBlank);
  }
};

class Text final : public Splitting {
 public:
  Text(std::string_view text, Behavior behavior, bool invert) : Splitting(behavior, invert), text_(text) {}

 private:
  std::size_t match(Scan& scan, std::size_t at) const override {
    for (std::size_t i = 0; i < text_.size(); ++i) {
      if (at + i >= scan.text().size()) {
        scan.look(at + i);  // the rest of the delimiter may follow
        return at;
      }
      if (scan.text()[at + i] != text_[i]) {
        return at;
      }
    }
    return at + text_.size();
  }

  std::string_view text_;
};

Behavior read_behavior(Reader& reader) {
  return static_cast<Behavior>(reader.number(kLastBehavior, "the behavior of a pre-tokenizer"));
}

}  // namespace

std::unique_ptr<const PreTokenizerStep> make_whitespace(Reader&) {
  return std::make_unique<const Whitespace>();
}

std::unique_ptr<const PreTokenizerStep> make_whitespace_split(Reader&) {
  return std::make_unique<const Class>(kBlank, Behavior::kRemoved);
}

std::unique_ptr<const PreTokenizerStep> make_punctuation(Reader& reader) {
  return std::make_unique<const Class>(kBertPunctuation, read_behavior(reader));
}

std::unique_ptr<const PreTokenizerStep> make_text_split(Reader& reader) {
  const std::string_view text = reader.text();
  require(!text.empty(), "a delimiter is empty");
  const Behavior behavior = read_behavior(reader);
  return std::make_unique<const Text>(text, behavior, reader.number(1, "invert") != 0);
}

}  // namespace linnet::tables
