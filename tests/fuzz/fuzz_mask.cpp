// Masking: the first byte chooses the mode, the next ones places that something else found, four bytes each
// up to a 0; the rest is the text. What is found must lie inside, in order; a session must give back the
// text, at once and in pieces; damaged sessions must be refused.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "linnet.h"

namespace {

void require(bool condition) {
  if (!condition) {
    __builtin_trap();
  }
}

std::string text_of(const linnet_masked* masked) {
  linnet_text text = {};
  require(linnet_masked_text(masked, &text) == LINNET_OK);
  return std::string(text.size == 0 ? "" : text.bytes, text.size);
}

linnet_text view_of(const std::string& text) { return {text.data(), text.size()}; }

void check_findings(const linnet_masked* masked, const std::string& text) {
  const linnet_answers* answers = nullptr;
  require(linnet_masked_answers(masked, &answers) == LINNET_OK);
  std::int64_t last = 0;
  for (std::size_t i = 0; i < linnet_answers_count(answers); ++i) {
    linnet_answer answer = {};
    require(linnet_answers_get(answers, i, &answer) == LINNET_OK);
    require(answer.utf8.start >= last && answer.utf8.end > answer.utf8.start);
    require(text.compare(static_cast<std::size_t>(answer.utf8.start),
                         static_cast<std::size_t>(answer.utf8.end - answer.utf8.start), answer.text.bytes,
                         answer.text.size) == 0);
    last = answer.utf8.end;
  }
  require(last <= static_cast<std::int64_t>(text.size()));
}

void check_stream(const linnet_mask_session* session, const std::string& masked, const std::string& text,
                  std::size_t step) {
  linnet_unmask_stream* stream = nullptr;
  require(linnet_unmask_stream_create(session, &stream) == LINNET_OK);
  std::string plain;
  linnet_text piece = {};
  for (std::size_t at = 0; at < masked.size(); at += step) {
    const std::string next = masked.substr(at, step);
    require(linnet_unmask_stream_push(stream, view_of(next), &piece) == LINNET_OK);
    plain.append(piece.size == 0 ? "" : piece.bytes, piece.size);
  }
  require(linnet_unmask_stream_finish(stream, &piece) == LINNET_OK);
  plain.append(piece.size == 0 ? "" : piece.bytes, piece.size);
  require(plain == text);
  linnet_unmask_stream_free(stream);
}

void check_session(const linnet_mask_session* session, const std::string& masked, const std::string& text,
                   std::uint8_t number) {
  linnet_masked* plain = nullptr;
  require(linnet_mask_session_unmask(session, view_of(masked), &plain) == LINNET_OK);
  require(text_of(plain) == text);
  linnet_masked_free(plain);
  check_stream(session, masked, text, 1 + number % 7U);
  constexpr char kKey[] = "sixteen bytes !!";
  linnet_masked* saved = nullptr;
  require(linnet_mask_session_save(session, kKey, sizeof kKey, &saved) == LINNET_OK);
  std::string bytes = text_of(saved);
  linnet_masked_free(saved);
  linnet_mask_session* loaded = nullptr;
  require(linnet_mask_session_load(kKey, sizeof kKey, bytes.data(), bytes.size(), &loaded) == LINNET_OK);
  require(linnet_mask_session_size(loaded) == linnet_mask_session_size(session));
  linnet_mask_session_free(loaded);
  char& changed = bytes[number % bytes.size()];
  changed = static_cast<char>(static_cast<unsigned char>(changed) ^ 1U);
  require(linnet_mask_session_load(kKey, sizeof kKey, bytes.data(), bytes.size(), &loaded) ==
          LINNET_STATE_INVALID);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static linnet_masker* masker = nullptr;
  if (masker == nullptr) {
    require(linnet_masker_create(nullptr, 0, &masker) == LINNET_OK);
  }
  if (size < 2) {
    return 0;
  }
  std::vector<linnet_mask_given> given;
  std::size_t at = 1;
  for (; at + 4 < size && data[at] != 0 && given.size() < 8; at += 4) {
    given.push_back({{"PERSON", 6}, {data[at + 1], data[at + 2]}, data[at] / 255.0, LINNET_MASK_TAGGER});
  }
  at += at < size && data[at] == 0 ? 1 : 0;
  const std::string text(reinterpret_cast<const char*>(data) + at, size - at);
  linnet_mask_session* session = nullptr;
  linnet_masked* masked = nullptr;
  require(linnet_mask_session_create(&session) == LINNET_OK);
  const auto mode = static_cast<linnet_mask_mode>(data[0] % 4);
  const auto unit = static_cast<linnet_mask_unit>(data[0] / 4 % 3);
  if (linnet_masker_mask(masker, session, view_of(text), given.data(), given.size(), unit, mode, &masked) ==
      LINNET_OK) {
    check_findings(masked, text);
    if (mode == LINNET_MASK_PSEUDONYM) {
      check_session(session, text_of(masked), text, data[0]);
    }
    linnet_masked_free(masked);
  }
  linnet_mask_session_free(session);
  return 0;
}
