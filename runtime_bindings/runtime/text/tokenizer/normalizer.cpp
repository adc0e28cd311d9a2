#include "tokenizer/normalizer.h"

#include <algorithm>

#include "tokenizer/unicode.h"

namespace linnet {
namespace {

constexpr char32_t kReplacement = 0xFFFD;  // clean_text drops it, as it drops U+0000

bool is_dropped(char32_t c) noexcept {
  return c == 0 || c == kReplacement || unicode::has(c, unicode::kDropped);
}

unsigned char normalize_ascii(unsigned char c, const NormalizerOptions& options) noexcept {
  char32_t result = c;
  if (options.clean_text) {
    if (is_dropped(result)) {
      return NormalizerTable::kDropped;
    }
    if (unicode::has(result, unicode::kWhitespace)) {
      result = U' ';
    }
  }
  if (options.lowercase) {
    result = unicode::to_lower(result).chars[0];
  }
  return static_cast<unsigned char>(result);
}

}  // namespace

NormalizerTable::NormalizerTable(const NormalizerOptions& options) : options_(options) {
  for (std::size_t c = 0; c < ascii_.size(); ++c) {
    const unsigned char mapped = normalize_ascii(static_cast<unsigned char>(c), options);
    ascii_[c] = mapped;
    if (mapped != kDropped && !unicode::has(mapped, unicode::kWhitespace | unicode::kPunctuation)) {
      word_bytes_[c] = static_cast<char>(mapped);
    }
  }
}

// Clean one character, and put spaces around a CJK character. Both come before decomposition.
void Normalizer::take(SourceChar in) {
  const NormalizerOptions& options = table_.options();
  const unsigned flags = unicode::properties(in.c).flags;
  if (options.clean_text) {
    if (is_dropped(in.c)) {
      return;
    }
    if ((flags & unicode::kWhitespace) != 0) {
      in.c = U' ';
    }
  }
  if (options.handle_chinese_chars && (flags & unicode::kCjk) != 0) {
    const SourceChar space{U' ', in.begin, in.end};
    flush_run();
    ready_.push_back(space);
    decompose(in);
    ready_.push_back(space);
    return;
  }
  decompose(in);
}

// Decompose a character canonically. Non-starters wait in run_ until the next starter shows that the run is
// complete and can be sorted.
void Normalizer::decompose(const SourceChar& in) {
  if (!table_.options().strip_accents) {
    lower(in);
    return;
  }
  const unicode::Properties own = unicode::properties(in.c);
  unicode::Mapped parts{{in.c, 0, 0, 0}, 1};
  if ((own.flags & unicode::kDecomposes) != 0) {
    parts = unicode::decompose(in.c);
  }
  for (std::size_t i = 0; i < parts.size; ++i) {
    const char32_t c = parts.chars[i];
    const std::uint8_t rank =
        i == 0 && c == in.c ? own.combining_rank : unicode::properties(c).combining_rank;
    if (rank == 0) {
      flush_run();
      if (i == 0) {
        aligned_ = in;
      }
      lower({c, aligned_.begin, aligned_.end});
    } else {
      if (i == 0) {
        run_sources_.push_back(in);
      }
      run_.push_back({c, rank, i == 0});
    }
  }
}

// Put the waiting non-starters in canonical order. The original characters keep their order, as in
// `tokenizers`: the k-th `first` character of the sorted run stands for the k-th original one.
void Normalizer::flush_run() {
  if (run_.empty()) {
    return;
  }
  std::stable_sort(run_.begin(), run_.end(),
                   [](const RunChar& a, const RunChar& b) { return a.rank < b.rank; });
  std::size_t used = 0;
  for (const RunChar& item : run_) {
    if (item.first) {
      aligned_ = run_sources_[used++];
    }
    lower({item.c, aligned_.begin, aligned_.end});
  }
  run_.clear();
  run_sources_.clear();
}

// Remove marks and lower the case of the rest: the last two steps.
void Normalizer::lower(const SourceChar& in) {
  const unsigned flags = unicode::properties(in.c).flags;
  if (table_.options().strip_accents && (flags & unicode::kMark) != 0) {
    return;
  }
  if (!table_.options().lowercase || (flags & unicode::kLowers) == 0) {
    ready_.push_back(in);
    return;
  }
  const unicode::Mapped lowered = unicode::to_lower(in.c);
  for (std::size_t i = 0; i < lowered.size; ++i) {
    ready_.push_back({lowered.chars[i], in.begin, in.end});
  }
}

std::u32string normalize(const std::string& text, const NormalizerTable& table) {
  const SourceText::Patterns no_tokens;
  SourceText source(text, no_tokens, "an added token");
  Normalizer normalizer(source, table);
  std::u32string result;
  for (SourceChar next; normalizer.read(next);) {
    result.push_back(next.c);
  }
  return result;
}

}  // namespace linnet
