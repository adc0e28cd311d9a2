// Decoders that change each token on its own, or join all: Fuse, Replace, Strip, WordPiece, BPEDecoder.
#include <algorithm>

#include "tokenizer/decoder.h"
#include "tokenizer/decoders/decoders.h"
#include "tokenizer/tables/pattern.h"
#include "tokenizer/unicode.h"

namespace linnet::tables {
namespace {

class Fuse final : public DecoderStep {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::string text;
    for (const std::string& token : tokens) {
      text += token;
    }
    tokens.assign(1, text);
  }
};

class Replace final : public DecoderStep {
 public:
  Replace(const Pattern& pattern, std::string_view content) : pattern_(pattern), content_(content) {}

  void apply(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      std::string made;
      std::size_t at = 0;
      for (Pattern::Match match = pattern_.find(token, 0); match.found;
           match = pattern_.find(token, match.end)) {
        made.append(token, at, match.begin - at);
        made.append(content_);
        at = match.end;
      }
      token = made.append(token, at);
    }
  }

 private:
  Pattern pattern_;
  std::string_view content_;
};

// Removes up to `start` and `stop` times one character at the ends of each token.
class Strip final : public DecoderStep {
 public:
  Strip(std::string_view character, std::size_t start, std::size_t stop)
      : character_(character), start_(start), stop_(stop) {}

  void apply(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      std::string_view rest = token;
      for (std::size_t i = 0; i < start_ && rest.substr(0, character_.size()) == character_; ++i) {
        rest.remove_prefix(character_.size());
      }
      for (std::size_t i = 0; i < stop_ && ends_with_character(rest); ++i) {
        rest.remove_suffix(character_.size());
      }
      token = std::string(rest);
    }
  }

 private:
  bool ends_with_character(std::string_view text) const noexcept {
    return text.size() >= character_.size() && text.substr(text.size() - character_.size()) == character_;
  }

  std::string_view character_;
  std::size_t start_;
  std::size_t stop_;
};

class WordPiece final : public DecoderStep {
 public:
  WordPiece(std::string_view prefix, bool cleanup) : prefix_(prefix), cleanup_(cleanup) {}

  void apply(std::vector<std::string>& tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      tokens[i] = join_token(tokens[i], i == 0, prefix_, cleanup_);
    }
  }

 private:
  std::string_view prefix_;
  bool cleanup_;
};

// A suffix of words becomes a space, but not behind the last word.
class BpeSuffix final : public DecoderStep {
 public:
  explicit BpeSuffix(std::string_view suffix) : suffix_(suffix) {}

  void apply(std::vector<std::string>& tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      std::string made;
      std::size_t at = 0;
      for (std::size_t found = tokens[i].find(suffix_); found != std::string::npos;
           found = tokens[i].find(suffix_, at)) {
        made.append(tokens[i], at, found - at);
        made.append(i + 1 < tokens.size() ? " " : "");
        at = found + suffix_.size();
      }
      tokens[i] = made.append(tokens[i], at);
    }
  }

 private:
  std::string_view suffix_;
};

}  // namespace

std::unique_ptr<const DecoderStep> make_fuse(Reader&) { return std::make_unique<const Fuse>(); }

std::unique_ptr<const DecoderStep> make_replace_decoder(Reader& reader) {
  const Pattern pattern(reader);
  return std::make_unique<const Replace>(pattern, reader.text());
}

std::unique_ptr<const DecoderStep> make_strip_decoder(Reader& reader) {
  const std::string_view character = reader.text();
  require(!character.empty(), "a decoder strips nothing");
  const std::size_t start = reader.number();
  return std::make_unique<const Strip>(character, start, reader.number());
}

std::unique_ptr<const DecoderStep> make_wordpiece_decoder(Reader& reader) {
  const std::string_view prefix = reader.text();
  return std::make_unique<const WordPiece>(prefix, reader.number(1, "cleanup") != 0);
}

std::unique_ptr<const DecoderStep> make_bpe_decoder(Reader& reader) {
  const std::string_view suffix = reader.text();
  require(!suffix.empty(), "a decoder has an empty suffix");
  return std::make_unique<const BpeSuffix>(suffix);
}

}  // namespace linnet::tables
