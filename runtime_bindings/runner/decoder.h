/* Measurement of a decoder: prompts, and one token at a time behind each. */
#ifndef LINNET_RUNNER_DECODER_H
#define LINNET_RUNNER_DECODER_H

#include <stdint.h>

#include "job.h"
#include "linnet.h"
#include "timing.h"

/* A text, and room for the times of its parts. */
typedef struct {
  int events;
  const budget* limit;
  linnet_generation* text;
  int64_t* prefill; /* `most` times, as many of the first token, and DECODED times as many of others */
  int64_t* first;
  int64_t* token;
  int64_t* scratch;
  float* logits;
  int64_t most;
} decoder;

/* Tell whether the file generates text. */
int is_decoder(const linnet_model* model);
/* Make an empty text of the model, which must outlive it; return an exit status. The caller closes it in
 * either case. */
int decoder_open(decoder* made, int events, linnet_model* model, const budget* limit);
/* Free what a decoder holds. */
void decoder_close(decoder* made);
/* Time the first token behind a prompt, which loads the method; return an exit status. */
int decoder_first(decoder* made, const job_input* prompt, int64_t* elapsed);
/* Run the golden cases and write what is compared of their logits; return an exit status. */
int decoder_cases(decoder* made, const job* work);
/* Time every length and write the results; return an exit status. */
int decoder_lengths(decoder* made, const job* work);

#endif
