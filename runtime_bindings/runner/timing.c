#include "timing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int budget_done(const budget* limit, int64_t samples, int64_t elapsed_ns) {
  if (limit->samples > 0) {
    return samples >= limit->samples;
  }
  return samples >= limit->most || (samples >= limit->least && (double)elapsed_ns >= limit->seconds * 1e9);
}

static int compare(const void* left, const void* right) {
  const int64_t a = *(const int64_t*)left;
  const int64_t b = *(const int64_t*)right;
  return (a > b) - (a < b);
}

int64_t percentile(const int64_t* rising, size_t count, int64_t q) {
  const int64_t rank = (q * (int64_t)count + 99) / 100;
  return rising[rank < 1 ? 0 : rank - 1];
}

summary summarize(const int64_t* samples, size_t count, int64_t* scratch) {
  memcpy(scratch, samples, count * sizeof *samples);
  qsort(scratch, count, sizeof *scratch, compare);
  double sum = 0;
  for (size_t i = 0; i < count; ++i) {
    sum += (double)samples[i];
  }
  const double mean = sum / (double)count;
  double squares = 0;
  for (size_t i = 0; i < count; ++i) {
    squares += ((double)samples[i] - mean) * ((double)samples[i] - mean);
  }
  const summary found = {
      .p50 = percentile(scratch, count, 50),
      .p90 = percentile(scratch, count, 90),
      .p99 = percentile(scratch, count, 99),
      .min = scratch[0],
      .max = scratch[count - 1],
      .mean = mean,
      .stdev = count > 1 ? sqrt(squares / (double)(count - 1)) : 0,
  };
  return found;
}
