#include "tell.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "json.h"

enum { FAILED = 1 };

static const char* const FACTS[] = {"task",     "model_type",         "recipe", "source", "source_commit",
                                    "producer", "executorch_version", NULL};

int tell_failure(int events, linnet_status status, const char* message) {
  if (events) {
    printf("{\"event\": \"failed\", \"status\": %" PRId32 ", \"name\": ", status);
    json_string(linnet_status_name(status), strlen(linnet_status_name(status)));
    fputs(", \"message\": ", stdout);
    json_string(message, strlen(message));
    puts("}");
    fflush(stdout);
  } else {
    fprintf(stderr, "linnet_bench: %s\n", message);
  }
  return FAILED;
}

int tell_last_failure(int events, linnet_status status) {
  return tell_failure(events, status, linnet_last_error());
}

static void tell_fact(const linnet_model* model, const char* name) {
  linnet_value value;
  const int there = linnet_model_value(model, name, &value) == LINNET_OK && value.type == LINNET_STRING;
  printf("\"%s\": ", name);
  json_string(there ? value.bytes : "", there ? value.size : 0);
  fputs(", ", stdout);
}

/* Write the "key=value" lines of linnet_runtime_info() as a JSON object. */
static void tell_runtime(void) {
  const char* line = linnet_runtime_info();
  const char* separator = "";
  putchar('{');
  while (*line != '\0') {
    const size_t size = strcspn(line, "\n");
    const char* equals = memchr(line, '=', size);
    if (equals != NULL) {
      fputs(separator, stdout);
      json_string(line, (size_t)(equals - line));
      fputs(": ", stdout);
      json_string(equals + 1, size - (size_t)(equals - line) - 1);
      separator = ", ";
    }
    line += size + (line[size] == '\n');
  }
  putchar('}');
}

void tell_opened(int events, const linnet_model* model, int64_t load_ns, int64_t first_ns) {
  if (!events) {
    printf("load %.2f ms, then the first run %.2f ms\n", (double)load_ns / 1e6, (double)first_ns / 1e6);
    printf("%8s %10s %10s %10s %10s %8s\n", "tokens", "p50 ms", "p90 ms", "p99 ms", "tokens/s", "samples");
    fflush(stdout);
    return;
  }
  linnet_value bound = {.integer = 0};
  linnet_model_value(model, "max_length", &bound);
  printf("{\"event\": \"opened\", \"load_ns\": %" PRId64 ", \"first_answer_ns\": %" PRId64 ", \"facts\": {",
         load_ns, first_ns);
  for (const char* const* name = FACTS; *name != NULL; ++name) {
    tell_fact(model, *name);
  }
  printf("\"max_length\": %" PRId64 "}, \"runtime\": ", bound.integer);
  tell_runtime();
  puts(", \"example\": \"\"}");
  fflush(stdout);
}

void tell_measuring(int events, int64_t tokens) {
  if (events) {
    printf("{\"event\": \"measuring\", \"tokens\": %" PRId64 "}\n", tokens);
    fflush(stdout);
  }
}

int tell_wrong(int events, const char* message) {
  if (!events) {
    fprintf(stderr, "linnet_bench: WRONG: %s\n", message);
    return FAILED;
  }
  fputs(
      "{\"event\": \"checked\", \"check\": {\"cases\": 0, \"before\": true, \"after\": false, \"message\": ",
      stdout);
  json_string(message, strlen(message));
  puts("}}");
  fflush(stdout);
  return FAILED;
}

/* Write the result of samples as one line for people, or as an object of the protocol. */
static void tell_result(int events, const char* what, const timed* of) {
  const double speed = (double)of->tokens / ((double)of->of.p50 / 1e9);
  if (!events) {
    printf("%s %10.3f %10.3f %10.3f %10.0f %8zu\n", what, (double)of->of.p50 / 1e6, (double)of->of.p90 / 1e6,
           (double)of->of.p99 / 1e6, speed, of->count);
    return;
  }
  printf("{\"tokens\": %" PRId64 ", \"warmup_runs\": %" PRId64
         ", \"summary\": {\"samples\": %zu, \"p50_ns\": %" PRId64 ", \"p90_ns\": %" PRId64
         ", \"p99_ns\": %" PRId64 ", \"mean_ns\": %.3f, \"min_ns\": %" PRId64 ", \"max_ns\": %" PRId64
         ", \"stdev_ns\": %.3f}, \"tokens_per_second\": %.9g, \"samples_ns\": ",
         of->tokens, of->warmup, of->count, of->of.p50, of->of.p90, of->of.p99, of->of.mean, of->of.min,
         of->of.max, of->of.stdev, speed);
  json_integers(of->samples, of->count);
  putchar('}');
}

void tell_length(int events, const timed* of) {
  char what[24];
  snprintf(what, sizeof what, "%8" PRId64, of->tokens);
  if (!events) {
    tell_result(events, what, of);
    fflush(stdout);
    return;
  }
  fputs("{\"event\": \"length\", \"result\": ", stdout);
  tell_result(events, what, of);
  puts("}");
  fflush(stdout);
}

void tell_decode(int events, int64_t context, const timed* first, const timed* token) {
  if (!events) {
    tell_result(events, "   first", first);
    tell_result(events, "    next", token);
    fflush(stdout);
    return;
  }
  printf("{\"event\": \"decode\", \"result\": {\"context\": %" PRId64 ", \"first_token\": ", context);
  tell_result(events, "", first);
  fputs(", \"token\": ", stdout);
  tell_result(events, "", token);
  puts("}}");
  fflush(stdout);
}
