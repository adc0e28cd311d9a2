/* Job of the runner: the token ids to run, from a job file or from a text of its own. */
#ifndef LINNET_RUNNER_JOB_H
#define LINNET_RUNNER_JOB_H

#include <stddef.h>
#include <stdint.h>

#include "linnet.h"

enum { MAX_INPUTS = 4 };

/* One input of `forward`: `count` tensors int64 [1, tokens], one after the other in `values`. The pointers
 * belong to the job. */
typedef struct {
  int64_t tokens;
  size_t count;
  int64_t* values;
  int64_t* rows;     /* of a case: which rows of its outputs are printed */
  int64_t row_count; /* -1: all */
} job_input;

typedef struct {
  job_input* lengths;
  size_t length_count;
  job_input* cases;
  size_t case_count;
} job;

/* Read a job file into `made`: words separated by white space,
 *
 *   linnet-bench-job 1 INPUTS
 *   length TOKENS (INPUTS times TOKENS ids)
 *   case TOKENS (the same) ROWS (that many row numbers; ROWS is -1 for all)
 *
 * A decoder has one input; lines of one length that follow each other are prompts that take turns, and the
 * rows of a case are the recorded likeliest tokens, one behind each of its tokens.
 *
 * Return NULL, or a message that says what is wrong with it. The caller frees the job in either case. */
const char* job_read(const char* path, job* made);
/* Make inputs of these lengths, in tokens, from English text by the file's own tokenizer. Lengths above the
 * file's bound become the bound, and each is made once. Return NULL, or a message, which is valid until the
 * next call of linnet. The caller frees the job in either case. */
const char* job_make(const linnet_model* model, const int64_t* lengths, size_t count, job* made);
/* Free what a job holds, not the job itself. */
void job_free(job* made);
/* Write the tensors of an input, borrowed from it, to `tensors`, which has MAX_INPUTS places. */
void job_tensors(const job_input* input, linnet_tensor* tensors);

#endif
