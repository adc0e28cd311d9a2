// The tokenizer through the C ABI, with a vocabulary of a few tokens and answers worked out by hand; then
// damaged tokenizer bytes and wild texts, which must give a status and never a crash. Meant to be run
// under AddressSanitizer and UndefinedBehaviorSanitizer too. Returns the number of failed checks.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../../../support/wordpiece.h"
#include "linnet.h"

namespace {

using namespace linnet_tests;

int failures = 0;

void check(bool condition, const std::string& what) {
  if (!condition) {
    ++failures;
    std::fprintf(stderr, "FAILED: %s (last error: %s)\n", what.c_str(), linnet_last_error());
  }
}

// ---- the C ABI in C++ clothes -----------------------------------------------------------------

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view bytes)
      : status_(linnet_tokenizer_create(bytes.data(), bytes.size(), &handle_)) {}
  explicit Tokenizer(const Spec& spec) : Tokenizer(wordpiece_bytes(spec)) {}
  ~Tokenizer() { linnet_tokenizer_free(handle_); }
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  linnet_status status() const { return status_; }
  const linnet_tokenizer* get() const { return handle_; }

 private:
  linnet_tokenizer* handle_ = nullptr;
  linnet_status status_;
};

using Ids = std::vector<std::int64_t>;

struct Result {
  linnet_status status = LINNET_OK;
  std::vector<Ids> ids;  // one per window
  std::vector<bool> truncated;
  Ids type_ids, sequence_ids, utf8, code_points, utf16;  // of the first window
};

Ids copy(const std::int64_t* values, std::size_t count) {
  return count == 0 ? Ids() : Ids(values, values + count);
}

Result encode(const Tokenizer& tokenizer, std::string_view text, const std::string_view* pair,
              const linnet_encode_options& options) {
  Result result;
  linnet_encoding* encoding = nullptr;
  result.status = linnet_tokenizer_encode(tokenizer.get(), text.data(), text.size(),
                                          pair == nullptr ? nullptr : pair->data(),
                                          pair == nullptr ? 0 : pair->size(), &options, &encoding);
  for (std::size_t i = 0; i < linnet_encoding_window_count(encoding); ++i) {
    linnet_encoding_view view;
    check(linnet_encoding_window(encoding, i, &view) == LINNET_OK, "a window can be read");
    result.ids.push_back(copy(view.ids, view.length));
    result.truncated.push_back(view.truncated != 0);
    if (i == 0) {
      result.type_ids = copy(view.type_ids, view.length);
      result.sequence_ids = Ids(view.sequence_ids, view.sequence_ids + view.length);
      result.utf8 = copy(view.offsets_utf8, 2 * view.length);
      result.code_points = copy(view.offsets_code_points, 2 * view.length);
      result.utf16 = copy(view.offsets_utf16, 2 * view.length);
    }
  }
  linnet_encoding_free(encoding);
  return result;
}

constexpr linnet_encode_options kPlain = {0, LINNET_TRUNCATE_LONGEST_FIRST, -1, 0};

Result encode(const Tokenizer& tokenizer, std::string_view text,
              const linnet_encode_options& options = kPlain) {
  return encode(tokenizer, text, nullptr, options);
}

Result encode_pair(const Tokenizer& tokenizer, std::string_view first, std::string_view second,
                   const linnet_encode_options& options) {
  return encode(tokenizer, first, &second, options);
}

std::string repeat(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out += text;
  }
  return out;
}

// ---- cases by hand ----------------------------------------------------------------------------

void test_words() {
  const Tokenizer tokenizer{Spec{}};
  check(tokenizer.status() == LINNET_OK, "the bytes parse");
  check(linnet_tokenizer_vocab_size(tokenizer.get()) == 18, "vocabulary size");

  Result result = encode(tokenizer, "UNaffable, hello");
  check(result.ids == std::vector<Ids>{{5, 6, 7, 9, 8}}, "un ##aff ##able , hello");
  check(result.utf8 == Ids{0, 2, 2, 5, 5, 9, 9, 10, 11, 16}, "offsets of words");
  check(result.utf16 == result.utf8 && result.code_points == result.utf8, "ASCII: one kind of offsets");

  check(encode(tokenizer, "unx a").ids == std::vector<Ids>{{1, 12}}, "a word with a missing end is unknown");
  check(encode(tokenizer, "ab" + repeat("b", 8)).ids[0].size() == 10, "ten characters are tried");
  result = encode(tokenizer, "ab" + repeat("b", 9) + " a");
  check(result.ids == std::vector<Ids>{{1, 12}}, "eleven are the unknown token");
  check(result.utf8 == Ids{0, 11, 12, 13}, "the span of a long word");
  check(encode(tokenizer, "").ids == std::vector<Ids>{{}}, "no text, no token");
  check(encode(tokenizer, " \t\n").ids == std::vector<Ids>{{}}, "white space has no token");
}

void test_normalization() {
  const Tokenizer tokenizer{Spec{}};
  // U+00C9, e with U+0301 behind, a NUL inside a word, U+4E2D between letters.
  Result result = encode(tokenizer, "\xC3\x89 e\xCC\x81");
  check(result.ids == std::vector<Ids>{{10, 10}}, "accents go");
  check(result.utf8 == Ids{0, 2, 3, 4}, "a composed character keeps its bytes, a lone accent none");
  check(result.code_points == Ids{0, 1, 2, 3}, "the same in code points");
  result = encode(tokenizer, std::string_view("a\0b", 3));
  check(result.ids == std::vector<Ids>{{12, 13}} && result.utf8 == Ids{0, 1, 2, 3}, "NUL is dropped");
  result = encode(tokenizer,
                  "a\xE4\xB8\xAD"
                  "b");
  check(result.ids == std::vector<Ids>{{12, 11, 14}} && result.utf8 == Ids{0, 1, 1, 4, 4, 5},
        "a CJK character stands alone");

  Spec cased;
  cased.flags = kClean;
  const Tokenizer plain{cased};
  check(encode(plain, "A \xC3\xA9 a").ids == std::vector<Ids>{{1, 1, 12}},
        "cased: A and e acute are unknown");
  check(encode(plain, "a\xE4\xB8\xAD").ids == std::vector<Ids>{{1}}, "no spaces around CJK");
}

void test_offsets() {
  const Tokenizer tokenizer{Spec{}};
  // U+1F600: four bytes, one code point, two UTF-16 units.
  const Result result = encode(tokenizer, "\xF0\x9F\x98\x80 hello");
  check(result.ids == std::vector<Ids>{{1, 8}}, "an emoji is a word");
  check(result.utf8 == Ids{0, 4, 5, 10}, "offsets in UTF-8");
  check(result.code_points == Ids{0, 1, 2, 7}, "offsets in code points");
  check(result.utf16 == Ids{0, 2, 3, 8}, "offsets in UTF-16");
}

void test_added_tokens() {
  const Tokenizer tokenizer{Spec{}};
  Result result = encode(tokenizer, "a  [MASK]b[mask]");
  check(result.ids == std::vector<Ids>{{12, 4, 14, 1, 1, 1}}, "[MASK] is found as it is written");
  check(result.utf8 == Ids{0, 1, 1, 9, 9, 10, 10, 11, 11, 15, 15, 16}, "lstrip takes the spaces");
  result = encode(tokenizer, "NEW York, new yorka");
  check(result.ids == std::vector<Ids>{{16, 9, 1, 1}}, "a normalized token, and not inside a word");
  check(result.utf8 == Ids{0, 8, 8, 9, 10, 13, 14, 19}, "its offsets are of the original");
}

void test_templates() {
  const Tokenizer tokenizer{Spec{}};
  linnet_encode_options options = kPlain;
  options.add_special_tokens = 1;
  Result result = encode(tokenizer, "a", options);
  check(result.ids == std::vector<Ids>{{2, 12, 3}} && result.sequence_ids == Ids{-1, 0, -1}, "one text");
  check(result.utf8 == Ids{0, 0, 0, 1, 0, 0}, "special tokens have no place");
  result = encode_pair(tokenizer, "a", "b c", options);
  check(result.ids == std::vector<Ids>{{2, 12, 3, 14, 15, 3}}, "two texts");
  check(result.type_ids == Ids{0, 0, 0, 1, 1, 1}, "type ids of the template");
  check(result.sequence_ids == Ids{-1, 0, -1, 1, 1, -1}, "sequence ids");
}

void test_truncation() {
  const Tokenizer tokenizer{Spec{}};
  const auto lengths = [&](std::size_t first, std::size_t second, std::int32_t room) {
    const linnet_encode_options options = {room, LINNET_TRUNCATE_LONGEST_FIRST, -1, 0};
    const Result result = encode_pair(tokenizer, repeat("a ", first), repeat("b ", second), options);
    std::pair<int, int> counts = {0, 0};
    for (const std::int64_t sequence : result.sequence_ids) {
      ++(sequence == 0 ? counts.first : counts.second);
    }
    return counts;
  };
  using Counts = std::pair<int, int>;
  check(lengths(2, 3, 5) == Counts{2, 3}, "what fits stays");
  check(lengths(2, 9, 7) == Counts{2, 5}, "a short first text stays whole");
  check(lengths(9, 3, 7) == Counts{4, 3}, "a short second text stays whole");
  check(lengths(9, 9, 6) == Counts{3, 3}, "halves");
  check(lengths(9, 9, 7) == Counts{3, 4}, "equal texts: the second gets the odd token");
  check(lengths(10, 9, 7) == Counts{4, 3}, "the longer text gets the odd token");
  check(lengths(5000, 4999, 7) == Counts{4, 3}, "however long they are");
  check(lengths(4999, 5000, 7) == Counts{3, 4}, "either way");

  check(encode(tokenizer, "a b c", {3, LINNET_TRUNCATE_NEVER, -1, 0}).status == LINNET_OK, "it fits");
  check(encode(tokenizer, "a b c", {2, LINNET_TRUNCATE_NEVER, -1, 0}).status == LINNET_TEXT_TOO_LONG,
        "it does not fit");
  check(encode(tokenizer, "a b c", {2, LINNET_TRUNCATE_ONLY_SECOND, -1, 0}).status == LINNET_TEXT_TOO_LONG,
        "there is no second text");
  check(encode(tokenizer, "a b c", {3, LINNET_TRUNCATE_LONGEST_FIRST, -1, 0}).truncated[0] == false,
        "nothing was left out");
  check(encode(tokenizer, "a b c", {2, LINNET_TRUNCATE_LONGEST_FIRST, -1, 0}).truncated[0] == true,
        "something was");
}

void test_windows() {
  const Tokenizer tokenizer{Spec{}};
  // Room for 8 - 3 special tokens - 1 of the first text = 4; each window goes on 4 - 1 = 3 tokens.
  const linnet_encode_options options = {8, LINNET_TRUNCATE_ONLY_SECOND, 1, 1};
  Result result = encode_pair(tokenizer, "a", "b c a b c a b", options);
  check(result.ids == std::vector<Ids>{{2, 12, 3, 14, 15, 12, 14, 3}, {2, 12, 3, 14, 15, 12, 14, 3}},
        "two windows that share a token");
  check(result.truncated == std::vector<bool>{false, false}, "together they hold everything");
  check(encode_pair(tokenizer, "a", "b c", options).ids.size() == 1, "a short text has one window");
  result = encode_pair(tokenizer, "a", "b c a b c", {8, LINNET_TRUNCATE_ONLY_SECOND, -1, 1});
  check(result.ids.size() == 1 && result.truncated[0], "without stride the rest is lost, and said so");
  check(encode_pair(tokenizer, "a", "b c a b c", {8, LINNET_TRUNCATE_ONLY_SECOND, 4, 1}).status ==
            LINNET_INVALID_ARGUMENT,
        "a stride as large as the window");
  check(encode_pair(tokenizer, "a b c a b", "b", {8, LINNET_TRUNCATE_ONLY_SECOND, 1, 1}).status ==
            LINNET_TEXT_TOO_LONG,
        "no token left for the second text");
}

void test_arguments() {
  const Tokenizer tokenizer{Spec{}};
  const auto status = [&](linnet_encode_options options) { return encode(tokenizer, "a", options).status; };
  check(status({-1, LINNET_TRUNCATE_NEVER, -1, 0}) == LINNET_INVALID_ARGUMENT, "negative max_length");
  check(status({0, LINNET_TRUNCATE_NEVER, -2, 0}) == LINNET_INVALID_ARGUMENT, "stride below -1");
  check(status({0, LINNET_TRUNCATE_NEVER, -1, 2}) == LINNET_INVALID_ARGUMENT, "add_special_tokens 2");
  check(status({1, LINNET_TRUNCATE_LONGEST_FIRST, -1, 1}) == LINNET_INVALID_ARGUMENT,
        "no room for the special tokens");
  check(status({2, LINNET_TRUNCATE_LONGEST_FIRST, -1, 1}) == LINNET_OK, "room for nothing else");

  const char* token = nullptr;
  std::size_t size = 0;
  check(linnet_tokenizer_token(tokenizer.get(), 8, &token, &size) == LINNET_OK &&
            std::string_view(token, size) == "hello",
        "token of an id");
  check(linnet_tokenizer_token(tokenizer.get(), 18, &token, &size) == LINNET_INPUT_OUT_OF_RANGE, "id above");
  check(linnet_tokenizer_token(tokenizer.get(), -1, &token, &size) == LINNET_INPUT_OUT_OF_RANGE, "id below");

  linnet_tokenizer* none = nullptr;
  check(linnet_tokenizer_create(nullptr, 5, &none) == LINNET_INVALID_ARGUMENT, "bytes NULL");
  check(linnet_tokenizer_create("x", 1, nullptr) == LINNET_INVALID_ARGUMENT, "out parameter NULL");
  linnet_encoding* encoding = nullptr;
  check(linnet_tokenizer_encode(nullptr, "a", 1, nullptr, 0, &kPlain, &encoding) == LINNET_INVALID_ARGUMENT,
        "tokenizer NULL");
  check(linnet_tokenizer_encode(tokenizer.get(), nullptr, 1, nullptr, 0, &kPlain, &encoding) ==
            LINNET_INVALID_ARGUMENT,
        "text NULL");
  linnet_encoding_view view;
  check(linnet_encoding_window(nullptr, 0, &view) == LINNET_INVALID_ARGUMENT, "encoding NULL");
  check(linnet_encoding_window_count(nullptr) == 0 && linnet_tokenizer_vocab_size(nullptr) == 0,
        "NULL counts 0");
  linnet_encoding_free(nullptr);
  linnet_tokenizer_free(nullptr);
}

// ---- bad texts and bad bytes --------------------------------------------------------------------

void test_invalid_utf8() {
  const Tokenizer tokenizer{Spec{}};
  const std::vector<std::pair<std::string, std::string>> cases = {{"a\xFF", "byte 1"},
                                                                  {"\x80", "byte 0"},
                                                                  {"ab\xC3", "byte 2"},
                                                                  {"\xC0\x80", "byte 0"},
                                                                  {"a\xE0\x80\x80", "byte 1"},
                                                                  {"\xED\xA0\x80", "byte 0"},
                                                                  {"\xF4\x90\x80\x80", "byte 0"},
                                                                  {"\xC3\xA9\xE4\xB8", "byte 2"},
                                                                  {"[MASK]\xFE", "byte 6"}};
  for (const auto& [text, place] : cases) {
    check(encode(tokenizer, text).status == LINNET_INVALID_UTF8, "not UTF-8, " + place);
    check(std::string_view(linnet_last_error()).find(place) != std::string_view::npos, "tells " + place);
    check(encode_pair(tokenizer, "a", text, kPlain).status == LINNET_INVALID_UTF8, "in the second text");
  }
}

// A wrong byte shows how far a text is read: it fails exactly if it is looked at.
void test_reading_stops() {
  const Tokenizer tokenizer{Spec{}};
  constexpr std::size_t kTokens = 126;
  constexpr std::size_t kBlock = 1024;  // as far as the search for added tokens may run ahead
  const std::string words = repeat("ab a ", 2'000'000);  // three tokens in five bytes, 10 MB in all
  const auto status = [&](std::size_t wrong, linnet_truncation truncation, std::int32_t stride) {
    std::string text = words;
    text[wrong] = '\xFF';
    const std::string_view second = text;
    const linnet_encode_options options = {128, truncation, stride, 1};
    return truncation == LINNET_TRUNCATE_ONLY_SECOND ? encode(tokenizer, "a", &second, options).status
                                                     : encode(tokenizer, text, options).status;
  };
  const std::size_t read = kTokens * 5 / 3 + kBlock + 16;
  for (const linnet_truncation truncation : {LINNET_TRUNCATE_LONGEST_FIRST, LINNET_TRUNCATE_ONLY_SECOND}) {
    check(status(100, truncation, -1) == LINNET_INVALID_UTF8, "a byte that is read is checked");
    check(status(read, truncation, -1) == LINNET_OK, "a byte behind the last token is not read");
  }
  check(status(read, LINNET_TRUNCATE_NEVER, -1) == LINNET_TEXT_TOO_LONG, "too long is known early");
  check(status(words.size() - 1, LINNET_TRUNCATE_ONLY_SECOND, 5) == LINNET_INVALID_UTF8,
        "windows read everything");

  std::string damaged = words;
  damaged[2 * read] = '\xFF';
  const linnet_encode_options even = {127, LINNET_TRUNCATE_LONGEST_FIRST, -1, 1};
  check(encode_pair(tokenizer, damaged, damaged, even).status == LINNET_OK,
        "pairs with an even room stop too");
  const linnet_encode_options odd = {128, LINNET_TRUNCATE_LONGEST_FIRST, -1, 1};
  check(encode_pair(tokenizer, damaged, "a b c", odd).status == LINNET_OK, "and beside a short text");
}

class Random {
 public:
  // xorshift64 (Marsaglia 2003): the same numbers everywhere.
  std::size_t below(std::size_t bound) {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 7U;
    state_ ^= state_ << 17U;
    return static_cast<std::size_t>(state_ % bound);
  }

 private:
  std::uint64_t state_ = 0x9E3779B97F4A7C15ULL;
};

std::string random_text(Random& random) {
  static const std::vector<std::string> parts = {"a",
                                                 " ",
                                                 "[MASK]",
                                                 "new york",
                                                 "hello",
                                                 "\xCC\x81",
                                                 "\xCC\xA3",
                                                 "\xE4\xB8\xAD",
                                                 "\xC3\x89",
                                                 "\xEA\xB0\x81",
                                                 "\xF0\x9F\x98\x80",
                                                 ",",
                                                 "new ",
                                                 "[",
                                                 "\xE1\xBD\xB2",
                                                 "abbbbbbbbbbbbb"};
  std::string text;
  const std::size_t count = random.below(12);
  for (std::size_t i = 0; i < count; ++i) {
    if (random.below(20) == 0) {
      text.push_back(static_cast<char>(random.below(256)));
    } else {
      text += parts[random.below(parts.size())];
    }
  }
  return text;
}

void encode_random(const Tokenizer& tokenizer, Random& random) {
  const std::string text = random_text(random);
  const std::string pair = random_text(random);
  const std::string_view second = pair;
  linnet_encode_options options = {static_cast<std::int32_t>(random.below(20)), LINNET_TRUNCATE_LONGEST_FIRST,
                                   static_cast<std::int32_t>(random.below(6)) - 1,
                                   static_cast<std::int32_t>(random.below(2))};
  options.truncation = static_cast<linnet_truncation>(random.below(3));
  const Result result = encode(tokenizer, text, random.below(2) == 0 ? nullptr : &second, options);
  check(result.status == LINNET_OK || result.status == LINNET_INVALID_UTF8 ||
            result.status == LINNET_TEXT_TOO_LONG || result.status == LINNET_INVALID_ARGUMENT,
        "a random text gives an answer or a named error");
  for (const Ids& ids : result.ids) {
    check(options.max_length == 0 || ids.size() <= static_cast<std::size_t>(options.max_length),
          "no window is longer than max_length");
  }
}

void test_random_texts() {
  Random random;
  for (std::uint32_t flags = 0; flags <= kUncased; ++flags) {
    Spec spec;
    spec.flags = flags;
    spec.added.push_back({15, kNormalized | kRstrip | kLstrip | kInVocabulary});
    const Tokenizer tokenizer{spec};
    check(tokenizer.status() == LINNET_OK, "every combination of normalizer steps parses");
    for (int i = 0; i < 2000; ++i) {
      encode_random(tokenizer, random);
    }
  }
}

void test_refused_bytes() {
  const auto refused = [](const Spec& spec, const char* what) {
    check(Tokenizer(spec).status() == LINNET_TOKENIZER_INVALID, what);
  };
  Spec spec;
  spec.flags = 16;
  refused(spec, "unknown normalizer flags");
  spec = Spec{};
  spec.unknown_id = 18;
  refused(spec, "unknown id above the vocabulary");
  spec = Spec{};
  spec.unknown_id = 16;
  refused(spec, "unknown token outside the WordPiece vocabulary");
  spec = Spec{};
  spec.tokens[15] = "b";
  refused(spec, "a token twice");
  spec = Spec{};
  spec.tokens[15] = "\xC3";
  refused(spec, "a token that is not UTF-8");
  spec = Spec{};
  spec.added.push_back({4, kSpecial | kInVocabulary});
  refused(spec, "an added token twice");
  spec = Spec{};
  spec.added[0].flags = 64;
  refused(spec, "unknown flags of an added token");
  spec = Spec{};
  spec.single = {{2, 0, 2}};
  refused(spec, "a template without text");
  spec = Spec{};
  spec.single.push_back({1, 0, 0});
  refused(spec, "a template for one text with a second");
  spec = Spec{};
  spec.pair.push_back({2, 0, 18});
  refused(spec, "a template with an id above the vocabulary");
  spec = Spec{};
  spec.pair.push_back({3, 0, 0});
  refused(spec, "a template piece of an unknown kind");
  spec = Spec{};
  spec.tokens.emplace_back("\xCC\x81");
  spec.added.push_back({18, kNormalized});
  refused(spec, "an added token that is nothing but an accent");
}

void test_damaged_bytes() {
  const std::string good = wordpiece_bytes(Spec{});
  for (std::size_t size = 0; size < good.size(); ++size) {
    const std::vector<char> cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    check(Tokenizer(std::string_view(cut.data(), cut.size())).status() == LINNET_TOKENIZER_INVALID,
          "bytes cut at " + std::to_string(size));
  }
  check(Tokenizer(good + '\0').status() == LINNET_TOKENIZER_INVALID, "a byte too many");

  Random random;
  int accepted = 0;
  constexpr int kRounds = 30000;
  for (int round = 0; round < kRounds; ++round) {
    std::string damaged = good;
    for (std::size_t changes = 1 + random.below(3); changes > 0; --changes) {
      damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    }
    const Tokenizer tokenizer{damaged};
    if (tokenizer.status() == LINNET_OK) {
      ++accepted;
      encode_random(tokenizer, random);
    } else {
      check(tokenizer.status() == LINNET_TOKENIZER_INVALID, "damaged bytes are refused by name");
    }
  }
  check(accepted > 0 && accepted < kRounds, "some damage is harmless, most is not");
}

}  // namespace

int main() {
  test_words();
  test_normalization();
  test_offsets();
  test_added_tokens();
  test_templates();
  test_truncation();
  test_windows();
  test_arguments();
  test_invalid_utf8();
  test_reading_stops();
  test_random_texts();
  test_refused_bytes();
  test_damaged_bytes();
  std::printf("%d failed checks\n", failures);
  return failures == 0 ? 0 : 1;
}
