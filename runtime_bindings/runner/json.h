/* Writes JSON values to stdout; nothing of JSON is read. */
#ifndef LINNET_RUNNER_JSON_H
#define LINNET_RUNNER_JSON_H

#include <stddef.h>
#include <stdint.h>

/* A quoted and escaped string of `size` bytes of UTF-8. */
void json_string(const char* text, size_t size);
/* [1, 2, 3] */
void json_integers(const int64_t* values, size_t count);
/* A number with all digits of a float32; null for NaN and infinity, which JSON does not have. */
void json_float(double value);

#endif
