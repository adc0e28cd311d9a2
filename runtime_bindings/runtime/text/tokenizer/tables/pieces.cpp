#include "tokenizer/tables/pieces.h"

namespace linnet::tables {

Pieces::Item Pieces::next() {
  for (;;) {
    if (in_segment_) {
      if (next_word()) {
        return Item::kWord;
      }
      in_segment_ = false;
    }
    switch (segments_.next()) {
      case Segments::Item::kEnd:
        return Item::kEnd;
      case Segments::Item::kToken:
        return Item::kToken;
      case Segments::Item::kText:
        begin_segment();
        break;
    }
  }
}

void Pieces::begin_segment() {
  in_segment_ = true;
  first_ = true;
  depth_ = 0;
  Level& level = levels_[0];
  level.at = 0;
  level.changed.clear();
  complete_ = segments_.complete();
  level.run = segments_.run();
  if (steps_[0]->changes()) {
    steps_[0]->change(level.run, first_, level.changed);
    first_ = level.run.bytes.empty();
    segments_.skip(level.run.bytes.size());
    level.run = level.changed.run();
  }
}

// Read more of the segment into the first level. Return false at its end.
bool Pieces::grow() {
  if (complete_) {
    return false;
  }
  Level& level = levels_[0];
  const bool changes = steps_[0]->changes();
  if (!changes) {
    segments_.skip(level.at);
  }
  segments_.extend(level.run.bytes.size() - level.at);  // doubled, so that a long word is read in linear time
  complete_ = segments_.complete();
  Run run = segments_.run();
  if (changes) {
    level.changed.erase_front(level.at);
    steps_[0]->change(run, first_, level.changed);
    first_ = first_ && run.bytes.empty();
    segments_.skip(run.bytes.size());
    run = level.changed.run();
  }
  level.run = run;
  level.at = 0;
  return true;
}

// Let the next step cut a piece of this one.
void Pieces::descend(const Run& piece) {
  ++depth_;
  Level& level = levels_[depth_];
  level.run = piece;
  level.at = 0;
  if (steps_[depth_]->changes()) {
    level.changed.clear();
    steps_[depth_]->change(piece, true, level.changed);
    level.run = level.changed.run();
  }
}

bool Pieces::next_word() {
  for (;;) {
    Level& level = levels_[depth_];
    const std::size_t size = level.run.bytes.size();
    if (level.at == size) {
      if (depth_ > 0) {
        --depth_;
      } else if (!grow()) {
        segments_.skip(steps_[0]->changes() ? 0 : size);
        return false;
      }
      continue;
    }
    const bool complete = depth_ > 0 || complete_;
    Piece piece = steps_[depth_]->next(level.run.bytes, level.at, complete);
    if (piece.end == kMore) {
      if (!complete) {
        grow();
        continue;
      }
      piece.end = size;
    }
    const Run part = level.run.part(level.at, piece.end);
    level.at = piece.end;
    if (!piece.kept) {
      continue;
    }
    if (depth_ + 1 == steps_.size()) {
      word_ = part;
      return true;
    }
    descend(part);
  }
}

}  // namespace linnet::tables
