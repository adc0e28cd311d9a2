/* JSON writer: values go to stdout; no JSON is read. */
#ifndef LINNET_RUNNER_JSON_H
#define LINNET_RUNNER_JSON_H

#include <stddef.h>
#include <stdint.h>

/* Write a string of `size` bytes of UTF-8, quoted and escaped. */
void json_string(const char* text, size_t size);
/* Write a list of integers: [1, 2, 3]. */
void json_integers(const int64_t* values, size_t count);
/* Write a number with all digits of a float32; null for NaN and infinity, which JSON does not have. */
void json_float(double value);

#endif
