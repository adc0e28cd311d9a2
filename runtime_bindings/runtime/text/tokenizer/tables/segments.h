// Stretches of normalized text between added tokens, made only as far as they are read.
//
// As `tokenizers` does it: added tokens that are not normalized are cut out of the original text
// (source_text.h); what is left between them is normalized; the normalized added tokens are cut out of that.
#ifndef LINNET_RUNTIME_TOKENIZER_TABLES_SEGMENTS_H_
#define LINNET_RUNTIME_TOKENIZER_TABLES_SEGMENTS_H_

#include <cstddef>
#include <string_view>

#include "tokenizer/added_tokens.h"
#include "tokenizer/source_text.h"
#include "tokenizer/tables/run.h"
#include "tokenizer/tables/steps.h"

namespace linnet::tables {

class Segments {
 public:
  enum class Item { kText, kToken, kEnd };

  // Refer to the arguments, which must outlive the object. `text` is the whole original text.
  Segments(std::string_view text, SourceText& source, const Normalizers& normalizers,
           const PatternSet<char>& patterns);

  // Go on behind the last item, a segment having been read to its end, and return what comes.
  Item next();

  // The current segment from where it was skipped to, as far as it is known.
  Run run() const noexcept { return buffer().part(head_, limit_); }
  // Return true if nothing follows run().
  bool complete() const noexcept { return complete_; }
  // Make more of the segment known, about `least` bytes of the original text or more.
  void extend(std::size_t least = 0);
  // Skip bytes of run(), which must end where a character ends.
  void skip(std::size_t count) noexcept { head_ += count; }

  // The added token that next() found.
  const FoundToken& token() const noexcept { return token_; }

 private:
  // The region: normalized text between two tokens of the original text, as far as it is made.
  Run buffer() const noexcept {
    return identity_ ? Run{text_.substr(base_, size_), nullptr, base_} : store_.run();
  }
  std::size_t buffer_size() const noexcept { return identity_ ? size_ : store_.bytes.size(); }

  void begin_region() noexcept;
  void fill(std::size_t least);
  std::size_t find_cut(std::string_view ahead) noexcept;
  void normalize(std::string_view chunk, Edges edges);
  void drop_read();
  void scan();
  bool accept(const Run& region, std::size_t begin, const PatternSet<char>::Match& match);

  std::string_view text_;
  SourceText& source_;
  const Normalizers& normalizers_;
  const PatternSet<char>& patterns_;

  bool identity_ = true;  // the buffer is text_[base_, base_ + size_), not changed by any step
  std::size_t base_ = 0;
  std::size_t size_ = 0;
  AlignedText store_;          // the buffer otherwise
  bool first_ = true;          // no chunk of the region has been made
  bool region_whole_ = false;  // all of the region is in the buffer
  std::size_t searched_ = 0;   // bytes ahead of the source in which there is no place to cut

  std::size_t head_ = 0;      // the segment is read up to here
  std::size_t limit_ = 0;     // and known up to here
  std::size_t scanned_ = 0;   // no added token begins between limit_ and here
  bool complete_ = true;      // the segment ends at limit_
  bool token_found_ = false;  // with found_token_, which ends at token_end_
  std::size_t token_end_ = 0;
  std::uint32_t token_id_ = 0;
  FoundToken token_;
};

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_TABLES_SEGMENTS_H_
