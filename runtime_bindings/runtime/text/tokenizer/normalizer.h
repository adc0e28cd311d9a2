// BertNormalizer of `tokenizers`, one character at a time: clean the text, put spaces around CJK characters,
// remove accents, lower the case.
#ifndef LINNET_RUNTIME_TOKENIZER_NORMALIZER_H_
#define LINNET_RUNTIME_TOKENIZER_NORMALIZER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tokenizer/blob.h"
#include "tokenizer/source_text.h"

namespace linnet {

// What the four steps do with each ASCII character, computed once.
class NormalizerTable {
 public:
  explicit NormalizerTable(const NormalizerOptions& options);

  const NormalizerOptions& options() const noexcept { return options_; }

  // Return the byte that an ASCII character becomes; kDropped if it is removed.
  unsigned char ascii(unsigned char c) const noexcept { return ascii_[c]; }
  // Return the normalized byte of an ASCII character that is part of a word, else 0.
  char word_byte(char c) const noexcept { return word_bytes_[static_cast<unsigned char>(c)]; }

  static constexpr unsigned char kDropped = 0xFF;

 private:
  NormalizerOptions options_;
  std::array<unsigned char, 128> ascii_{};
  std::array<char, 256> word_bytes_{};
};

// Normalizes the regions of a text one after another. Each normalized character carries the place of the
// original character that it stands for, as `tokenizers` aligns them.
class Normalizer {
 public:
  Normalizer(SourceText& source, const NormalizerTable& table) : source_(source), table_(table) {}

  // Read the next normalized character of the source's region; return false at its end.
  bool read(SourceChar& out) {
    while (next_ == ready_.size()) {
      ready_.clear();
      next_ = 0;
      SourceChar in;
      if (!source_.read(in)) {
        if (run_.empty()) {
          return false;
        }
        flush_run();
      } else if (in.c < 0x80 && run_.empty()) {
        const unsigned char mapped = table_.ascii(static_cast<unsigned char>(in.c));
        if (mapped != NormalizerTable::kDropped) {
          out = {mapped, in.begin, in.end};
          return true;
        }
      } else {
        take(in);
      }
    }
    out = ready_[next_++];
    return true;
  }

  // Return true if nothing is held back, so that the next character comes straight from the source.
  bool drained() const noexcept { return next_ == ready_.size() && run_.empty(); }

 private:
  struct RunChar {
    char32_t c;
    std::uint8_t rank;
    bool first;  // first character of what one original character decomposes into
  };

  void take(SourceChar in);
  void decompose(const SourceChar& in);
  void flush_run();
  void lower(const SourceChar& in);

  SourceText& source_;
  const NormalizerTable& table_;
  std::vector<SourceChar> ready_;  // normalized, from next_ on not handed out yet
  std::size_t next_ = 0;
  std::vector<RunChar> run_;             // non-starters waiting for canonical order
  std::vector<SourceChar> run_sources_;  // the original characters behind run_'s `first` ones
  SourceChar aligned_;                   // original character that was used last
};

// Return the normalized form of a whole string, which must be valid UTF-8.
std::u32string normalize(const std::string& text, const NormalizerTable& table);

}  // namespace linnet

#endif  // LINNET_RUNTIME_TOKENIZER_NORMALIZER_H_
