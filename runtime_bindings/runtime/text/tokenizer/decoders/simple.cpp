// Fuse, Strip and BPEDecoder.
#include <algorithm>
#include <string>

#include "tokenizer/decoders/decoders.h"
#include "tokenizer/decoders/stages.h"
#include "tokenizer/unicode.h"

namespace linnet::tables {
namespace {

class Fuse final : public DecoderStep {
 public:
  std::unique_ptr<TokenSink> open(TokenSink& next) const override {
    return std::make_unique<FuseStage>(next);
  }
  bool decode_alone(std::string&, TokenPlace& place) const override {
    place.is_joined = true;
    return true;
  }
};

// Removes up to `start` and `stop` times one character at the ends of each token.
class StripStage final : public DecoderStage {
 public:
  StripStage(TokenSink& next, std::string_view character, std::size_t start, std::size_t stop)
      : DecoderStage(next), character_(character), start_(start), stop_(stop) {}

  void text(std::string_view part) override {
    for (; stripped_ < start_ && starts_with(part); ++stripped_) {
      part.remove_prefix(character_.size());
    }
    if (part.empty()) {
      return;
    }
    stripped_ = start_;
    const std::size_t last = count_last(part);
    const bool only = last * character_.size() == part.size();
    release(only ? held_ + last - std::min(held_ + last, stop_) : held_);
    if (!only) {
      next().text(part.substr(0, part.size() - std::min(last, stop_) * character_.size()));
    }
    held_ = std::min(only ? held_ + last : last, stop_);
  }

  void end_token() override {
    stripped_ = 0;
    held_ = 0;
    next().end_token();
  }

 private:
  bool starts_with(std::string_view text) const noexcept {
    return text.substr(0, character_.size()) == character_;
  }

  // Return how many times a text has the character at its end.
  std::size_t count_last(std::string_view text) const noexcept {
    std::size_t count = 0;
    while (text.size() >= character_.size() && text.substr(text.size() - character_.size()) == character_) {
      text.remove_suffix(character_.size());
      ++count;
    }
    return count;
  }

  // Pass on the character so many times.
  void release(std::size_t count) const {
    for (; count > 0; --count) {
      next().text(character_);
    }
  }

  std::string_view character_;
  std::size_t start_;
  std::size_t stop_;
  std::size_t stripped_ = 0;  // of the current token; start_ once another character came
  std::size_t held_ = 0;      // times that the current token has the character at its end, at most stop_
};

class Strip final : public DecoderStep {
 public:
  Strip(std::string_view character, std::size_t start, std::size_t stop)
      : character_(character), start_(start), stop_(stop) {}

  std::unique_ptr<TokenSink> open(TokenSink& next) const override {
    return std::make_unique<StripStage>(next, character_, start_, stop_);
  }
  // Behind joined tokens it strips the text: its first token has one character at most to lose, which it has
  // or not whatever follows.
  bool decode_alone(std::string& token, TokenPlace& place) const override {
    if (place.is_joined && (start_ > 1 || stop_ > 0)) {
      return false;
    }
    if (!place.is_joined || place.is_first) {
      for (std::size_t i = 0; i < start_ && token.compare(0, character_.size(), character_) == 0; ++i) {
        token.erase(0, character_.size());
      }
    }
    for (std::size_t i = 0;
         i < stop_ && token.size() >= character_.size() &&
         token.compare(token.size() - character_.size(), character_.size(), character_) == 0;
         ++i) {
      token.erase(token.size() - character_.size());
    }
    return true;
  }

 private:
  std::string_view character_;
  std::size_t start_;
  std::size_t stop_;
};

// A suffix of words becomes a space, but not in the last token: what follows it waits for another token.
class BpeSuffixStage final : public WholeTokens {
 public:
  BpeSuffixStage(TokenSink& next, std::string_view suffix) : WholeTokens(next), suffix_(suffix) {}

  void end_text() override {
    release("");
    next().end_text();
  }

 private:
  void take(std::string_view token) override {
    release(" ");
    const std::size_t certain = std::min(token.find(suffix_), token.size());
    next().text(token.substr(0, certain));
    waiting_ = token.substr(certain);
    open_ = true;
  }

  // Pass on the end of the last token with `space` in place of each suffix.
  void release(std::string_view space) {
    if (!open_) {
      return;
    }
    std::string_view rest = waiting_;
    for (std::size_t found = rest.find(suffix_); found != std::string_view::npos;
         found = rest.find(suffix_)) {
      next().text(rest.substr(0, found));
      next().text(space);
      rest.remove_prefix(found + suffix_.size());
    }
    pass(rest);
    open_ = false;
  }

  std::string_view suffix_;
  std::string waiting_;  // end of the last token, from its first suffix on
  bool open_ = false;    // the next stage has not been told that it ended
};

class BpeSuffix final : public DecoderStep {
 public:
  explicit BpeSuffix(std::string_view suffix) : suffix_(suffix) {}

  std::unique_ptr<TokenSink> open(TokenSink& next) const override {
    return std::make_unique<BpeSuffixStage>(next, suffix_);
  }

 private:
  std::string_view suffix_;
};

}  // namespace

std::unique_ptr<const DecoderStep> make_fuse(Reader&) { return std::make_unique<const Fuse>(); }

std::unique_ptr<const DecoderStep> make_strip_decoder(Reader& reader) {
  const std::string_view character = reader.text();
  require(!character.empty() && unicode::decode(character).length == character.size(),
          "a decoder strips something else than one character");
  const std::size_t start = reader.number();
  return std::make_unique<const Strip>(character, start, reader.number());
}

std::unique_ptr<const DecoderStep> make_bpe_decoder(Reader& reader) {
  const std::string_view suffix = reader.text();
  require(!suffix.empty(), "a decoder has an empty suffix");
  return std::make_unique<const BpeSuffix>(suffix);
}

}  // namespace linnet::tables
