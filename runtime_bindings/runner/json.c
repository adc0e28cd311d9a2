#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

void json_string(const char* text, size_t size) {
  putchar('"');
  for (size_t i = 0; i < size; ++i) {
    const unsigned char byte = (unsigned char)text[i];
    if (byte == '"' || byte == '\\') {
      printf("\\%c", byte);
    } else if (byte < 0x20) {
      printf("\\u%04x", byte);
    } else {
      putchar(byte);
    }
  }
  putchar('"');
}

void json_integers(const int64_t* values, size_t count) {
  putchar('[');
  for (size_t i = 0; i < count; ++i) {
    printf(i ? ", %" PRId64 : "%" PRId64, values[i]);
  }
  putchar(']');
}

void json_float(double value) {
  if (isfinite(value)) {
    printf("%.9g", value);
  } else {
    fputs("null", stdout);
  }
}
