/* The first client of linnet.h: plain C11, every function, every kind of misuse that must be an error.
 *
 *   c_api_test TOY.pte
 *
 * prints the failed expectations and returns their number (at most 1 as an exit status). */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linnet.h"

static int failures = 0;

#define EXPECT(condition)                                                                       \
  do {                                                                                          \
    if (!(condition)) {                                                                         \
      ++failures;                                                                               \
      fprintf(stderr, "%s:%d: not true: %s (last error: %s)\n", __FILE__, __LINE__, #condition, \
              linnet_last_error());                                                             \
    }                                                                                           \
  } while (0)

#define EXPECT_STATUS(call, status) EXPECT((call) == (status))

enum { TOKENS = 5, LABELS = 3, WORKERS = 4, RUNS = 50 };

static void fill(linnet_tensor inputs[2], int64_t* ids, int64_t* types, int64_t tokens) {
  for (int64_t i = 0; i < tokens; ++i) {
    ids[i] = 2 + i % 9;
    types[i] = i % 2;
  }
  const linnet_tensor made = {LINNET_INT64, 2, {1, tokens, 0, 0}, ids};
  inputs[0] = made;
  inputs[1] = made;
  inputs[1].data = types;
}

static void test_versions(void) {
  EXPECT(linnet_abi_version() == LINNET_ABI_VERSION);
  EXPECT(strcmp(linnet_status_name(LINNET_FILE_TRUNCATED), "LINNET_FILE_TRUNCATED") == 0);
  EXPECT(strcmp(linnet_status_name(12345), "LINNET_UNKNOWN") == 0);
  EXPECT(strcmp(linnet_last_error(), "") == 0);
  EXPECT(linnet_last_executorch_error() == 0);
  EXPECT(strstr(linnet_runtime_info(), "backends=XnnpackBackend") != NULL);
  EXPECT(strstr(linnet_runtime_info(), "threads=0") != NULL);
}

static void test_null_arguments(void) {
  linnet_model* model = NULL;
  EXPECT_STATUS(linnet_model_open(NULL, NULL, &model), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_model_open("x.pte", NULL, NULL), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_model_open_bytes(NULL, 0, NULL, &model), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_model_open_bytes("", 0, NULL, &model), LINNET_NOT_A_PROGRAM);
  EXPECT_STATUS(linnet_model_open("/nowhere/x.pte", NULL, &model), LINNET_FILE_NOT_FOUND);
  EXPECT(strstr(linnet_last_error(), "/nowhere/x.pte") != NULL);
  /* what a terminal would obey is shown as an escape, other text as it is */
  EXPECT_STATUS(linnet_model_open("/nowhere/\x1b[2J\r\xc2\x9b\x7f\xc3\xbc", NULL, &model),
                LINNET_FILE_NOT_FOUND);
  EXPECT(strstr(linnet_last_error(), "/nowhere/\\u001b[2J\\u000d\\u009b\\u007f\xc3\xbc") != NULL);
  EXPECT(model == NULL);
  EXPECT_STATUS(linnet_model_value(NULL, "task", NULL), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_model_evidence(NULL, NULL, NULL), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_model_tokenizer(NULL, NULL), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_model_run(NULL, "forward", NULL, 0, NULL), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_outputs_tensor(NULL, 0, NULL), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_file_verify(NULL), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_tokenizer_create(NULL, 0, NULL), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_model_set_profiling(NULL, 1), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_model_set_fused(NULL, LINNET_FUSED_NEVER), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_model_set_activation_bits(NULL, 8), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_model_activation_bits(NULL, NULL), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_stats_start(NULL, "m"), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_stats_stop(NULL), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_stats_json(NULL, NULL, 0, NULL), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_model_profile(NULL, NULL), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_profile_event(NULL, 0, NULL), LINNET_INVALID_ARGUMENT);
  EXPECT(linnet_profile_count(NULL) == 0);
  EXPECT(linnet_outputs_count(NULL) == 0);
  EXPECT(strcmp(linnet_model_fields(NULL), "") == 0);
  EXPECT(strcmp(linnet_model_methods(NULL), "") == 0);
  EXPECT_STATUS(linnet_tokenizer_prefix(NULL, NULL), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_tokenizer_token_flags(NULL, 0, NULL), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_rank(NULL, NULL, (linnet_text){NULL, 0}, NULL, 0, 1, 0, NULL),
                LINNET_INVALID_ARGUMENT);
  linnet_model_free(NULL);
  linnet_outputs_free(NULL);
  linnet_tokenizer_free(NULL);
  linnet_encoding_free(NULL);
  linnet_profile_free(NULL);
}

/* Classify a text, whose answers nobody reads. */
static linnet_status classified(const linnet_task* task, const linnet_engine* engine, const char* text,
                                int32_t truncate) {
  linnet_answers* answers = NULL;
  const linnet_status status = linnet_classify(task, engine, (linnet_text){text, strlen(text)},
                                               (linnet_text){NULL, 0}, truncate, NULL, &answers);
  linnet_answers_free(answers);
  return status;
}

static void test_stats(linnet_model* model) {
  static char json[1 << 16];
  size_t size = 0;
  const linnet_task* task = NULL;
  linnet_engine engine;
  EXPECT_STATUS(linnet_model_task(model, &task), LINNET_OK);
  EXPECT_STATUS(linnet_model_engine(model, &engine), LINNET_OK);
  EXPECT_STATUS(linnet_stats_json(task, json, sizeof json, &size), LINNET_INVALID_ARGUMENT);
  const char* wrong[] = {"", "a text", "-m", "\xc3\xbc",
                         "0123456789012345678901234567890123456789012345678901234567890123x"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; ++i) {
    EXPECT_STATUS(linnet_stats_start(task, wrong[i]), LINNET_INVALID_ARGUMENT);
  }
  EXPECT_STATUS(linnet_stats_start(task, "toy/1.0"), LINNET_OK);
  EXPECT_STATUS(classified(task, &engine, "a secret", 1), LINNET_OK);
  EXPECT_STATUS(classified(task, &engine, "a a a a a a a a a a a a a a a a a a a a a a a a a a a a", 0),
                LINNET_TEXT_TOO_LONG);
  EXPECT_STATUS(linnet_stats_stop(task), LINNET_OK);
  EXPECT_STATUS(classified(task, &engine, "a", 1), LINNET_OK);
  EXPECT_STATUS(linnet_stats_json(task, NULL, 0, &size), LINNET_INVALID_ARGUMENT);
  const size_t needed = size;
  EXPECT_STATUS(linnet_stats_json(task, json, sizeof json - 1, &size), LINNET_OK);
  EXPECT(size == needed);
  json[size] = '\0';
  EXPECT(strstr(json, "\"inferences\":[{\"labels\":{\"model\":\"toy/1.0\"},\"value\":1}]") != NULL);
  EXPECT(strstr(json, "\"error\":\"text_too_long\"},\"value\":1}") != NULL);
  EXPECT(strstr(json, "secret") == NULL);
  EXPECT_STATUS(linnet_stats_start(task, "again"), LINNET_OK);
  EXPECT_STATUS(linnet_stats_json(task, json, sizeof json - 1, &size), LINNET_OK);
  json[size] = '\0';
  EXPECT(strstr(json, "\"inferences\":[{\"labels\":{\"model\":\"again\"},\"value\":0}]") != NULL);
  EXPECT_STATUS(linnet_stats_stop(task), LINNET_OK);
}

static void test_fields(const linnet_model* model) {
  linnet_value value;
  EXPECT_STATUS(linnet_model_value(model, "max_length", &value), LINNET_OK);
  EXPECT(value.type == LINNET_INT && value.integer == 24);
  EXPECT_STATUS(linnet_model_value(model, "normalized", &value), LINNET_OK);
  EXPECT(value.type == LINNET_BOOL && value.integer == 0);
  EXPECT_STATUS(linnet_model_value(model, "task", &value), LINNET_OK);
  EXPECT(value.type == LINNET_STRING && value.size == strlen("text-classification"));
  EXPECT_STATUS(linnet_model_value(model, "tokenizer", &value), LINNET_OK);
  EXPECT(value.type == LINNET_BYTES && memcmp(value.bytes, "LNWORDPC", 8) == 0);
  EXPECT_STATUS(linnet_model_value(model, "nothing", &value), LINNET_UNKNOWN_FIELD);
  EXPECT(value.type == LINNET_BYTES); /* written on success only */
  EXPECT(strstr(linnet_model_fields(model), "schema_version\n") != NULL);
  EXPECT(strncmp(linnet_model_methods(model), "forward", 7) == 0);
  EXPECT(strstr(linnet_model_methods(model), "schema_version") == NULL);
  const char* json = NULL;
  size_t size = 0;
  EXPECT_STATUS(linnet_model_evidence(model, &json, &size), LINNET_OK);
  EXPECT(size > 2 && json[0] == '{' && json[size - 1] == '}');
}

static void test_tokenizer(const linnet_model* model) {
  const linnet_tokenizer* tokenizer = NULL;
  EXPECT_STATUS(linnet_model_tokenizer(model, &tokenizer), LINNET_OK);
  const linnet_tokenizer* again = NULL;
  EXPECT_STATUS(linnet_model_tokenizer(model, &again), LINNET_OK);
  EXPECT(tokenizer == again);
  EXPECT(linnet_tokenizer_vocab_size(tokenizer) == 12);
  linnet_text prefix;
  EXPECT_STATUS(linnet_tokenizer_prefix(tokenizer, &prefix), LINNET_OK);
  EXPECT(prefix.size == 2 && memcmp(prefix.bytes, "##", 2) == 0);
  int32_t flags = -1;
  EXPECT_STATUS(linnet_tokenizer_token_flags(tokenizer, 2, &flags), LINNET_OK);
  EXPECT(flags == (LINNET_TOKEN_SPECIAL | LINNET_TOKEN_ADDED));
  EXPECT_STATUS(linnet_tokenizer_token_flags(tokenizer, 5, &flags), LINNET_OK);
  EXPECT(flags == 0);
  EXPECT_STATUS(linnet_tokenizer_token_flags(tokenizer, 12, &flags), LINNET_INPUT_OUT_OF_RANGE);

  const linnet_encode_options options = {0, LINNET_TRUNCATE_LONGEST_FIRST, -1, 1};
  linnet_encoding* encoding = NULL;
  EXPECT_STATUS(linnet_tokenizer_encode(tokenizer, "turn up", 7, "down", 4, &options, &encoding), LINNET_OK);
  EXPECT(linnet_encoding_window_count(encoding) == 1);
  linnet_encoding_view view;
  EXPECT_STATUS(linnet_encoding_window(encoding, 0, &view), LINNET_OK);
  const int64_t wanted[] = {2, 5, 6, 3, 7, 3};
  EXPECT(view.length == 6 && memcmp(view.ids, wanted, sizeof wanted) == 0);
  EXPECT(view.offsets_utf8[2] == 0 && view.offsets_utf8[3] == 4 && view.type_ids[4] == 1);
  EXPECT(linnet_encoding_window(encoding, 1, &view) != LINNET_OK);
  linnet_encoding_free(encoding);
  encoding = NULL;
  EXPECT_STATUS(linnet_tokenizer_encode(tokenizer, "a\xffz", 3, NULL, 0, &options, &encoding),
                LINNET_INVALID_UTF8);
  EXPECT(encoding == NULL);
}

static void test_runs(linnet_model* model) {
  int64_t ids[TOKENS];
  int64_t types[TOKENS];
  linnet_tensor inputs[2];
  fill(inputs, ids, types, TOKENS);
  linnet_outputs* outputs = NULL;
  EXPECT_STATUS(linnet_model_run(model, "forward", inputs, 2, &outputs), LINNET_OK);
  EXPECT(linnet_outputs_count(outputs) == 1);
  linnet_tensor logits;
  EXPECT_STATUS(linnet_outputs_tensor(outputs, 0, &logits), LINNET_OK);
  EXPECT(logits.dtype == LINNET_FLOAT32 && logits.rank == 2 && logits.shape[0] == 1 &&
         logits.shape[1] == LABELS);
  EXPECT(isfinite(((const float*)logits.data)[0]));
  EXPECT_STATUS(linnet_outputs_tensor(outputs, 1, &logits), LINNET_INVALID_ARGUMENT);
  linnet_outputs_free(outputs);
  outputs = NULL;

  EXPECT_STATUS(linnet_model_run(model, "backward", inputs, 2, &outputs), LINNET_UNKNOWN_METHOD);
  EXPECT_STATUS(linnet_model_run(model, "forward", inputs, 1, &outputs), LINNET_INPUT_SHAPE);
  EXPECT_STATUS(linnet_model_run(model, "forward", NULL, 2, &outputs), LINNET_INVALID_ARGUMENT);
  linnet_tensor bad[2];
  memcpy(bad, inputs, sizeof bad);
  bad[1].data = NULL;
  EXPECT_STATUS(linnet_model_run(model, "forward", bad, 2, &outputs), LINNET_INVALID_ARGUMENT);
  bad[1].data = types;
  bad[1].dtype = LINNET_INT32;
  EXPECT_STATUS(linnet_model_run(model, "forward", bad, 2, &outputs), LINNET_INPUT_SHAPE);
  bad[1].dtype = LINNET_INT64;
  bad[1].rank = 1000000;
  EXPECT_STATUS(linnet_model_run(model, "forward", bad, 2, &outputs), LINNET_INPUT_SHAPE);
  bad[1].rank = -1;
  EXPECT_STATUS(linnet_model_run(model, "forward", bad, 2, &outputs), LINNET_INPUT_SHAPE);
  bad[1].rank = 2;
  bad[0].shape[1] = bad[1].shape[1] = INT64_MAX;
  EXPECT_STATUS(linnet_model_run(model, "forward", bad, 2, &outputs), LINNET_INPUT_SHAPE);
  ids[3] = 32;
  EXPECT_STATUS(linnet_model_run(model, "forward", inputs, 2, &outputs), LINNET_INPUT_OUT_OF_RANGE);
  EXPECT(strstr(linnet_last_error(), "32") != NULL);
  EXPECT(outputs == NULL);
  ids[3] = 31;
  EXPECT_STATUS(linnet_model_run(model, "forward", inputs, 2, &outputs), LINNET_OK);
  linnet_outputs_free(outputs);
}

static void test_thread_count(const char* path) {
  linnet_model* other = NULL;
  const linnet_open_options two = {2};
  EXPECT_STATUS(linnet_model_open(path, &two, &other), LINNET_THREADS_FIXED);
  const linnet_open_options any = {0};
  EXPECT_STATUS(linnet_model_open(path, &any, &other), LINNET_OK);
  linnet_model_free(other);
}

static void* work(void* shared) {
  int64_t ids[TOKENS];
  int64_t types[TOKENS];
  linnet_tensor inputs[2];
  fill(inputs, ids, types, TOKENS);
  intptr_t wrong = 0;
  for (int i = 0; i < RUNS; ++i) {
    linnet_outputs* outputs = NULL;
    wrong += linnet_model_run((linnet_model*)shared, "forward", inputs, 2, &outputs) != LINNET_OK;
    linnet_outputs_free(outputs);
    /* An error of this thread is not the error of another. */
    wrong += linnet_file_verify("/nowhere") != LINNET_FILE_NOT_FOUND;
    wrong += strstr(linnet_last_error(), "/nowhere") == NULL;
  }
  return (void*)wrong;
}

static void test_threads(linnet_model* model) {
  pthread_t workers[WORKERS];
  for (int i = 0; i < WORKERS; ++i) {
    EXPECT(pthread_create(&workers[i], NULL, work, model) == 0);
  }
  for (int i = 0; i < WORKERS; ++i) {
    void* wrong = NULL;
    EXPECT(pthread_join(workers[i], &wrong) == 0 && wrong == NULL);
  }
}

/* Every run has one event "Method::execute", and all others lie within it. */
static void check_profile(const linnet_profile* profile, int32_t runs) {
  int32_t executions = 0;
  int32_t delegate_calls = 0;
  int32_t delegated = 0;
  int32_t exact = 0;
  linnet_event whole[2];
  linnet_event event;
  for (size_t i = 0; i < linnet_profile_count(profile); ++i) {
    EXPECT_STATUS(linnet_profile_event(profile, i, &event), LINNET_OK);
    EXPECT(event.run >= 0 && event.run < runs && event.start_ns <= event.end_ns);
    if (strcmp(event.name, "Method::execute") == 0) {
      EXPECT(event.instruction == -1 && event.kind == LINNET_EVENT_RUNTIME);
      whole[event.run] = event;
      ++executions;
    } else {
      EXPECT(event.instruction >= 0);
      delegate_calls += strcmp(event.name, "DELEGATE_CALL") == 0;
      delegated += event.kind == LINNET_EVENT_DELEGATE;
      exact += event.kind == LINNET_EVENT_DELEGATE && (event.end_ns - event.start_ns) % 1000 != 0;
    }
  }
  EXPECT(executions == runs && delegate_calls >= runs && delegated >= 2 * runs);
#if defined(__linux__)
  EXPECT(exact > 0); /* XNNPACK's own readings, not whole microseconds */
#endif
  for (size_t i = 0; i < linnet_profile_count(profile) && executions == runs; ++i) {
    EXPECT_STATUS(linnet_profile_event(profile, i, &event), LINNET_OK);
    EXPECT(event.start_ns >= whole[event.run].start_ns && event.end_ns <= whole[event.run].end_ns);
  }
  EXPECT_STATUS(linnet_profile_event(profile, linnet_profile_count(profile), &event),
                LINNET_INVALID_ARGUMENT);
}

static linnet_profile* take_profile(linnet_model* model, const linnet_tensor inputs[2], int runs) {
  for (int i = 0; i < runs; ++i) {
    linnet_outputs* outputs = NULL;
    EXPECT_STATUS(linnet_model_run(model, "forward", inputs, 2, &outputs), LINNET_OK);
    linnet_outputs_free(outputs);
  }
  linnet_profile* profile = NULL;
  EXPECT_STATUS(linnet_model_profile(model, &profile), LINNET_OK);
  return profile;
}

static void test_profile(linnet_model* model) {
  int64_t ids[TOKENS];
  int64_t types[TOKENS];
  linnet_tensor inputs[2];
  fill(inputs, ids, types, TOKENS);
  linnet_profile* profile = NULL;
  EXPECT_STATUS(linnet_model_profile(model, &profile), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_model_set_profiling(model, 2), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_model_set_profiling(model, 1), LINNET_OK);
  EXPECT_STATUS(linnet_model_set_profiling(model, 1), LINNET_OK);
  profile = take_profile(model, inputs, 2);
  check_profile(profile, 2);
  linnet_profile_free(profile);
  /* Taken means gone, and a run that is refused leaves nothing. */
  linnet_outputs* outputs = NULL;
  EXPECT_STATUS(linnet_model_run(model, "forward", inputs, 1, &outputs), LINNET_INPUT_SHAPE);
  profile = take_profile(model, inputs, 0);
  EXPECT(linnet_profile_count(profile) == 0);
  linnet_profile_free(profile);
  /* Methods are loaded again, whatever the file has. */
  EXPECT_STATUS(linnet_model_set_fused(model, (linnet_fused)3), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_model_set_fused(model, LINNET_FUSED_NEVER), LINNET_OK);
  profile = take_profile(model, inputs, 1);
  check_profile(profile, 1);
  linnet_profile_free(profile);
  EXPECT_STATUS(linnet_model_set_fused(model, LINNET_FUSED_WHERE_FASTER), LINNET_OK);
  int32_t bits = 0;
  EXPECT_STATUS(linnet_model_set_activation_bits(model, 6), LINNET_INVALID_ARGUMENT);
  EXPECT_STATUS(linnet_model_set_activation_bits(model, 7), LINNET_OK);
  EXPECT_STATUS(linnet_model_activation_bits(model, &bits), LINNET_OK);
  EXPECT(bits == 7);
  EXPECT_STATUS(linnet_model_set_activation_bits(model, 0), LINNET_OK);
  EXPECT_STATUS(linnet_model_activation_bits(model, &bits), LINNET_OK);
  EXPECT(bits == 8); /* nothing is proven in this file */
  /* A profile outlives the profiling. */
  profile = take_profile(model, inputs, 1);
  EXPECT_STATUS(linnet_model_set_profiling(model, 0), LINNET_OK);
  check_profile(profile, 1);
  linnet_profile_free(profile);
  EXPECT_STATUS(linnet_model_run(model, "forward", inputs, 2, &outputs), LINNET_OK);
  linnet_outputs_free(outputs);
}

/* Methods are dropped and loaded again while other threads run them. */
static void test_profile_threads(linnet_model* model) {
  pthread_t workers[WORKERS];
  for (int i = 0; i < WORKERS; ++i) {
    EXPECT(pthread_create(&workers[i], NULL, work, model) == 0);
  }
  for (int i = 0; i < RUNS; ++i) {
    EXPECT_STATUS(linnet_model_set_profiling(model, 1 - i % 2), LINNET_OK);
  }
  for (int i = 0; i < WORKERS; ++i) {
    void* wrong = NULL;
    EXPECT(pthread_join(workers[i], &wrong) == 0 && wrong == NULL);
  }
  EXPECT_STATUS(linnet_model_set_profiling(model, 0), LINNET_OK);
}

static unsigned char* read_file(const char* path, size_t* size) {
  FILE* file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
    return NULL;
  }
  *size = (size_t)ftell(file);
  rewind(file);
  unsigned char* bytes = malloc(*size);
  if (bytes != NULL && fread(bytes, 1, *size, file) != *size) {
    free(bytes);
    bytes = NULL;
  }
  fclose(file);
  return bytes;
}

/* Every length and a flip of every 7th byte: what the sanitizers are for. */
static void test_damage(const char* path) {
  size_t size = 0;
  unsigned char* bytes = read_file(path, &size);
  EXPECT(bytes != NULL);
  if (bytes == NULL) {
    return;
  }
  linnet_model* model = NULL;
  for (size_t length = 0; length < size; length += 1 + length / 64) {
    unsigned char* part = malloc(length + 1); /* of its own size, so that reading on is seen */
    memcpy(part, bytes, length);
    EXPECT(linnet_model_open_bytes(part, length, NULL, &model) >= LINNET_NOT_A_PROGRAM);
    free(part);
  }
  for (size_t at = 0; at < size; at += 7) {
    bytes[at] ^= 0x40;
    if (linnet_model_open_bytes(bytes, size, NULL, &model) == LINNET_OK) {
      int64_t ids[TOKENS];
      int64_t types[TOKENS];
      linnet_tensor inputs[2];
      fill(inputs, ids, types, TOKENS);
      linnet_outputs* outputs = NULL;
      (void)linnet_model_run(model, "forward", inputs, 2, &outputs);
      linnet_outputs_free(outputs);
      const linnet_tokenizer* tokenizer = NULL;
      (void)linnet_model_tokenizer(model, &tokenizer);
      linnet_model_free(model);
    }
    bytes[at] ^= 0x40;
  }
  EXPECT_STATUS(linnet_model_open_bytes(bytes, size, NULL, &model), LINNET_OK);
  linnet_model_free(model);
  free(bytes);
}

int main(int count, char** arguments) {
  if (count != 2) {
    fprintf(stderr, "usage: %s TOY.pte\n", arguments[0]);
    return 2;
  }
  test_versions();
  test_null_arguments();
  linnet_model* model = NULL;
  const linnet_open_options one = {1};
  EXPECT_STATUS(linnet_model_open(arguments[1], &one, &model), LINNET_OK);
  if (model != NULL) {
    EXPECT_STATUS(linnet_file_verify(arguments[1]), LINNET_OK);
    test_fields(model);
    test_stats(model);
    test_tokenizer(model);
    test_runs(model);
    test_thread_count(arguments[1]);
    test_threads(model);
    test_profile(model);
    test_profile_threads(model);
    linnet_model_free(model);
    test_damage(arguments[1]);
  }
  printf("%d failed\n", failures);
  return failures == 0 ? 0 : 1;
}
