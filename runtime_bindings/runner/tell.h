/* What the runner says: events of the protocol, one JSON object a line, or a table for people. */
#ifndef LINNET_RUNNER_TELL_H
#define LINNET_RUNNER_TELL_H

#include <stddef.h>
#include <stdint.h>

#include "linnet.h"
#include "timing.h"

/* Samples of one kind in nanoseconds, in their order, and their statistics. `tokens` is what one sample ran.
 */
typedef struct {
  int64_t tokens;
  int64_t warmup;
  const int64_t* samples;
  size_t count;
  summary of;
} timed;

/* Tell an error and return the exit status. */
int tell_failure(int events, linnet_status status, const char* message);
/* The same with the message of linnet_last_error(). */
int tell_last_failure(int events, linnet_status status);
/* Tell that the answer changed while it was timed, and return the exit status. */
int tell_wrong(int events, const char* message);
/* Tell facts about the file and the runtime, and the first times. */
void tell_opened(int events, const linnet_model* model, int64_t load_ns, int64_t first_ns);
/* Tell which length comes next. */
void tell_measuring(int events, int64_t tokens);
/* Tell the times of one length. */
void tell_length(int events, const timed* of);
/* Tell the times of a decoder behind prompts of one length: of the first token, and of each further one. */
void tell_decode(int events, int64_t context, const timed* first, const timed* token);

#endif
