/* Completions of the prompts of a file in C, for comparison with other languages: the loop of a C program.
 *
 *   completions DECODER.pte CASES.tsv
 *
 * CASES.tsv is of tests/support/generation_cases.py; a line of output has the ids, the log probabilities, the
 * reason of the end, the tokens of the prompt and the text in hexadecimal, between tabs. Cases that slide are
 * left out: "-". */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linnet.h"

enum { kColumns = 5, kParts = 32, kTokens = 512, kText = 1 << 16 };

typedef struct {
  char* cells[kColumns]; /* NULL: no value */
} row;

static linnet_model* model;
static const linnet_task* task;
static const linnet_tokenizer* tokenizer;

static void must(linnet_status status, const char* what) {
  if (status != LINNET_OK) {
    fprintf(stderr, "%s: %s\n", what, linnet_last_error());
    exit(1);
  }
}

/* Replace the escapes of a cell in place; NULL for "no value". */
static char* unescaped(char* cell) {
  char* to = cell;
  if (strcmp(cell, "\\-") == 0) {
    return NULL;
  }
  for (const char* from = cell; *from != '\0'; ++from) {
    if (*from == '\\') {
      ++from;
      *to++ = *from == 't' ? '\t' : (*from == 'n' ? '\n' : (*from == 'r' ? '\r' : *from));
    } else {
      *to++ = *from;
    }
  }
  *to = '\0';
  return cell;
}

static void read_row(char* line, row* into) {
  line[strcspn(line, "\n")] = '\0';
  for (int i = 0; i < kColumns; ++i) {
    char* const end = line + strcspn(line, "\t");
    char* const next = *end == '\0' ? end : end + 1;
    *end = '\0';
    into->cells[i] = unescaped(line);
    line = next;
  }
}

/* Split a text at U+001F. */
static size_t split(char* text, linnet_text* parts) {
  size_t count = 0;
  for (char* at = text; at != NULL && count < kParts; ++count) {
    char* const end = strchr(at, '\x1f');
    parts[count].bytes = at;
    parts[count].size = end == NULL ? strlen(at) : (size_t)(end - at);
    at = end == NULL ? NULL : end + 1;
  }
  return count;
}

static size_t encode_prompt(char* prompt, int64_t* ids) {
  static char written[kText];
  linnet_text parts[kParts] = {{NULL, 0}};
  linnet_message messages[kParts / 2];
  const size_t count = split(prompt, parts);
  linnet_text text = parts[0];
  if (count > 1) {
    for (size_t i = 0; i < count / 2; ++i) {
      messages[i].role = parts[2 * i];
      messages[i].content = parts[2 * i + 1];
    }
    text.bytes = written;
    must(linnet_task_chat_prompt(task, messages, count / 2, 1, written, sizeof written, &text.size),
         "prompt");
  }
  const linnet_encode_options options = {0, LINNET_TRUNCATE_NEVER, -1, count == 1};
  linnet_encoding* encoded = NULL;
  linnet_encoding_view view = {0};
  must(linnet_tokenizer_encode(tokenizer, text.bytes, text.size, NULL, 0, &options, &encoded), "encode");
  must(linnet_encoding_window(encoded, 0, &view), "window");
  const size_t length = view.length < kTokens ? view.length : kTokens;
  memcpy(ids, view.ids, length * sizeof *ids);
  linnet_encoding_free(encoded);
  return length;
}

/* Make the constraint of name=value, or set the lookup; NULL without a constraint. */
static linnet_constraint* apply(char* other, linnet_generation* text) {
  linnet_constraint* constraint = NULL;
  linnet_text parts[kParts];
  if (other == NULL) {
    return NULL;
  }
  char* const value = strchr(other, '=') + 1;
  if (strncmp(other, "lookup", 6) == 0) {
    must(linnet_generation_set_lookup(text, strtoul(value, NULL, 10)), "lookup");
    return NULL;
  }
  const linnet_constraint_kind kind =
      other[0] == 'r' ? LINNET_CONSTRAINT_REGEX
                      : (other[0] == 'c' ? LINNET_CONSTRAINT_CHOICES : LINNET_CONSTRAINT_JSON_SCHEMA);
  must(linnet_constraint_create(task, kind, parts, split(value, parts), &constraint), "constraint");
  return constraint;
}

typedef struct {
  int64_t ids[kTokens];
  float logarithms[kTokens];
  size_t count, prompt_tokens, size;
  char text[kText];
  const char* reason;
} completion;

static void say(completion* made, linnet_text piece) {
  if (piece.size > 0 && made->size + piece.size < kText) {
    memcpy(made->text + made->size, piece.bytes, piece.size);
    made->size += piece.size;
    made->text[made->size] = '\0';
  }
}

/* Take a token of the completion, and say whether it ends it: 1. */
static int take(completion* made, int64_t id, linnet_text_stream* stream, linnet_constraint* constraint,
                const char* stop) {
  linnet_constraint_progress progress = {0, 0, 0};
  linnet_text piece = {NULL, 0};
  if (constraint != NULL) {
    must(linnet_constraint_advance(constraint, id), "advance");
    must(linnet_constraint_read_progress(constraint, &progress), "progress");
  }
  must(linnet_text_stream_push(stream, id, &piece), "push");
  say(made, piece);
  char* const end = stop == NULL ? NULL : strstr(made->text, stop);
  if (end != NULL) {
    *end = '\0';
    made->size = (size_t)(end - made->text);
  }
  return end != NULL || progress.finished;
}

static void complete(completion* made, linnet_generation* text, const linnet_sampling* sampling,
                     linnet_text_stream* stream, linnet_constraint* constraint, size_t most,
                     const char* stop) {
  const size_t room = linnet_generation_capacity(text) - made->prompt_tokens;
  const size_t limit = room == 0 ? 1 : (room < most ? room : most);
  int stopped = 0;
  made->reason = "LENGTH";
  while (made->count < most && !stopped) {
    int64_t id = 0;
    float* const logarithm = &made->logarithms[made->count];
    must(constraint == NULL
             ? linnet_generation_sample(text, sampling, made->prompt_tokens, &id, logarithm)
             : linnet_generation_sample_constrained(text, sampling, constraint, limit - made->count,
                                                    made->prompt_tokens, &id, logarithm),
         "sample");
    if (linnet_task_is_end(task, id)) {
      made->reason = "STOP";
      break;
    }
    made->ids[made->count++] = id;
    stopped = take(made, id, stream, constraint, stop);
    if (stopped) {
      made->reason = "STOP";
    } else if (made->prompt_tokens + made->count >= linnet_generation_capacity(text)) {
      made->reason = "CONTEXT";
      break;
    } else if (made->count < most) {
      must(linnet_generation_append(text, &id, 1), "append");
    }
  }
  linnet_text rest = {NULL, 0};
  must(linnet_text_stream_finish(stream, &rest), "finish");
  if (!stopped || stop == NULL) {
    say(made, rest);
  }
}

static void print(const completion* made) {
  for (size_t i = 0; i < made->count; ++i) {
    printf("%s%lld", i == 0 ? "" : " ", (long long)made->ids[i]);
  }
  printf("\t");
  for (size_t i = 0; i < made->count; ++i) {
    printf("%s%.9g", i == 0 ? "" : " ", (double)made->logarithms[i]);
  }
  printf("\t%s\t%zu\t", made->reason, made->prompt_tokens);
  for (size_t i = 0; i < made->size; ++i) {
    printf("%02x", (unsigned)(unsigned char)made->text[i]);
  }
  printf("\n");
}

static void run_case(row* given) {
  static completion made;
  int64_t ids[kTokens];
  linnet_generation* text = NULL;
  linnet_text_stream* stream = NULL;
  linnet_sampling sampling;
  if (given->cells[4] != NULL && strncmp(given->cells[4], "keep", 4) == 0) {
    printf("-\n");
    return;
  }
  memset(&made, 0, sizeof made);
  must(linnet_task_sampling(task, &sampling), "sampling");
  if (given->cells[2] != NULL) {
    sampling.temperature = 1.5F;
    sampling.top_k = 50;
    sampling.top_p = 0.9F;
    sampling.repetition_penalty = 1.1F;
    sampling.seed = strtoull(given->cells[2], NULL, 10);
  }
  made.prompt_tokens = encode_prompt(given->cells[0], ids);
  must(linnet_generation_create(model, 0, &text), "text");
  must(linnet_text_stream_create(tokenizer, 1, &stream), "stream");
  linnet_constraint* const constraint = apply(given->cells[4], text);
  must(linnet_generation_append(text, ids, made.prompt_tokens), "prompt");
  complete(&made, text, &sampling, stream, constraint, strtoul(given->cells[1], NULL, 10), given->cells[3]);
  print(&made);
  linnet_constraint_free(constraint);
  linnet_text_stream_free(stream);
  linnet_generation_free(text);
}

int main(int argc, char** argv) {
  static char line[kText];
  const linnet_open_options options = {1};
  FILE* const cases = argc == 3 ? fopen(argv[2], "r") : NULL;
  if (cases == NULL) {
    fprintf(stderr, "usage: completions DECODER.pte CASES.tsv\n");
    return 2;
  }
  must(linnet_model_open(argv[1], &options, &model), "open");
  must(linnet_model_task(model, &task), "task");
  must(linnet_task_tokenizer(task, &tokenizer), "tokenizer");
  while (fgets(line, sizeof line, cases) != NULL) {
    row given;
    read_row(line, &given);
    run_case(&given);
  }
  fclose(cases);
  linnet_model_free(model);
  return 0;
}
