/* Clock, samples and their figures, by the definitions of benchmarks/linnet_bench/record/statistics.py. */
#ifndef LINNET_RUNNER_TIMING_H
#define LINNET_RUNNER_TIMING_H

#include <stddef.h>
#include <stdint.h>

/* How long to measure one length: `samples`, or as many as `seconds` allow between `least` and `most`. */
typedef struct {
  double seconds;
  int64_t samples; /* 0: the seconds decide */
  int64_t least;
  int64_t most;
  double warmup_seconds;
  int64_t warmup_runs;
} budget;

typedef struct {
  int64_t p50, p90, p99, min, max;
  double mean, stdev; /* sample standard deviation, 0 for one sample; all in nanoseconds */
} summary;

/* Nanoseconds of a monotonic clock. */
int64_t now_ns(void);
/* Whether that many samples in that time are enough. */
int budget_done(const budget* limit, int64_t samples, int64_t elapsed_ns);
/* The nearest-rank percentile (Hyndman & Fan 1996, definition 1) of rising samples; 0 < q <= 100. */
int64_t percentile(const int64_t* rising, size_t count, int64_t q);
/* Figures of at least one sample; `scratch` has room for as many. */
summary summarize(const int64_t* samples, size_t count, int64_t* scratch);

#endif
