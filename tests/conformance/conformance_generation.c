/* Cases of generated text: streams, prompts of conversations, and completions over recorded logits, by the
 * loop that a C program writes. */
#include <stdlib.h>
#include <string.h>

#include "conformance.h"

static struct {
  const char* reason; /* NULL: no completion waits to be compared */
  size_t prompt_tokens, count;
  int64_t ids[kMostTokens];
  float log_probabilities[kMostTokens];
  char text[4096];
  size_t size;
} completion;

/* Append a piece, and require that it has whole characters. */
static void say(linnet_text piece) {
  require(piece.size == 0 || (piece.bytes[0] & 0xC0) != 0x80, "a piece begins within a character");
  if (completion.size + piece.size < sizeof completion.text) {
    memcpy(completion.text + completion.size, piece.bytes, piece.size);
    completion.size += piece.size;
  }
}

/* The text so far, cut before the stop string if it has come: 1. */
static int cut_at(column stop) {
  for (size_t at = 0; stop.bytes != NULL && at + stop.size <= completion.size; ++at) {
    if (memcmp(completion.text + at, stop.bytes, stop.size) == 0) {
      completion.size = at;
      return 1;
    }
  }
  return 0;
}

static size_t read_ids(column text, int64_t* ids) {
  size_t count = 0;
  for (const char* at = text.bytes; count < kMostTokens; ++count) {
    char* end = NULL;
    ids[count] = strtoll(at, &end, 10);
    if (end == at) {
      break;
    }
    at = end;
  }
  return count;
}

static linnet_status stream_text(const column* c) {
  const linnet_tokenizer* tokenizer = NULL;
  linnet_text_stream* stream = NULL;
  int64_t ids[kMostTokens], sizes[kMostTokens];
  const size_t count = read_ids(c[2], ids);
  linnet_status status = linnet_task_tokenizer(task, &tokenizer);
  if (status == LINNET_OK) {
    status = linnet_text_stream_create(tokenizer, integer(c[1]), &stream);
  }
  for (size_t i = 0; status == LINNET_OK && i <= count; ++i) {
    linnet_text piece = {NULL, 0};
    status = i < count ? linnet_text_stream_push(stream, ids[i], &piece)
                       : linnet_text_stream_finish(stream, &piece);
    sizes[i] = (int64_t)piece.size;
    say(piece);
  }
  const linnet_text text = {completion.text, completion.size};
  require(same(text, c[3]), "text of a stream");
  require(c[4].bytes == NULL || same_numbers(sizes, count + 1, c[4]), "sizes of pieces");
  linnet_text_stream_free(stream);
  return status;
}

static linnet_status prompt_of(const column* roles, int generation, char* prompt, size_t capacity,
                               size_t* size) {
  linnet_message messages[kMostColumns];
  size_t count = 0;
  for (; roles[2 * count].bytes != NULL; ++count) {
    messages[count].role = roles[2 * count];
    messages[count].content = roles[2 * count + 1];
  }
  return linnet_task_chat_prompt(task, messages, count, generation, prompt, capacity, size);
}

static linnet_status chat(const column* c) {
  char prompt[4096];
  linnet_text text = {prompt, 0};
  const linnet_status status = prompt_of(&c[3], integer(c[1]), prompt, sizeof prompt, &text.size);
  require(status != LINNET_OK || same(text, c[2]), "prompt");
  return status;
}

/* Read what a case gives instead of what the file recommends. */
static linnet_status read_sampling(const column* c, linnet_sampling* sampling) {
  const linnet_status status = linnet_task_sampling(task, sampling);
  float* const numbers[] = {&sampling->temperature,
                            NULL,
                            &sampling->top_p,
                            &sampling->min_p,
                            &sampling->repetition_penalty,
                            &sampling->presence_penalty,
                            &sampling->frequency_penalty};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; ++i) {
    if (numbers[i] != NULL && c[4 + i].bytes != NULL) {
      *numbers[i] = strtof(c[4 + i].bytes, NULL);
    }
  }
  sampling->top_k = c[5].bytes == NULL ? sampling->top_k : integer(c[5]);
  sampling->seed = c[11].bytes == NULL ? 0 : strtoull(c[11].bytes, NULL, 10);
  return status;
}

/* Encode the prompt of a case to `ids`, and set their number. */
static linnet_status encode_prompt(const column* c, const linnet_tokenizer* tokenizer, int64_t* ids,
                                   size_t* count) {
  char prompt[4096];
  column text = c[1];
  if (is(c[2], "1")) {
    static char user[] = "user";
    const column roles[] = {{user, 4}, c[1], {NULL, 0}};
    text.bytes = prompt;
    const linnet_status status = prompt_of(roles, 1, prompt, sizeof prompt, &text.size);
    if (status != LINNET_OK) {
      return status;
    }
  }
  const linnet_encode_options options = {0, LINNET_TRUNCATE_NEVER, -1, !is(c[2], "1")};
  linnet_encoding* encoded = NULL;
  linnet_encoding_view view = {0};
  linnet_status status =
      linnet_tokenizer_encode(tokenizer, text.bytes, text.size, NULL, 0, &options, &encoded);
  if (status == LINNET_OK) {
    status = linnet_encoding_window(encoded, 0, &view);
  }
  require(view.length < kMostTokens, "tokens of a prompt");
  for (size_t i = 0; i < view.length && i < kMostTokens; ++i) {
    ids[i] = view.ids[i];
  }
  *count = view.length;
  linnet_encoding_free(encoded);
  return status;
}

/* Make the constraint of a case; NULL without one. */
static linnet_status make_constraint(const column* c, linnet_constraint** constraint) {
  size_t count = 0;
  if (c[13].bytes == NULL) {
    return LINNET_OK;
  }
  while (14 + count < kMostColumns && c[14 + count].bytes != NULL) {
    ++count;
  }
  const linnet_constraint_kind kind =
      is(c[13], "regex") ? LINNET_CONSTRAINT_REGEX
                         : (is(c[13], "choices") ? LINNET_CONSTRAINT_CHOICES : LINNET_CONSTRAINT_JSON_SCHEMA);
  return linnet_constraint_create(task, kind, &c[14], count, constraint);
}

/* Take a token of a constrained text, and set `finished` to 1 if nothing can follow. */
static linnet_status advance(linnet_constraint* constraint, int64_t id, int32_t* finished) {
  linnet_constraint_progress progress = {0, 0, 0};
  linnet_status status = linnet_constraint_advance(constraint, id);
  if (status == LINNET_OK) {
    status = linnet_constraint_read_progress(constraint, &progress);
  }
  *finished = progress.finished;
  return status;
}

/* Choose tokens from the recorded logits until the completion ends, as the loop of a C program does. */
static linnet_status write_text(const column* c, linnet_text_stream* stream, linnet_constraint* constraint,
                                int64_t* ids, size_t prompt, const linnet_sampling* sampling,
                                int64_t context) {
  size_t total = prompt;
  completion.reason = "length";
  const size_t most = (size_t)integer(c[3]);
  output_next = most == 0 ? output_count : 0; /* the logits behind the prompt are computed, not read */
  for (size_t made = 0; made < most && completion.reason[0] == 'l'; ++made) {
    if (output_next == output_count) {
      fail("more tokens than recorded outputs");
      return LINNET_RUN_FAILED;
    }
    const linnet_tensor* logits = &outputs[output_next++];
    linnet_text piece = {NULL, 0};
    float* logarithm = &completion.log_probabilities[made];
    int32_t finished = 0;
    const size_t size = (size_t)logits->shape[1];
    linnet_status status =
        constraint == NULL
            ? linnet_choose_token(sampling, logits->data, size, ids, total, prompt, &ids[total], logarithm)
            : linnet_constraint_choose_token(constraint, most - made, sampling, logits->data, size, ids,
                                             total, prompt, &ids[total], logarithm);
    if (status != LINNET_OK) {
      return status;
    }
    if (linnet_task_is_end(task, ids[total])) {
      completion.reason = "stop";
      ++total;
      break;
    }
    status = linnet_text_stream_push(stream, ids[total], &piece);
    if (status != LINNET_OK) {
      return status;
    }
    say(piece);
    status = constraint == NULL ? LINNET_OK : advance(constraint, ids[total], &finished);
    if (status != LINNET_OK) {
      return status;
    }
    completion.ids[completion.count++] = ids[total++];
    completion.reason =
        finished || cut_at(c[12]) ? "stop" : ((int64_t)total >= context ? "context" : "length");
  }
  linnet_text rest = {NULL, 0};
  const linnet_status status = linnet_text_stream_finish(stream, &rest);
  if (completion.reason[0] != 's' || c[12].bytes == NULL) {
    say(rest);
  }
  const size_t ran = total > prompt ? total - 1 : prompt; /* the last token does not run */
  const column expected = {expected_inputs[0], strlen(expected_inputs[0])};
  require(same_numbers(ids, ran, expected), "tokens that run");
  return status;
}

static linnet_status generate(const column* c) {
  static int64_t ids[2 * kMostTokens];
  const linnet_tokenizer* tokenizer = NULL;
  linnet_text_stream* stream = NULL;
  linnet_constraint* constraint = NULL;
  linnet_sampling sampling;
  linnet_value context = {0};
  linnet_status status = linnet_task_tokenizer(task, &tokenizer);
  status = status == LINNET_OK ? linnet_task_value(task, "max_length", &context) : status;
  status = status == LINNET_OK ? read_sampling(c, &sampling) : status;
  status = status == LINNET_OK ? encode_prompt(c, tokenizer, ids, &completion.prompt_tokens) : status;
  status = status == LINNET_OK ? linnet_text_stream_create(tokenizer, 1, &stream) : status;
  status = status == LINNET_OK ? make_constraint(c, &constraint) : status;
  if (status == LINNET_OK) {
    status = write_text(c, stream, constraint, ids, completion.prompt_tokens, &sampling, context.integer);
  }
  linnet_constraint_free(constraint);
  linnet_text_stream_free(stream);
  return status;
}

void check_completion(const column* c) {
  if (completion.reason == NULL) {
    fail("no completion was made");
    return;
  }
  const linnet_text text = {completion.text, completion.size};
  require(is(c[1], completion.reason), "reason of the end");
  require(completion.prompt_tokens == (size_t)integer(c[2]), "tokens of the prompt");
  require(same_numbers(completion.ids, completion.count, c[3]), "ids of a completion");
  require(same(text, c[5]), "text of a completion");
  const char* at = c[4].bytes;
  for (size_t i = 0; i < completion.count; ++i) {
    require(near((double)completion.log_probabilities[i], strtod(at, (char**)&at)), "log probability");
  }
  completion.reason = NULL;
}

linnet_status run_generation(const column* c) {
  memset(&completion, 0, sizeof completion);
  return is(c[0], "stream") ? stream_text(c) : (is(c[0], "chat") ? chat(c) : generate(c));
}

void finish_generation(void) {
  require(completion.reason == NULL, "no completion was expected");
  completion.reason = NULL;
}
