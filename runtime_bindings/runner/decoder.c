#include "decoder.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "tell.h"

enum { DECODED = 32, FIRST_VALUES = 64, MOST_PROMPTS = 1 << 20 }; /* DECODED as in measure/decoder.py */

static const double DRIFT = 1e-4; /* allowed, relative to the largest logit, as in measure/probe.py */
static const linnet_sampling GREEDY = {.top_p = 1.0F, .repetition_penalty = 1.0F};

int is_decoder(const linnet_model* model) {
  linnet_value layers = {.integer = 0};
  return linnet_model_value(model, "cache_layers", &layers) == LINNET_OK && layers.integer > 0;
}

int decoder_open(decoder* made, int events, linnet_model* model, const budget* limit) {
  memset(made, 0, sizeof *made);
  made->events = events;
  made->limit = limit;
  made->most = limit->samples > 0 ? limit->samples : limit->most;
  made->most = made->most < MOST_PROMPTS ? made->most : MOST_PROMPTS;
  const linnet_status status = linnet_generation_create(model, 0, &made->text);
  if (status != LINNET_OK) {
    return tell_last_failure(events, status);
  }
  const size_t most = (size_t)made->most;
  made->prefill = malloc((2 + 2 * DECODED) * most * sizeof *made->prefill);
  made->logits = malloc(linnet_generation_vocab_size(made->text) * sizeof *made->logits);
  if (made->prefill == NULL || made->logits == NULL) {
    return tell_failure(events, LINNET_OUT_OF_MEMORY, "memory ran out");
  }
  made->first = made->prefill + most;
  made->token = made->first + most;
  made->scratch = made->token + DECODED * most;
  return 0;
}

void decoder_close(decoder* made) {
  linnet_generation_free(made->text);
  free(made->prefill);
  free(made->logits);
}

static linnet_status choose(decoder* made, int64_t* id) {
  return linnet_generation_sample(made->text, &GREEDY, 0, id, NULL);
}

/* Run a prompt; write the time of the run, of the first token too, and the token. */
static linnet_status run_prompt(decoder* made, const job_input* prompt, int64_t* prefill, int64_t* first,
                                int64_t* id) {
  linnet_status status = linnet_generation_rewind(made->text, 0);
  const int64_t start = now_ns();
  if (status == LINNET_OK) {
    status = linnet_generation_append(made->text, prompt->values, (size_t)prompt->tokens);
  }
  *prefill = now_ns() - start;
  if (status == LINNET_OK) {
    status = choose(made, id);
  }
  *first = now_ns() - start;
  return status;
}

/* Run DECODED tokens behind a prompt, at the same places again where the context ends. */
static linnet_status run_tokens(decoder* made, const job_input* prompt, int64_t id, int64_t* times) {
  const size_t room = linnet_generation_capacity(made->text) - (size_t)prompt->tokens;
  linnet_status status = LINNET_OK;
  for (size_t i = 0; i < DECODED && status == LINNET_OK; ++i) {
    if (i > 0 && i % room == 0) {
      status = linnet_generation_rewind(made->text, (size_t)prompt->tokens);
    }
    const int64_t start = now_ns();
    if (status == LINNET_OK) {
      status = linnet_generation_append(made->text, &id, 1);
    }
    if (status == LINNET_OK) {
      status = choose(made, &id);
    }
    times[i] = now_ns() - start;
  }
  return status;
}

int decoder_first(decoder* made, const job_input* prompt, int64_t* elapsed) {
  int64_t ignored = 0;
  const linnet_status status = run_prompt(made, prompt, &ignored, elapsed, &ignored);
  return status == LINNET_OK ? 0 : tell_last_failure(made->events, status);
}

/* ---- golden cases ------------------------------------------------------------------------------ */

/* Write, for each token of a case, the logit at the recorded place, and the largest one with its place. */
static linnet_status answer_case(decoder* made, const job_input* input, size_t number) {
  const size_t width = linnet_generation_vocab_size(made->text);
  const size_t tokens = (size_t)input->tokens;
  float* const logits = malloc(tokens * width * sizeof *logits);
  if (logits == NULL) {
    return LINNET_OUT_OF_MEMORY;
  }
  linnet_status status = linnet_generation_rewind(made->text, 0);
  if (status == LINNET_OK) {
    status = linnet_generation_score(made->text, input->values, tokens, logits);
  }
  if (status == LINNET_OK) {
    const size_t values = tokens * width < FIRST_VALUES ? tokens * width : FIRST_VALUES;
    printf("{\"event\": \"outputs\", \"case\": %zu, \"outputs\": [{\"shape\": [%zu, %zu], \"values\": [",
           number, tokens, width);
    for (size_t i = 0; i < values; ++i) {
      fputs(i ? ", " : "", stdout);
      json_float((double)logits[i]);
    }
    fputs("], \"rows\": [", stdout);
    for (size_t i = 0; i < tokens; ++i) {
      const float* const row = logits + i * width;
      size_t best = 0;
      for (size_t j = 1; j < width; ++j) {
        best = row[j] > row[best] || isnan(row[best]) ? j : best;
      }
      const int64_t place = (int64_t)i < input->row_count ? input->rows[i] : -1;
      printf("%s[%zu, ", i ? ", " : "", best);
      json_float((double)row[best]);
      fputs(", ", stdout);
      json_float(place >= 0 && place < (int64_t)width ? (double)row[place] : (double)NAN);
      putchar(']');
    }
    puts("]}]}");
    fflush(stdout);
  }
  free(logits);
  return status;
}

int decoder_cases(decoder* made, const job* work) {
  for (size_t i = 0; i < work->case_count; ++i) {
    const linnet_status status = answer_case(made, &work->cases[i], i);
    if (status == LINNET_OUT_OF_MEMORY) {
      return tell_failure(made->events, status, "memory ran out");
    }
    if (status != LINNET_OK) {
      return tell_last_failure(made->events, status);
    }
  }
  return 0;
}

/* ---- the timed loop ---------------------------------------------------------------------------- */

/* Keep the logits behind a prompt, or, with `again`, compare them with those that were kept: 1 if they are
 * finite and the same but for the order of sums, else 0. */
static linnet_status look(decoder* made, const job_input* prompt, int again, int* same) {
  int64_t ignored = 0;
  const float* logits = NULL;
  size_t count = 0;
  linnet_status status = run_prompt(made, prompt, &ignored, &ignored, &ignored);
  if (status == LINNET_OK) {
    status = linnet_generation_logits(made->text, &logits, &count);
  }
  *same = 1;
  double largest = 1;
  double drift = 0;
  for (size_t i = 0; status == LINNET_OK && i < count; ++i) {
    *same = *same && isfinite(logits[i]);
    largest = fmax(largest, fabs((double)logits[i]));
    drift = again ? fmax(drift, fabs((double)logits[i] - (double)made->logits[i])) : 0;
    made->logits[i] = logits[i];
  }
  *same = *same && drift <= DRIFT * largest;
  return status;
}

static linnet_status take_samples(decoder* made, const job_input* prompts, size_t prompt_count,
                                  int64_t* count, int64_t* warmup) {
  linnet_status status = LINNET_OK;
  int64_t id = 0;
  size_t next = 0;
  int64_t start = now_ns();
  for (*warmup = 0; status == LINNET_OK && (*warmup < made->limit->warmup_runs ||
                                            (double)(now_ns() - start) < made->limit->warmup_seconds * 1e9);
       ++*warmup) {
    const job_input* const prompt = &prompts[next++ % prompt_count];
    status = run_prompt(made, prompt, made->prefill, made->first, &id);
    if (status == LINNET_OK) {
      status = run_tokens(made, prompt, id, made->token);
    }
  }
  start = now_ns();
  for (*count = 0;
       status == LINNET_OK && *count < made->most && !budget_done(made->limit, *count, now_ns() - start);
       ++*count) {
    const job_input* const prompt = &prompts[next++ % prompt_count];
    status = run_prompt(made, prompt, &made->prefill[*count], &made->first[*count], &id);
    if (status == LINNET_OK) {
      status = run_tokens(made, prompt, id, &made->token[*count * DECODED]);
    }
  }
  return status;
}

static timed result_of(const decoder* made, int64_t tokens, int64_t warmup, const int64_t* samples,
                       int64_t count) {
  const timed of = {tokens, warmup, samples, (size_t)count, summarize(samples, (size_t)count, made->scratch)};
  return of;
}

static int time_prompts(decoder* made, const job_input* prompts, size_t prompt_count) {
  const int64_t tokens = prompts[0].tokens;
  if ((uint64_t)tokens >= linnet_generation_capacity(made->text)) {
    return tell_failure(made->events, LINNET_CONTEXT_FULL, "a prompt leaves no room for a token behind it");
  }
  tell_measuring(made->events, tokens);
  int before = 0;
  int after = 0;
  int64_t count = 0;
  int64_t warmup = 0;
  linnet_status status = look(made, &prompts[0], 0, &before);
  if (status == LINNET_OK) {
    status = take_samples(made, prompts, prompt_count, &count, &warmup);
  }
  if (status == LINNET_OK) {
    status = look(made, &prompts[0], 1, &after);
  }
  if (status != LINNET_OK) {
    return tell_last_failure(made->events, status);
  }
  if (!before || !after) {
    return tell_wrong(made->events, "the logits were NaN, or changed while they were timed");
  }
  const timed prefill = result_of(made, tokens, warmup, made->prefill, count);
  const timed first = result_of(made, tokens, warmup, made->first, count);
  const timed token = result_of(made, 1, warmup * DECODED, made->token, count * DECODED);
  tell_length(made->events, &prefill);
  tell_decode(made->events, tokens, &first, &token);
  return 0;
}

int decoder_lengths(decoder* made, const job* work) {
  int result = 0;
  for (size_t i = 0; i < work->length_count && result == 0;) {
    size_t end = i + 1;
    while (end < work->length_count && work->lengths[end].tokens == work->lengths[i].tokens) {
      ++end;
    }
    result = time_prompts(made, &work->lengths[i], end - i);
    i = end;
  }
  return result;
}
