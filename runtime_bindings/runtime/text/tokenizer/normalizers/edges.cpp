// Strip and Prepend: what changes a text at its ends alone.
#include "tokenizer/normalizers/characters.h"
#include "tokenizer/normalizers/normalizers.h"

namespace linnet::tables {
namespace {

bool begins_blank(std::string_view text) noexcept {
  return !text.empty() && unicode::has(unicode::decode(text).c, unicode::kWhitespace);
}

bool ends_blank(std::string_view text) noexcept {
  return !text.empty() && unicode::has(unicode::decode_last(text).c, unicode::kWhitespace);
}

class Strip final : public NormalizerStep {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}

  void apply(AlignedText& text, Edges edges) const override {
    std::string_view bytes = text.bytes;
    while (right_ && edges.last && ends_blank(bytes)) {
      bytes.remove_suffix(unicode::decode_last(bytes).length);
    }
    text.spans.resize(bytes.size());
    std::size_t begin = 0;
    while (left_ && edges.first && begins_blank(bytes.substr(begin))) {
      begin += unicode::decode(bytes.substr(begin)).length;
    }
    text.bytes.resize(bytes.size());
    text.erase_front(begin);
  }

  bool keeps(std::string_view bytes, Edges edges) const noexcept override {
    return !(left_ && edges.first && begins_blank(bytes)) && !(right_ && edges.last && ends_blank(bytes));
  }

 private:
  bool left_;
  bool right_;
};

class Prepend final : public NormalizerStep {
 public:
  explicit Prepend(std::string_view text) : text_(text) {}

  void apply(AlignedText& text, Edges edges) const override {
    if (keeps(text.bytes, edges)) {
      return;
    }
    const Span first = text.spans.front();
    text.bytes.insert(0, text_);
    text.spans.insert(text.spans.begin(), text_.size(), first);
  }

  bool keeps(std::string_view bytes, Edges edges) const noexcept override {
    return !edges.first || bytes.empty();
  }

 private:
  std::string_view text_;
};

}  // namespace

std::unique_ptr<const NormalizerStep> make_strip(Reader& reader) {
  const bool left = reader.number(1, "strip_left") != 0;
  return std::make_unique<const Strip>(left, reader.number(1, "strip_right") != 0);
}

std::unique_ptr<const NormalizerStep> make_prepend(Reader& reader) {
  return std::make_unique<const Prepend>(reader.text());
}

}  // namespace linnet::tables
