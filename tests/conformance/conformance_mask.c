/* Cases of masking: what is found, the masked text, and the way back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance.h"

enum { kMostTypes = 8, kMostGiven = 8 };

static linnet_mask_mode mode_of(column name) {
  static const char* const names[] = {"type", "pseudonym", "redact", "redact_length"};
  int at = 0;
  while (at < 3 && !is(name, names[at])) {
    ++at;
  }
  return (linnet_mask_mode)at;
}

/* Cut a list at its spaces; the words are borrowed. */
static size_t words_of(column list, linnet_text* words, size_t most) {
  size_t count = 0;
  const char* const end = list.bytes + list.size;
  for (const char* at = list.bytes; at < end && count < most; ++count) {
    words[count].bytes = at;
    words[count].size = strcspn(at, " ");
    at += words[count].size + 1;
  }
  return count;
}

static size_t read_given(column list, linnet_mask_given* given) {
  linnet_text words[5 * kMostGiven];
  const size_t count = words_of(list, words, 5 * kMostGiven) / 5;
  for (size_t i = 0; i < count; ++i) {
    const linnet_text* row = words + 5 * i;
    given[i].type = row[0];
    given[i].place.start = strtoll(row[1].bytes, NULL, 10);
    given[i].place.end = strtoll(row[2].bytes, NULL, 10);
    given[i].score = strtod(row[3].bytes, NULL);
    given[i].source = (linnet_mask_source)strtol(row[4].bytes, NULL, 10);
  }
  return count;
}

static void check_stream(const linnet_mask_session* session, linnet_text masked, column text) {
  linnet_unmask_stream* stream = NULL;
  char* plain = malloc(text.size + 1);
  size_t size = 0;
  require(linnet_unmask_stream_create(session, &stream) == LINNET_OK, "stream");
  for (size_t i = 0; i <= masked.size; ++i) { /* bytes, which cut characters too; then the rest */
    const linnet_text piece = {masked.bytes + i, 1};
    linnet_text new = {NULL, 0};
    require((i < masked.size ? linnet_unmask_stream_push(stream, piece, &new)
                             : linnet_unmask_stream_finish(stream, &new)) == LINNET_OK,
            "push");
    if (size + new.size > text.size) {
      fail("streamed text is too long");
      break;
    }
    if (new.size > 0) {
      memcpy(plain + size, new.bytes, new.size);
      size += new.size;
    }
  }
  const linnet_text all = {plain, size};
  require(same(all, text), "streamed text");
  free(plain);
  linnet_unmask_stream_free(stream);
}

static void check_unmasked(const linnet_mask_session* session, linnet_text masked, column text) {
  linnet_masked* plain = NULL;
  linnet_text found = {NULL, 0};
  require(linnet_mask_session_unmask(session, masked, &plain) == LINNET_OK &&
              linnet_masked_text(plain, &found) == LINNET_OK && same(found, text),
          "unmasked text");
  linnet_masked_free(plain);
  check_stream(session, masked, text);
}

static void check_saved(const linnet_mask_session* session, linnet_text masked, column text) {
  static const char key[16] = "0123456789abcde";
  linnet_masked* saved = NULL;
  linnet_mask_session* loaded = NULL;
  linnet_text bytes = {NULL, 0};
  require(linnet_mask_session_save(session, key, sizeof key, &saved) == LINNET_OK &&
              linnet_masked_text(saved, &bytes) == LINNET_OK &&
              linnet_mask_session_load(key, sizeof key, bytes.bytes, bytes.size, &loaded) == LINNET_OK,
          "saved session");
  check_unmasked(loaded, masked, text);
  linnet_mask_session_free(loaded);
  linnet_masked_free(saved);
}

linnet_status run_mask(const column* c, linnet_answers** answers) {
  linnet_text types[kMostTypes];
  linnet_mask_given given[kMostGiven];
  const size_t type_count = words_of(c[1], types, kMostTypes);
  const size_t given_count = read_given(c[4], given);
  const linnet_mask_mode mode = mode_of(c[2]);
  linnet_masker* masker = NULL;
  linnet_mask_session* session = NULL;
  linnet_masked* masked = NULL;
  linnet_text found = {NULL, 0};
  linnet_status status = linnet_masker_create(types, type_count, &masker);
  if (status == LINNET_OK) {
    status = linnet_mask_session_create(&session);
  }
  if (status == LINNET_OK) {
    status =
        linnet_masker_mask(masker, session, c[3], given, given_count, LINNET_MASK_CODE_POINTS, mode, &masked);
  }
  if (status == LINNET_OK) {
    status = linnet_masked_text(masked, &found);
  }
  if (status == LINNET_OK) {
    require(same(found, c[5]), "masked text");
    if (mode == LINNET_MASK_PSEUDONYM) {
      check_unmasked(session, found, c[3]);
      check_saved(session, found, c[3]);
    }
    status = linnet_masker_find(masker, c[3], given, given_count, LINNET_MASK_CODE_POINTS, answers);
  }
  linnet_masked_free(masked);
  linnet_mask_session_free(session);
  linnet_masker_free(masker);
  return status;
}
