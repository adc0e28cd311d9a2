/* Timing: clock, samples, and statistics as benchmarks/linnet_bench/record/statistics.py defines them. */
#ifndef LINNET_RUNNER_TIMING_H
#define LINNET_RUNNER_TIMING_H

#include <stddef.h>
#include <stdint.h>

/* How long to measure one length: until there are `samples`, or until `seconds` have passed, but at least
 * `least` and at most `most` samples. */
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
  double mean, stdev; /* of the sample (divided by n - 1), 0 for one sample; all in nanoseconds */
} summary;

/* Return nanoseconds of a monotonic clock, whose zero is arbitrary. */
int64_t now_ns(void);
/* Tell whether so many samples in so many nanoseconds are enough. */
int budget_done(const budget* limit, int64_t samples, int64_t elapsed_ns);
/* Return the nearest-rank percentile (Hyndman & Fan 1996, definition 1) of sorted samples; 0 < q <= 100. */
int64_t percentile(const int64_t* rising, size_t count, int64_t q);
/* Return the statistics of `count` samples, at least one; `scratch` has room for as many. */
summary summarize(const int64_t* samples, size_t count, int64_t* scratch);

#endif
