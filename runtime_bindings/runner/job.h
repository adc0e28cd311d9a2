/* What is run: token ids, from a job file or from a text of the runner's own. */
#ifndef LINNET_RUNNER_JOB_H
#define LINNET_RUNNER_JOB_H

#include <stddef.h>
#include <stdint.h>

#include "linnet.h"

enum { MAX_INPUTS = 4 };

/* One input of `forward`: `count` tensors int64 [1, tokens], one after the other in `values`. */
typedef struct {
  int64_t tokens;
  size_t count;
  int64_t* values;
  int64_t* rows;     /* of a case: which rows of its outputs are told */
  int64_t row_count; /* -1: all */
} job_input;

typedef struct {
  job_input* lengths;
  size_t length_count;
  job_input* cases;
  size_t case_count;
} job;

/* Reads a job file: words separated by white space,
 *
 *   linnet-bench-job 1 INPUTS
 *   length TOKENS (INPUTS times TOKENS ids)
 *   case TOKENS (the same) ROWS (that many row numbers; ROWS is -1 for all)
 *
 * Returns NULL, or what is wrong with it. */
const char* job_read(const char* path, job* made);
/* Makes inputs of these lengths from English text by the file's own tokenizer; longer ones than the file
 * takes are cut to its bound, and each is made once. Returns NULL, or what is wrong. */
const char* job_make(const linnet_model* model, const int64_t* lengths, size_t count, job* made);
void job_free(job* made);
/* The tensors of an input; `tensors` has MAX_INPUTS places. */
void job_tensors(const job_input* input, linnet_tensor* tensors);

#endif
