// NFC, NFD, NFKC, NFKD, with the places that unicode-normalization-alignments gives, which `tokenizers` uses:
// a composed character stands for what its first character stood for.
#include <algorithm>

#include "tokenizer/normalizers/normalizers.h"
#include "tokenizer/unicode.h"

namespace linnet::tables {
namespace {

enum class Form : std::uint32_t { kNfc, kNfd, kNfkc, kNfkd };

bool composes(Form form) noexcept { return form == Form::kNfc || form == Form::kNfkc; }
bool is_compatible(Form form) noexcept { return form == Form::kNfkc || form == Form::kNfkd; }

struct Part {
  char32_t c;
  std::ptrdiff_t change;
  std::uint8_t rank;
};

// Decompose each character, and put marks behind each starter in canonical order.
std::vector<Part> decompose(std::string_view text, bool compatible) {
  std::vector<Part> parts;
  parts.reserve(text.size());
  std::size_t marks = 0;  // at the end of `parts`, not sorted yet
  const auto sort = [&] {
    std::stable_sort(parts.end() - static_cast<std::ptrdiff_t>(marks), parts.end(),
                     [](const Part& a, const Part& b) { return a.rank < b.rank; });
    marks = 0;
  };
  std::u32string own;
  while (!text.empty()) {
    const unicode::Decoded next = unicode::decode(text);
    text.remove_prefix(next.length);
    own.clear();
    if (compatible) {
      unicode::decompose_compatibly(next.c, own);
    } else {
      const unicode::Mapped mapped = unicode::decompose(next.c);
      own.assign(mapped.chars, mapped.size);
    }
    for (std::size_t i = 0; i < own.size(); ++i) {
      const std::uint8_t rank = unicode::properties(own[i]).combining_rank;
      if (rank == 0) {
        sort();
      } else {
        ++marks;
      }
      parts.push_back({own[i], i == 0 ? 0 : 1, rank});
    }
  }
  sort();
  return parts;
}

// Compose as Recompositions of unicode-normalization-alignments: a starter takes what follows, as long as
// nothing of the same or a higher class stands between.
std::vector<Change> compose(const std::vector<Part>& parts) {
  std::vector<Change> result;
  result.reserve(parts.size());
  std::vector<Change> waiting;  // behind the starter
  Change starter{0, 0};
  bool any_starter = false;
  std::uint8_t last_rank = 0;  // of the last waiting one
  const auto flush = [&] {
    if (any_starter) {
      result.push_back(starter);
    }
    result.insert(result.end(), waiting.begin(), waiting.end());
    waiting.clear();
    last_rank = 0;
  };
  for (const Part& part : parts) {
    if (!any_starter) {
      if (part.rank != 0) {
        result.push_back({part.c, part.change});
      } else {
        starter = {part.c, part.change};
        any_starter = true;
      }
      continue;
    }
    const bool blocked = !waiting.empty() && last_rank >= part.rank;
    const char32_t composed = blocked ? 0 : unicode::compose(starter.c, part.c);
    if (composed != 0) {
      starter = {composed, starter.change + part.change - 1};
    } else if (part.rank == 0) {
      flush();
      starter = {part.c, part.change};
    } else {
      waiting.push_back({part.c, part.change});
      last_rank = part.rank;
    }
  }
  flush();
  return result;
}

class NormalForm final : public NormalizerStep {
 public:
  explicit NormalForm(Form form) : form_(form) {}

  void apply(AlignedText& text, Edges) const override {
    const std::vector<Part> parts = decompose(text.bytes, is_compatible(form_));
    std::vector<Change> changes;
    if (composes(form_)) {
      changes = compose(parts);
    } else {
      changes.reserve(parts.size());
      for (const Part& part : parts) {
        changes.push_back({part.c, part.change});
      }
    }
    transform(text, changes);
  }

  bool keeps(std::string_view bytes, Edges) const noexcept override {
    while (!bytes.empty()) {
      if (static_cast<unsigned char>(bytes.front()) < 0x80) {
        bytes.remove_prefix(1);  // ASCII is the same in every form
        continue;
      }
      const unicode::Decoded next = unicode::decode(bytes);
      if (changes(unicode::properties(next.c))) {
        return false;
      }
      bytes.remove_prefix(next.length);
    }
    return true;
  }

 private:
  bool changes(const unicode::Properties& properties) const noexcept {
    switch (form_) {
      case Form::kNfc:
        return (properties.more & unicode::kNfcChanges) != 0;
      case Form::kNfkc:
        return (properties.more & unicode::kNfkcChanges) != 0;
      case Form::kNfkd:
        return (properties.more & unicode::kNfkdChanges) != 0;
      case Form::kNfd:
        break;
    }
    return (properties.flags & unicode::kDecomposes) != 0 || properties.combining_rank != 0;
  }

  Form form_;
};

}  // namespace

std::unique_ptr<const NormalizerStep> make_normal_form(Reader& reader) {
  return std::make_unique<const NormalForm>(
      static_cast<Form>(reader.number(static_cast<std::uint32_t>(Form::kNfkd), "the normal form")));
}

}  // namespace linnet::tables
