#include "tokenizer/pre_tokenizers/splitting.h"

namespace linnet::tables {

Splitting::Element Splitting::element(Scan& scan, std::size_t at) const {
  const std::size_t matched = match(scan, at);
  if (matched != at) {
    return {matched, !invert_};
  }
  return {unmatched_end(scan, at), invert_};
}

std::size_t Splitting::unmatched_end(Scan& scan, std::size_t at) const {
  std::size_t end = at;
  do {
    end += scan.look(end).length;
  } while (end < scan.text().size() && match(scan, end) == end && !scan.more());
  scan.look(end);  // the next match may begin behind the end of a text that goes on
  return end;
}

// Return where the piece ends that begins with `element`.
std::size_t Splitting::joined_end(Scan& scan, const Element& element) const {
  Element joined = element;
  for (;;) {
    if (scan.look(joined.end).length == 0) {
      return joined.end;
    }
    const Element next = this->element(scan, joined.end);
    const bool same = next.delimiter == element.delimiter;
    if (behavior_ == Behavior::kContiguous ? !same : same) {
      return joined.end;
    }
    if (behavior_ != Behavior::kContiguous) {
      return next.end;
    }
    joined.end = next.end;
  }
}

Piece Splitting::next(std::string_view text, std::size_t at, bool complete) const {
  Scan scan(text, complete);
  const Element found = element(scan, at);
  Piece piece{found.end, behavior_ != Behavior::kRemoved || !found.delimiter};
  const bool joins = behavior_ == Behavior::kContiguous ||
                     (behavior_ == Behavior::kMergedWithPrevious && !found.delimiter) ||
                     (behavior_ == Behavior::kMergedWithNext && found.delimiter);
  if (joins) {
    piece.end = joined_end(scan, found);
  }
  return scan.more() ? Piece{kMore, false} : piece;
}

}  // namespace linnet::tables
