/* Reads cases.tsv (README.md beside it) and compares what linnet.h answers, in plain C. Prints "kind passed
 * failed" a line, and the first lines that fail; exits 1 if any does. */
#include "conformance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kMostFields = 64, kMostInputs = 4, kMostOutputs = 64, kMostKinds = 16, kMostNumbers = 100000 };

typedef struct {
  linnet_field field;
  char name[64];
  char* bytes;
} kept_field;

typedef struct {
  kept_field fields[kMostFields];
  size_t count;
} manifest;

static manifest current, base;
linnet_task* task;
char* expected_inputs[kMostInputs]; /* numbers; of the next case */
static size_t expected_count;
linnet_tensor outputs[kMostOutputs];
size_t output_count, output_next;
static size_t outputs_a_run;
static linnet_answers* answers;
static size_t answer_next;
static linnet_encoding* encoding;
static size_t window_next;
static int line_number, waiting; /* waiting: a case whose expected lines are being read */
static char case_kind[32];
static struct {
  char name[32];
  int passed, failed;
} kinds[kMostKinds];
static size_t kind_count;
static int case_failed;

void fail(const char* what) {
  if (!case_failed) {
    fprintf(stderr, "line %d: %s: %s\n", line_number, case_kind, what);
  }
  case_failed = 1;
}

void require(int condition, const char* what) {
  if (!condition) {
    fail(what);
  }
}

/* ---- reading ----------------------------------------------------------------------------------- */

static column unescape(char* text) {
  column result = {text, 0};
  char* to = text;
  for (const char* from = text; *from != '\0'; ++from) {
    if (*from != '\\') {
      *to++ = *from;
      continue;
    }
    switch (*++from) {
      case '-':
        result.bytes = NULL;
        return result;
      case 't':
        *to++ = '\t';
        break;
      case 'n':
        *to++ = '\n';
        break;
      case 'r':
        *to++ = '\r';
        break;
      case '0':
        *to++ = '\0';
        break;
      default:
        *to++ = *from;
    }
  }
  result.size = (size_t)(to - text);
  *to = '\0';
  return result;
}

static size_t split(char* line, column* columns) {
  size_t count = 0;
  for (char* part = line; part != NULL && count < kMostColumns; ++count) {
    char* tab = strchr(part, '\t');
    if (tab != NULL) {
      *tab = '\0';
    }
    columns[count] = unescape(part);
    part = tab == NULL ? NULL : tab + 1;
  }
  return count;
}

int is(column text, const char* expected) {
  return text.bytes != NULL && text.size == strlen(expected) && memcmp(text.bytes, expected, text.size) == 0;
}

int same(linnet_text a, column b) {
  return a.size == b.size && (a.size == 0 || memcmp(a.bytes, b.bytes, a.size) == 0);
}

int near(double found, double expected) {
  return fabs(found - expected) <= fmax(1e-6, 2e-5 * fabs(expected));
}

int same_numbers(const int64_t* found, size_t count, column expected) {
  const char* at = expected.bytes;
  for (size_t i = 0; i < count; ++i) {
    char* end = NULL;
    if (strtoll(at, &end, 10) != found[i] || end == at) {
      return 0;
    }
    at = end;
  }
  return *at == '\0';
}

static size_t read_floats(column text, float* values) {
  size_t count = 0;
  for (const char* at = text.bytes; count < kMostNumbers; ++count) {
    char* end = NULL;
    values[count] = strtof(at, &end);
    if (end == at) {
      break;
    }
    at = end;
  }
  return count;
}

/* ---- manifests ---------------------------------------------------------------------------------- */

static size_t find_field(const manifest* in, const char* name) {
  size_t at = 0;
  while (at < in->count && strcmp(in->fields[at].name, name) != 0) {
    ++at;
  }
  return at;
}

static unsigned digit(char letter) { return (unsigned)(letter <= '9' ? letter - '0' : letter - 'a' + 10); }

static char* read_hex(column text, size_t* size) {
  char* bytes = malloc(text.size / 2 + 1);
  for (*size = 0; *size < text.size / 2; ++*size) {
    bytes[*size] = (char)(digit(text.bytes[2 * *size]) << 4U | digit(text.bytes[2 * *size + 1]));
  }
  return bytes;
}

static void set_field(const column* columns) {
  const size_t at = find_field(&current, columns[1].bytes);
  kept_field* kept = &current.fields[at];
  current.count += at == current.count ? 1 : 0;
  snprintf(kept->name, sizeof kept->name, "%s", columns[1].bytes);
  linnet_value value = {LINNET_STRING, 0, 0, NULL, 0};
  if (is(columns[2], "int") || is(columns[2], "bool")) {
    value.type = is(columns[2], "int") ? LINNET_INT : LINNET_BOOL;
    value.integer = strtoll(columns[3].bytes, NULL, 10);
  } else if (is(columns[2], "float")) {
    value.type = LINNET_FLOAT;
    value.real = strtod(columns[3].bytes, NULL);
  } else if (is(columns[2], "bytes")) {
    value.type = LINNET_BYTES;
    value.bytes = read_hex(columns[3], &value.size);
  } else {
    value.size = columns[3].size;
    value.bytes = memcpy(malloc(value.size + 1), columns[3].bytes, value.size);
  }
  kept->field.value = value;
}

static void drop_field(column name) {
  const size_t at = find_field(&current, name.bytes);
  if (at < current.count) {
    current.fields[at] = current.fields[--current.count];
  }
}

static linnet_status create(linnet_task** made) {
  linnet_field fields[kMostFields];
  for (size_t i = 0; i < current.count; ++i) {
    fields[i] = current.fields[i].field;
    fields[i].name = current.fields[i].name;
  }
  return linnet_task_create(fields, current.count, made);
}

static void open_manifest(void) {
  linnet_task_free(task);
  task = NULL;
  base = current;
  if (create(&task) != LINNET_OK) {
    fail(linnet_last_error());
    return;
  }
  linnet_value names = {0};
  linnet_task_value(task, "outputs", &names);
  outputs_a_run = 1;
  for (size_t i = 0; i < names.size; ++i) {
    outputs_a_run += names.bytes[i] == '\n' ? 1 : 0;
  }
}

/* ---- cases -------------------------------------------------------------------------------------- */

static void add_output(const column* columns) {
  linnet_tensor* tensor = &outputs[output_count++ % kMostOutputs];
  float* values = malloc(kMostNumbers * sizeof *values);
  memset(tensor, 0, sizeof *tensor);
  tensor->dtype = LINNET_FLOAT32;
  for (const char* at = columns[1].bytes; *at != '\0' && tensor->rank < LINNET_MAX_RANK;) {
    char* end = NULL;
    tensor->shape[tensor->rank++] = strtoll(at, &end, 10);
    at = end;
  }
  read_floats(columns[2], values);
  tensor->data = values;
}

static void add_input(const column* columns) {
  char* copy = malloc(columns[1].size + 1);
  memcpy(copy, columns[1].bytes, columns[1].size + 1);
  expected_inputs[expected_count++ % kMostInputs] = copy;
}

static void check_inputs(const linnet_tensor* inputs, size_t count) {
  if (expected_count == 0) {
    return;
  }
  require(count == expected_count, "number of inputs");
  for (size_t i = 0; i < count && i < expected_count; ++i) {
    const column expected = {expected_inputs[i], strlen(expected_inputs[i])};
    require(same_numbers(inputs[i].data, (size_t)inputs[i].shape[1], expected), "input");
  }
}

static linnet_status replay(void* context, const char* method, const linnet_tensor* inputs, size_t count,
                            linnet_outputs** result) {
  (void)context;
  (void)method;
  check_inputs(inputs, count);
  if (output_next + outputs_a_run > output_count) {
    fail("more runs than recorded outputs");
    return LINNET_RUN_FAILED;
  }
  const linnet_status status = linnet_outputs_create(outputs + output_next, outputs_a_run, result);
  output_next += outputs_a_run;
  return status;
}

static const linnet_engine engine = {replay, NULL};

/* The last recorded run once more. */
static linnet_status repeat(void* context, const char* method, const linnet_tensor* inputs, size_t count,
                            linnet_outputs** result) {
  output_next -= outputs_a_run;
  return replay(context, method, inputs, count, result);
}

static const linnet_engine repeating = {repeat, NULL};

static linnet_score_function function_of(column name) {
  return is(name, "softmax") ? LINNET_SCORES_SOFTMAX
                             : (is(name, "sigmoid") ? LINNET_SCORES_SIGMOID : LINNET_SCORES_NONE);
}

static linnet_aggregation aggregation_of(column name) {
  static const char* const names[] = {"none", "simple", "first", "average", "max"};
  int at = 0;
  while (at < 4 && !is(name, names[at])) {
    ++at;
  }
  return (linnet_aggregation)at;
}

int integer(column text) { return (int)strtol(text.bytes, NULL, 10); }

static linnet_status tokenize(const column* columns) {
  const linnet_tokenizer* tokenizer = NULL;
  const linnet_encode_options options = {
      integer(columns[3]),
      is(columns[4], "only_second") ? LINNET_TRUNCATE_ONLY_SECOND : LINNET_TRUNCATE_LONGEST_FIRST,
      integer(columns[5]), 1};
  linnet_status status = linnet_task_tokenizer(task, &tokenizer);
  if (status == LINNET_OK) {
    status = linnet_tokenizer_encode(tokenizer, columns[1].bytes, columns[1].size, columns[2].bytes,
                                     columns[2].size, &options, &encoding);
  }
  return status;
}

static linnet_status fill_mask(const column* columns) {
  const linnet_tokenizer* tokenizer = NULL;
  int64_t ids[16];
  size_t count = 0;
  linnet_task_tokenizer(task, &tokenizer);
  for (const char* at = columns[3].bytes; at != NULL && *at != '\0' && count < 16; ++count) {
    const linnet_text word = {at, strcspn(at, " ")};
    require(linnet_tokenizer_find(tokenizer, word, &ids[count]) == LINNET_OK, "no such target");
    at += word.size + (at[word.size] == ' ' ? 1 : 0);
  }
  const linnet_mask_options options = {integer(columns[2]), columns[3].bytes == NULL ? NULL : ids, count};
  return linnet_fill_mask(task, &engine, columns[1], 1, &options, &answers);
}

/* Two equal passages: both with the score of one, in their order; and the best one alone. */
static void check_rank(const column* c) {
  const linnet_text passages[] = {c[2], c[2]};
  for (int top_k = 0; top_k <= 1; ++top_k) {
    linnet_answers* ranked = NULL;
    require(linnet_rank(task, &repeating, c[1], passages, 2, 1, top_k, &ranked) == LINNET_OK, "rank");
    require(linnet_answers_count(ranked) == (top_k == 0 ? 2 : 1), "ranked passages");
    for (size_t i = 0; i < linnet_answers_count(ranked); ++i) {
      linnet_answer answer;
      require(linnet_answers_get(ranked, i, &answer) == LINNET_OK && answer.index == (int64_t)i &&
                  near(answer.score, strtod(c[3].bytes, NULL)),
              "ranked passage");
    }
    linnet_answers_free(ranked);
  }
}

static linnet_status run_case(const column* c) {
  if (is(c[0], "tokenize")) {
    return tokenize(c);
  }
  if (is(c[0], "stream") || is(c[0], "chat") || is(c[0], "generate")) {
    return run_generation(c);
  }
  if (is(c[0], "mask")) {
    return run_mask(c, &answers);
  }
  if (is(c[0], "classify")) {
    const linnet_class_options options = {integer(c[3]), function_of(c[4])};
    return linnet_classify(task, &engine, c[1], c[2], 1, &options, &answers);
  }
  if (is(c[0], "entities")) {
    const linnet_entity_options options = {aggregation_of(c[2]), &c[3], 1};
    return linnet_find_entities(task, &engine, c[1], 1, &options, &answers);
  }
  if (is(c[0], "fill_mask")) {
    return fill_mask(c);
  }
  if (is(c[0], "answer")) {
    const linnet_question_options options = {integer(c[3]), integer(c[4]), integer(c[5]),
                                             integer(c[6]), integer(c[7]), integer(c[8])};
    return linnet_answer_question(task, &engine, c[1], c[2], &options, &answers);
  }
  float found[16];
  size_t count = 0;
  if (is(c[0], "score")) {
    const linnet_status status = linnet_score(task, &engine, c[1], c[2], 1, found, 16, &count);
    require(status != LINNET_OK || (count == 1 && near((double)found[0], strtod(c[3].bytes, NULL))), "score");
    if (status == LINNET_OK) {
      check_rank(c);
    }
    return status;
  }
  float expected[16];
  static float many[kMostNumbers];
  const linnet_status status = linnet_embed(task, &engine, c[1], 1, NULL, integer(c[2]), found, 16);
  count = read_floats(c[3], many);
  memcpy(expected, many, sizeof expected);
  for (size_t i = 0; status == LINNET_OK && i < count; ++i) {
    require(near((double)found[i], (double)expected[i]), "embedding");
  }
  return status;
}

static void check_verdict(const column* columns) {
  linnet_task* made = NULL;
  const linnet_status status = create(&made);
  require(is(columns[1], linnet_status_name(status)), columns[2].bytes);
  linnet_task_free(made);
  current = base;
}

static void check_window(const column* c) {
  linnet_encoding_view view;
  if (linnet_encoding_window(encoding, window_next++, &view) != LINNET_OK) {
    fail("fewer windows than expected");
    return;
  }
  require(view.truncated == integer(c[1]), "truncated");
  require(same_numbers(view.ids, view.length, c[2]), "ids");
  require(same_numbers(view.type_ids, view.length, c[3]), "type ids");
  const char* at = c[4].bytes;
  for (size_t i = 0; i < view.length; ++i) {
    require(strtol(at, (char**)&at, 10) == view.sequence_ids[i], "sequence ids");
  }
  require(same_numbers(view.offsets_code_points, 2 * view.length, c[5]), "offsets in code points");
  require(same_numbers(view.offsets_utf8, 2 * view.length, c[6]), "offsets in bytes");
  require(same_numbers(view.offsets_utf16, 2 * view.length, c[7]), "offsets in UTF-16");
}

static void check_answer(const column* c) {
  linnet_answer found;
  if (linnet_answers_get(answers, answer_next++, &found) != LINNET_OK) {
    fail("fewer answers than expected");
    return;
  }
  if (is(c[0], "class")) {
    require(same(found.label, c[1]) && near(found.score, strtod(c[2].bytes, NULL)), "class");
  } else if (is(c[0], "entity")) {
    const int64_t places[] = {found.code_points.start, found.code_points.end, found.utf8.start,
                              found.utf8.end,          found.utf16.start,     found.utf16.end};
    require(same(found.label, c[1]) && same(found.text, c[3]) && near(found.score, strtod(c[2].bytes, NULL)),
            "entity");
    for (int i = 0; i < 6; ++i) {
      require(places[i] == integer(c[4 + i]), "place of an entity");
    }
  } else if (is(c[0], "finding")) {
    static const char* const sources[] = {"pattern", "finder", "tagger"};
    const int64_t places[] = {found.code_points.start, found.code_points.end, found.utf8.start,
                              found.utf8.end,          found.utf16.start,     found.utf16.end};
    require(same(found.label, c[1]) && same(found.text, c[2]) && is(c[3], sources[found.index]), "finding");
    for (int i = 0; i < 6; ++i) {
      require(places[i] == integer(c[4 + i]), "place of a finding");
    }
  } else if (is(c[0], "proposal")) {
    require(found.token == integer(c[2]) && near(found.score, strtod(c[3].bytes, NULL)), "proposal");
    require(same(found.text, c[4]) && same(found.sequence, c[5]), "text of a proposal");
  } else {
    require(near(found.score, strtod(c[1].bytes, NULL)) && same(found.text, c[6]), "answer");
    require(found.code_points.start == integer(c[2]) && found.code_points.end == integer(c[3]),
            "place of an answer");
    require(found.utf16.start == integer(c[4]) && found.utf16.end == integer(c[5]),
            "UTF-16 place of an answer");
  }
}

static void count_case(void) {
  size_t at = 0;
  while (at < kind_count && strcmp(kinds[at].name, case_kind) != 0) {
    ++at;
  }
  if (at == kind_count) {
    memcpy(kinds[kind_count++].name, case_kind, sizeof case_kind);
  }
  *(case_failed ? &kinds[at].failed : &kinds[at].passed) += 1;
}

static void finish_case(void) {
  if (!waiting) {
    return;
  }
  require(answers == NULL || answer_next == linnet_answers_count(answers), "more answers than expected");
  require(encoding == NULL || window_next == linnet_encoding_window_count(encoding),
          "more windows than expected");
  require(output_next == output_count, "fewer runs than recorded outputs");
  finish_generation();
  count_case();
  linnet_answers_free(answers);
  linnet_encoding_free(encoding);
  for (size_t i = 0; i < output_count; ++i) {
    free((void*)outputs[i].data);
  }
  for (size_t i = 0; i < expected_count; ++i) {
    free(expected_inputs[i]);
  }
  answers = NULL;
  encoding = NULL;
  answer_next = window_next = output_count = output_next = expected_count = 0;
  waiting = 0;
}

static void start_case(const column* columns) {
  snprintf(case_kind, sizeof case_kind, "%s", columns[0].bytes);
  case_failed = 0;
  waiting = 1;
  if (is(columns[0], "verdict")) {
    check_verdict(columns);
  } else if (run_case(columns) != LINNET_OK) {
    fail(linnet_last_error());
  }
}

static void read_line(char* line) {
  column c[kMostColumns] = {{0}};
  split(line, c);
  if (is(c[0], "window")) {
    check_window(c);
    return;
  }
  if (is(c[0], "class") || is(c[0], "entity") || is(c[0], "proposal") || is(c[0], "span") ||
      is(c[0], "finding")) {
    check_answer(c);
    return;
  }
  if (is(c[0], "completion")) {
    check_completion(c);
    return;
  }
  finish_case();
  if (is(c[0], "clear")) {
    memset(&current, 0, sizeof current);
  } else if (is(c[0], "field")) {
    set_field(c);
  } else if (is(c[0], "drop")) {
    drop_field(c[1]);
  } else if (is(c[0], "manifest")) {
    open_manifest();
  } else if (is(c[0], "input")) {
    add_input(c);
  } else if (is(c[0], "output")) {
    add_output(c);
  } else if (!is(c[0], "version")) {
    start_case(c);
  } else if (!is(c[1], "1")) {
    fprintf(stderr, "cases of version %s, this reads 1\n", c[1].bytes);
    exit(2);
  }
}

int main(int argc, char** argv) {
  FILE* file = argc == 2 ? fopen(argv[1], "rb") : NULL;
  if (file == NULL) {
    fprintf(stderr, "usage: conformance cases.tsv\n");
    return 2;
  }
  char* line = NULL;
  size_t capacity = 0;
  ssize_t size = 0;
  for (line_number = 1; (size = getline(&line, &capacity, file)) >= 0; ++line_number) {
    if (size > 0 && line[size - 1] == '\n') {
      line[size - 1] = '\0';
    }
    if (line[0] != '#' && line[0] != '\0') {
      read_line(line);
    }
  }
  finish_case();
  free(line);
  fclose(file);
  int failures = 0;
  for (size_t i = 0; i < kind_count; ++i) {
    printf("%s %d %d\n", kinds[i].name, kinds[i].passed, kinds[i].failed);
    failures += kinds[i].failed;
  }
  return failures == 0 && kind_count > 0 ? 0 : 1;
}
