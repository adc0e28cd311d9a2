// Masking through linnet.h: threads that share a masker and a session, streams beside them, long hostile
// texts.
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "linnet.h"

namespace {

std::atomic<int> failures{0};

void require(bool condition, const char* what) {
  if (!condition) {
    std::fprintf(stderr, "%s: %s\n", what, linnet_last_error());
    ++failures;
  }
}

std::string text_of(const linnet_masked* masked) {
  linnet_text text = {};
  require(linnet_masked_text(masked, &text) == LINNET_OK, "text");
  return text.size == 0 ? std::string() : std::string(text.bytes, text.size);
}

std::string masked_by(const linnet_masker* masker, linnet_mask_session* session, const std::string& text) {
  linnet_masked* masked = nullptr;
  require(linnet_masker_mask(masker, session, {text.data(), text.size()}, nullptr, 0, LINNET_MASK_UTF8,
                             session == nullptr ? LINNET_MASK_BY_TYPE : LINNET_MASK_PSEUDONYM,
                             &masked) == LINNET_OK,
          "mask");
  const std::string result = text_of(masked);
  linnet_masked_free(masked);
  return result;
}

std::string unmasked_by(const linnet_mask_session* session, const std::string& text) {
  linnet_unmask_stream* stream = nullptr;
  require(linnet_unmask_stream_create(session, &stream) == LINNET_OK, "stream");
  std::string plain;
  linnet_text piece = {};
  for (const char& c : text) {
    require(linnet_unmask_stream_push(stream, {&c, 1}, &piece) == LINNET_OK, "push");
    plain.append(piece.size == 0 ? "" : piece.bytes, piece.size);
  }
  require(linnet_unmask_stream_finish(stream, &piece) == LINNET_OK, "finish");
  plain.append(piece.size == 0 ? "" : piece.bytes, piece.size);
  linnet_unmask_stream_free(stream);
  return plain;
}

void talk(const linnet_masker* masker, linnet_mask_session* session, int number) {
  for (int turn = 0; turn < 50; ++turn) {
    const std::string text =
        "user" + std::to_string((number + turn) % 20) + "@example.org [EMAIL_1] +49 30 901820";
    const std::string masked = masked_by(masker, session, text);
    require(masked.find("example") == std::string::npos, "a value is left");
    require(unmasked_by(session, masked) == text, "the text does not come back");
  }
}

void test_threads() {
  linnet_masker* masker = nullptr;
  linnet_mask_session* session = nullptr;
  require(linnet_masker_create(nullptr, 0, &masker) == LINNET_OK, "masker");
  require(linnet_mask_session_create(&session) == LINNET_OK, "session");
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back(talk, masker, session, number);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  require(linnet_mask_session_size(session) == 22, "number of pseudonyms");
  linnet_mask_session_free(session);
  linnet_masker_free(masker);
}

void test_long_texts() {
  linnet_masker* masker = nullptr;
  require(linnet_masker_create(nullptr, 0, &masker) == LINNET_OK, "masker");
  for (const char* unit : {"1", "@", ":", "12 ", "a@b.", "+1", "00:", "\xC3\xA9@", "\"@", "AB12 "}) {
    std::string text;
    while (text.size() < 300000) {
      text += unit;
    }
    masked_by(masker, nullptr, text);
  }
  linnet_masker_free(masker);
}

}  // namespace

int main() {
  test_threads();
  test_long_texts();
  return failures == 0 ? 0 : 1;
}
