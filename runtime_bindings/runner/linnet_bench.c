/* linnet_bench - latency benchmark of a linnet file where there is no Python: on a phone, on a small board.
 *
 *   linnet_bench FILE [--lengths 8,32,128] [--threads 1] [--seconds 1 | --samples N] [--job JOB] [--events]
 *
 * It loads the file, warms up, and times `forward` at each length, as `linnet bench` does; of a decoder,
 * prompts of each length and what follows them. --events writes the events of
 * benchmarks/linnet_bench/measure/protocol.py, one JSON object a line, and one more: "outputs" holds the
 * outputs for the cases of the job, once before and once after the measurement. The program that reads the
 * events compares them. Exit status: 0 success, 1 failure, 2 wrong usage. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoder.h"
#include "job.h"
#include "json.h"
#include "linnet.h"
#include "machine_state.h"
#include "tell.h"
#include "timing.h"

enum { MOST_LENGTHS = 64, USAGE = 2 };

static const double DRIFT = 1e-4; /* allowed, relative to the largest output, as in measure/probe.py */

typedef struct {
  const char* file;
  const char* job;
  int64_t lengths[MOST_LENGTHS];
  size_t length_count;
  int32_t threads;
  int events;
  linnet_fused fused;
  int32_t activation_bits; /* 0, 7 or 8 */
  budget limit;
} settings;

/* ---- arguments --------------------------------------------------------------------------------- */

static int usage(const char* problem) {
  fprintf(stderr,
          "linnet_bench: %s\n"
          "usage: linnet_bench FILE [--lengths 8,32,128] [--threads N] [--seconds S | --samples N]\n"
          "                    [--least N] [--most N] [--warmup-seconds S] [--warmup-runs N] [--job JOB] "
          "[--events]\n",
          problem);
  return USAGE;
}

static int read_lengths(const char* text, settings* made) {
  made->length_count = 0;
  while (*text != '\0' && made->length_count < MOST_LENGTHS) {
    char* end = NULL;
    const long long value = strtoll(text, &end, 10);
    if (end == text || value < 1 || (*end != ',' && *end != '\0')) {
      return 0;
    }
    made->lengths[made->length_count++] = value;
    text = *end == ',' ? end + 1 : end;
  }
  return made->length_count > 0 && *text == '\0';
}

static int read_positive(const char* text, double most, double* value) {
  char* end = NULL;
  *value = strtod(text, &end);
  return end != text && *end == '\0' && *value > 0 && *value <= most;
}

static int read_fused(const char* text, linnet_fused* fused) {
  const char* const names[] = {"no", "auto", "yes"};
  const linnet_fused values[] = {LINNET_FUSED_NEVER, LINNET_FUSED_WHERE_FASTER, LINNET_FUSED_ALWAYS};
  for (size_t i = 0; i < sizeof values / sizeof *values; ++i) {
    if (strcmp(text, names[i]) == 0) {
      *fused = values[i];
      return 1;
    }
  }
  return 0;
}

/* Read an option; return 1, 0 if its value is wrong, or -1 if there is no such option. */
static int read_option(const char* name, const char* text, settings* made) {
  double value = 0;
  if (strcmp(name, "--job") == 0) {
    made->job = text;
    return 1;
  }
  if (strcmp(name, "--fused") == 0) {
    return read_fused(text, &made->fused);
  }
  if (strcmp(name, "--activation-bits") == 0) {
    made->activation_bits = strcmp(text, "7") == 0 ? 7 : strcmp(text, "8") == 0 ? 8 : 0;
    return made->activation_bits != 0 || strcmp(text, "0") == 0;
  }
  if (strcmp(name, "--lengths") == 0) {
    return read_lengths(text, made);
  }
  if (strcmp(name, "--seconds") == 0) {
    return read_positive(text, 3600, &made->limit.seconds);
  }
  if (strcmp(name, "--warmup-seconds") == 0) {
    return read_positive(text, 3600, &made->limit.warmup_seconds);
  }
  const struct {
    const char* name;
    int64_t* place;
  } counts[] = {{"--samples", &made->limit.samples},
                {"--least", &made->limit.least},
                {"--most", &made->limit.most},
                {"--warmup-runs", &made->limit.warmup_runs}};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; ++i) {
    if (strcmp(name, counts[i].name) == 0) {
      const int right = read_positive(text, 1e8, &value);
      *counts[i].place = (int64_t)value;
      return right && *counts[i].place >= 1;
    }
  }
  if (strcmp(name, "--threads") == 0) {
    const int right = read_positive(text, 1024, &value);
    made->threads = (int32_t)value;
    return right && made->threads >= 1;
  }
  return -1;
}

static int read_arguments(int count, char** words, settings* made) {
  const settings defaults = {
      .lengths = {8, 32, 128},
      .length_count = 3,
      .threads = 1,
      .fused = LINNET_FUSED_WHERE_FASTER,
      .limit = {.seconds = 1.0, .least = 20, .most = 20000, .warmup_seconds = 0.1, .warmup_runs = 3}};
  *made = defaults;
  for (int i = 1; i < count; ++i) {
    if (strcmp(words[i], "--events") == 0) {
      made->events = 1;
    } else if (words[i][0] != '-') {
      made->file = words[i];
    } else {
      const int found = read_option(words[i], i + 1 < count ? words[i + 1] : "", made);
      if (found != 1) {
        return usage(found == 0 ? "an option has a value that it cannot have" : "there is no such option");
      }
      ++i;
    }
  }
  return made->file == NULL ? usage("FILE is missing") : 0;
}

/* ---- outputs for the cases --------------------------------------------------------------------- */

static int64_t elements(const linnet_tensor* tensor) {
  int64_t count = 1;
  for (int32_t i = 0; i < tensor->rank; ++i) {
    count *= tensor->shape[i];
  }
  return count;
}

static void tell_values(const float* values, int64_t count, const char** separator) {
  for (int64_t i = 0; i < count; ++i) {
    fputs(*separator, stdout);
    json_float((double)values[i]);
    *separator = ", ";
  }
}

/* Write the wanted rows of an output, or all of it. Rows count along the second axis, the tokens; those that
 * do not exist are left out. */
static void tell_rows(const linnet_tensor* output, const job_input* input) {
  const char* separator = "";
  const int64_t all = elements(output);
  if (input->row_count < 0 || output->rank < 2 || output->shape[1] < 1) {
    tell_values(output->data, all, &separator);
    return;
  }
  const int64_t width = all / output->shape[1];
  for (int64_t i = 0; i < input->row_count; ++i) {
    const int64_t row = input->rows[i];
    if (row >= 0 && row < output->shape[1]) {
      tell_values((const float*)output->data + row * width, width, &separator);
    }
  }
}

static void tell_outputs(const linnet_outputs* outputs, const job_input* input, size_t number) {
  printf("{\"event\": \"outputs\", \"case\": %zu, \"outputs\": [", number);
  for (size_t i = 0; i < linnet_outputs_count(outputs); ++i) {
    linnet_tensor output;
    if (linnet_outputs_tensor(outputs, i, &output) != LINNET_OK || output.dtype != LINNET_FLOAT32) {
      continue;
    }
    printf("%s{\"shape\": ", i ? ", " : "");
    json_integers(output.shape, (size_t)output.rank);
    fputs(", \"values\": [", stdout);
    tell_rows(&output, input);
    fputs("]}", stdout);
  }
  puts("]}");
  fflush(stdout);
}

static linnet_status run(linnet_model* model, const job_input* input, linnet_outputs** outputs) {
  linnet_tensor tensors[MAX_INPUTS];
  job_tensors(input, tensors);
  return linnet_model_run(model, "forward", tensors, input->count, outputs);
}

static linnet_status answer_cases(linnet_model* model, const job* work) {
  for (size_t i = 0; i < work->case_count; ++i) {
    linnet_outputs* outputs = NULL;
    const linnet_status status = run(model, &work->cases[i], &outputs);
    if (status != LINNET_OK) {
      return status;
    }
    tell_outputs(outputs, &work->cases[i], i);
    linnet_outputs_free(outputs);
  }
  return LINNET_OK;
}

/* ---- the timed loop ---------------------------------------------------------------------------- */

/* Tell whether two runs of one input gave finite outputs that differ by no more than DRIFT, as with another
 * order of sums. */
static int steady(const linnet_outputs* before, const linnet_outputs* after) {
  for (size_t i = 0; i < linnet_outputs_count(before); ++i) {
    linnet_tensor one;
    linnet_tensor other;
    if (linnet_outputs_tensor(before, i, &one) != LINNET_OK ||
        linnet_outputs_tensor(after, i, &other) != LINNET_OK) {
      return 0;
    }
    const float* a = one.data;
    const float* b = other.data;
    double largest = 1;
    double drift = 0;
    for (int64_t j = 0; j < elements(&one); ++j) {
      if (!isfinite(a[j]) || !isfinite(b[j])) {
        return 0;
      }
      largest = fmax(largest, fabs((double)a[j]));
      drift = fmax(drift, fabs((double)a[j] - (double)b[j]));
    }
    if (drift > DRIFT * largest) {
      return 0;
    }
  }
  return 1;
}

static linnet_status timed_run(linnet_model* model, const job_input* input, int64_t* elapsed) {
  linnet_outputs* outputs = NULL;
  const int64_t start = now_ns();
  const linnet_status status = run(model, input, &outputs);
  *elapsed = now_ns() - start;
  linnet_outputs_free(outputs);
  return status;
}

static linnet_status take_samples(linnet_model* model, const job_input* input, const budget* limit,
                                  int64_t* samples, int64_t* count, int64_t* warmup) {
  int64_t ignored = 0;
  linnet_status status = LINNET_OK;
  int64_t start = now_ns();
  for (*warmup = 0; *warmup < limit->warmup_runs || (double)(now_ns() - start) < limit->warmup_seconds * 1e9;
       ++*warmup) {
    status = timed_run(model, input, &ignored);
    if (status != LINNET_OK) {
      return status;
    }
  }
  start = now_ns();
  for (*count = 0; !budget_done(limit, *count, now_ns() - start);) {
    status = timed_run(model, input, &samples[*count]);
    if (status != LINNET_OK) {
      return status;
    }
    ++*count;
  }
  return LINNET_OK;
}

/* Time one length and write its result; return an exit status. `samples` and `scratch` have room for the
 * largest number of samples. */
static int time_length(const settings* made, linnet_model* model, const job_input* input, int64_t* samples,
                       int64_t* scratch) {
  tell_measuring(made->events, input->tokens);
  linnet_outputs* before = NULL;
  linnet_outputs* after = NULL;
  int64_t count = 0;
  int64_t warmup = 0;
  linnet_status status = run(model, input, &before);
  if (status == LINNET_OK) {
    status = take_samples(model, input, &made->limit, samples, &count, &warmup);
  }
  if (status == LINNET_OK) {
    status = run(model, input, &after);
  }
  int result = 0;
  if (status != LINNET_OK) {
    result = tell_last_failure(made->events, status);
  } else if (!steady(before, after)) {
    result = tell_wrong(made->events, "forward gave NaN, or changed its answer while it was timed");
  } else {
    const timed of = {input->tokens, warmup, samples, (size_t)count,
                      summarize(samples, (size_t)count, scratch)};
    tell_length(made->events, &of);
  }
  linnet_outputs_free(before);
  linnet_outputs_free(after);
  return result;
}

static int time_lengths(const settings* made, linnet_model* model, const job* work) {
  const int64_t most = made->limit.samples > 0 ? made->limit.samples : made->limit.most;
  int64_t* samples = malloc(2 * (size_t)most * sizeof *samples);
  if (samples == NULL) {
    return tell_failure(made->events, LINNET_OUT_OF_MEMORY, "memory ran out");
  }
  int result = 0;
  for (size_t i = 0; i < work->length_count && result == 0; ++i) {
    result = time_length(made, model, &work->lengths[i], samples, samples + most);
  }
  free(samples);
  return result;
}

/* ---- the whole measurement --------------------------------------------------------------------- */

static void tell_finished(const settings* made) {
  if (!made->events) {
    printf("peak memory %.1f MB\n", (double)peak_memory() / 1e6);
    return;
  }
  fputs(
      "{\"event\": \"finished\", \"check\": {\"cases\": 0, \"before\": true, \"after\": null, \"message\": "
      "\"the C runner was given no golden cases, so no answer was checked\"}, \"after\": ",
      stdout);
  json_state();
  printf(", \"peak_memory\": %" PRId64 "}\n", peak_memory());
  fflush(stdout);
}

static int measure_decoder(const settings* made, linnet_model* model, const job* work, int64_t load_ns) {
  decoder text;
  int64_t first_ns = 0;
  int result = decoder_open(&text, made->events, model, &made->limit);
  if (result == 0) {
    result = decoder_first(&text, &work->lengths[0], &first_ns);
  }
  if (result == 0) {
    tell_opened(made->events, model, load_ns, first_ns);
    result = made->events ? decoder_cases(&text, work) : 0;
  }
  if (result == 0) {
    result = decoder_lengths(&text, work);
  }
  if (result == 0 && made->events) {
    result = decoder_cases(&text, work);
  }
  if (result == 0) {
    tell_finished(made);
  }
  decoder_close(&text);
  return result;
}

static int measure(const settings* made, linnet_model* model, const job* work, int64_t load_ns) {
  int64_t first_ns = 0;
  linnet_status status = linnet_model_set_fused(model, made->fused);
  if (status == LINNET_OK) {
    status = linnet_model_set_activation_bits(model, made->activation_bits);
  }
  if (status != LINNET_OK) {
    return tell_last_failure(made->events, status);
  }
  if (is_decoder(model) && made->fused == LINNET_FUSED_NEVER) {
    return tell_failure(made->events, LINNET_INVALID_ARGUMENT,
                        "expected custom kernels for a decoder, got --fused no; linnet runs no others there");
  }
  if (is_decoder(model)) {
    return measure_decoder(made, model, work, load_ns);
  }
  status = timed_run(model, &work->lengths[0], &first_ns);
  if (status != LINNET_OK) {
    return tell_last_failure(made->events, status);
  }
  tell_opened(made->events, model, load_ns, first_ns);
  if (made->events) {
    status = answer_cases(model, work);
  }
  if (status != LINNET_OK) {
    return tell_last_failure(made->events, status);
  }
  const int result = time_lengths(made, model, work);
  if (result != 0) {
    return result;
  }
  if (made->events) {
    status = answer_cases(model, work);
  }
  if (status != LINNET_OK) {
    return tell_last_failure(made->events, status);
  }
  tell_finished(made);
  return 0;
}

int main(int argc, char** argv) {
  settings made;
  const int wrong = read_arguments(argc, argv, &made);
  if (wrong) {
    return wrong;
  }
  linnet_model* model = NULL;
  const linnet_open_options options = {made.threads};
  const int64_t start = now_ns();
  const linnet_status status = linnet_model_open(made.file, &options, &model);
  const int64_t load_ns = now_ns() - start;
  if (status != LINNET_OK) {
    return tell_last_failure(made.events, status);
  }
  job work;
  const char* problem =
      made.job != NULL ? job_read(made.job, &work) : job_make(model, made.lengths, made.length_count, &work);
  const int result = problem != NULL ? tell_failure(made.events, LINNET_INVALID_ARGUMENT, problem)
                                     : measure(&made, model, &work, load_ns);
  job_free(&work);
  linnet_model_free(model);
  return result;
}
