#include "tokenizer/blob.h"

#include <algorithm>
#include <utility>

#include "status.h"
#include "tokenizer/unicode.h"

namespace linnet {
namespace {

constexpr std::string_view kMagic = "LNWORDPC";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kWordBytes = 4;

enum NormalizerFlag : std::uint32_t {
  kCleanText = 1,
  kHandleChineseChars = 2,
  kStripAccents = 4,
  kLowercase = 8,
  kAllNormalizerFlags = 15
};

enum AddedFlag : std::uint32_t {
  kSpecial = 1,
  kNormalized = 2,
  kLstrip = 4,
  kRstrip = 8,
  kSingleWord = 16,
  kInVocabulary = 32,
  kAllAddedFlags = 63
};

[[noreturn]] void fail(const std::string& what) {
  throw Error(LINNET_TOKENIZER_INVALID,
              "the tokenizer bytes do not parse: " + what + "; export the model again");
}

void require(bool condition, const char* what) {
  if (!condition) {
    fail(what);
  }
}

// Reads little-endian numbers and strings, and throws instead of reading past the end.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::size_t left() const noexcept { return rest_.size(); }

  std::string_view bytes(std::size_t count) {
    if (count > rest_.size()) {
      fail("expected " + std::to_string(count) + " more bytes, got " + std::to_string(rest_.size()));
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  std::uint32_t number() {
    const std::string_view four = bytes(kWordBytes);
    std::uint32_t value = 0;
    for (std::size_t i = kWordBytes; i-- > 0;) {
      value = (value << 8U) | static_cast<unsigned char>(four[i]);
    }
    return value;
  }

  // Read a count of entries that take at least `entry_bytes` each. A count that the bytes have no room for is
  // refused here, before memory for it is allocated.
  std::size_t count(std::size_t entry_bytes) {
    const std::size_t value = number();
    if (value > left() / entry_bytes) {
      fail("a count of " + std::to_string(value) + " entries needs more bytes than there are");
    }
    return value;
  }

  std::string text() {
    const std::string_view value = bytes(number());
    require(unicode::is_valid_utf8(value), "a string is not UTF-8");
    return std::string(value);
  }

 private:
  std::string_view rest_;
};

NormalizerOptions read_normalizer(Reader& reader) {
  const std::uint32_t flags = reader.number();
  require(flags <= kAllNormalizerFlags, "unknown normalizer flags");
  return {(flags & kCleanText) != 0, (flags & kHandleChineseChars) != 0, (flags & kStripAccents) != 0,
          (flags & kLowercase) != 0};
}

void check_pool(const TokenizerSpec& spec) {
  const std::vector<std::uint32_t>& offsets = spec.token_offsets;
  require(offsets.front() == 0 && offsets.back() == spec.pool.size() &&
              std::is_sorted(offsets.begin(), offsets.end()),
          "the token offsets do not divide the pool");
  require(unicode::is_valid_utf8(spec.pool), "the tokens are not UTF-8");
  const bool cut = std::any_of(offsets.begin(), offsets.end(), [&spec](std::uint32_t offset) {
    return offset < spec.pool.size() && unicode::is_continuation(spec.pool[offset]);
  });
  require(!cut, "a token begins inside a character");
}

void read_vocabulary(Reader& reader, TokenizerSpec& spec) {
  const std::size_t tokens = reader.count(kWordBytes);
  spec.token_offsets.reserve(tokens + 1);
  for (std::size_t i = 0; i <= tokens; ++i) {
    spec.token_offsets.push_back(reader.number());
  }
  spec.pool = std::string(reader.bytes(reader.number()));
  check_pool(spec);
}

std::string_view token_of(const TokenizerSpec& spec, std::uint32_t id) {
  require(id + std::size_t{1} < spec.token_offsets.size(), "an id is above the vocabulary");
  const std::uint32_t begin = spec.token_offsets[id];
  return std::string_view(spec.pool).substr(begin, spec.token_offsets[id + std::size_t{1}] - begin);
}

AddedToken read_added_token(Reader& reader, const TokenizerSpec& spec) {
  AddedToken token;
  token.id = reader.number();
  const std::uint32_t flags = reader.number();
  require(flags <= kAllAddedFlags, "unknown flags of an added token");
  token.special = (flags & kSpecial) != 0;
  token.normalized = (flags & kNormalized) != 0;
  token.lstrip = (flags & kLstrip) != 0;
  token.rstrip = (flags & kRstrip) != 0;
  token.single_word = (flags & kSingleWord) != 0;
  token.in_vocabulary = (flags & kInVocabulary) != 0;
  token.content = reader.text();
  require(!token.content.empty(), "an added token is empty");
  require(token_of(spec, token.id) == token.content, "an added token is not the token of its id");
  return token;
}

void read_added_tokens(Reader& reader, TokenizerSpec& spec) {
  const std::size_t count = reader.count(3 * kWordBytes);
  for (std::size_t i = 0; i < count; ++i) {
    spec.added_tokens.push_back(read_added_token(reader, spec));
  }
  std::vector<std::uint32_t> ids;
  ids.reserve(count);
  for (const AddedToken& token : spec.added_tokens) {
    ids.push_back(token.id);
  }
  std::sort(ids.begin(), ids.end());
  require(std::adjacent_find(ids.begin(), ids.end()) == ids.end(), "two added tokens have one id");
}

TemplatePiece read_piece(Reader& reader, const TokenizerSpec& spec) {
  const std::uint32_t kind = reader.number();
  require(kind <= 2, "a template piece of an unknown kind");
  const TemplatePiece piece{static_cast<TemplatePiece::Kind>(kind), reader.number(), reader.number()};
  if (piece.kind == TemplatePiece::Kind::kSpecialToken) {
    require(!token_of(spec, piece.token_id).empty(), "a template uses an unused id");
  } else {
    require(piece.token_id == 0, "a text in a template has a token id");
  }
  return piece;
}

std::ptrdiff_t count_kind(const Template& pieces, TemplatePiece::Kind kind) {
  return std::count_if(pieces.begin(), pieces.end(),
                       [kind](const TemplatePiece& piece) { return piece.kind == kind; });
}

Template read_template(Reader& reader, const TokenizerSpec& spec, std::ptrdiff_t texts) {
  const std::size_t count = reader.count(3 * kWordBytes);
  Template pieces;
  for (std::size_t i = 0; i < count; ++i) {
    pieces.push_back(read_piece(reader, spec));
  }
  require(count_kind(pieces, TemplatePiece::Kind::kFirstText) == 1 &&
              count_kind(pieces, TemplatePiece::Kind::kSecondText) == texts - 1,
          "a template does not hold each text once");
  return pieces;
}

void check_unknown_token(const TokenizerSpec& spec) {
  require(!token_of(spec, spec.unknown_id).empty(), "the unknown token has an unused id");
  for (const AddedToken& token : spec.added_tokens) {
    require(token.id != spec.unknown_id || token.in_vocabulary,
            "the unknown token is not in the WordPiece vocabulary");
  }
}

}  // namespace

TokenizerSpec parse_tokenizer(std::string_view bytes) {
  Reader reader(bytes);
  require(reader.bytes(kMagic.size()) == kMagic, "they do not begin with LNWORDPC");
  const std::uint32_t version = reader.number();
  if (version != kVersion) {
    fail("found version " + std::to_string(version) + ", this build reads version " +
         std::to_string(kVersion));
  }
  TokenizerSpec spec;
  spec.normalizer = read_normalizer(reader);
  spec.max_word_chars = reader.number();
  spec.unknown_id = reader.number();
  spec.continuation = reader.text();
  read_vocabulary(reader, spec);
  read_added_tokens(reader, spec);
  check_unknown_token(spec);
  spec.single = read_template(reader, spec, 1);
  spec.pair = read_template(reader, spec, 2);
  require(reader.left() == 0, "bytes follow after their end");
  return spec;
}

}  // namespace linnet
