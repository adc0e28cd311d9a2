#include "job.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TOKENS = 1 << 16, MAX_ROWS = 1 << 16 };

static const char* const PARAGRAPH =
    "On the first morning of spring the harbour was quiet, and only two fishing boats had gone out. "
    "The woman who runs the little repair shop behind the station opened her door at seven, put the kettle "
    "on and "
    "read the list of orders: three radios, a lamp with a broken switch, and a weather station that kept "
    "reporting "
    "41 degrees in the shade. ";

static int read_numbers(FILE* file, int64_t* values, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (fscanf(file, "%" SCNd64, &values[i]) != 1) {
      return 0;
    }
  }
  return 1;
}

static const char* read_input(FILE* file, size_t count, int is_case, job_input* input) {
  if (fscanf(file, "%" SCNd64, &input->tokens) != 1 || input->tokens < 1 || input->tokens > MAX_TOKENS) {
    return "the job file has a length that is no number of tokens";
  }
  input->count = count;
  const size_t numbers = count * (size_t)input->tokens;
  input->values = malloc(numbers * sizeof *input->values);
  if (input->values == NULL) {
    return "memory ran out";
  }
  if (!read_numbers(file, input->values, numbers)) {
    return "the job file has fewer ids than it says";
  }
  if (!is_case) {
    return NULL;
  }
  if (fscanf(file, "%" SCNd64, &input->row_count) != 1 || input->row_count < -1 ||
      input->row_count > MAX_ROWS) {
    return "the job file has a case without its number of rows";
  }
  if (input->row_count > 0) {
    input->rows = malloc((size_t)input->row_count * sizeof *input->rows);
    if (input->rows == NULL || !read_numbers(file, input->rows, (size_t)input->row_count)) {
      return "the job file has fewer rows than it says";
    }
  }
  return NULL;
}

/* Add an input of zeros at the end of a list and return it, borrowed; NULL if memory ran out. */
static job_input* append(job_input** list, size_t* count) {
  job_input* longer = realloc(*list, (*count + 1) * sizeof *longer);
  if (longer == NULL) {
    return NULL;
  }
  *list = longer;
  memset(&longer[*count], 0, sizeof *longer);
  return &longer[(*count)++];
}

static const char* read_lines(FILE* file, job* made) {
  int version = 0;
  size_t inputs = 0;
  if (fscanf(file, "linnet-bench-job %d %zu", &version, &inputs) != 2 || version != 1 || inputs < 1 ||
      inputs > MAX_INPUTS) {
    return "the job file does not begin with \"linnet-bench-job 1 INPUTS\"";
  }
  char word[16];
  while (fscanf(file, "%15s", word) == 1) {
    const int is_case = strcmp(word, "case") == 0;
    if (!is_case && strcmp(word, "length") != 0) {
      return "the job file has a word that is neither \"length\" nor \"case\"";
    }
    job_input* input =
        is_case ? append(&made->cases, &made->case_count) : append(&made->lengths, &made->length_count);
    const char* problem = input == NULL ? "memory ran out" : read_input(file, inputs, is_case, input);
    if (problem != NULL) {
      return problem;
    }
  }
  return made->length_count ? NULL : "the job file has no length";
}

const char* job_read(const char* path, job* made) {
  memset(made, 0, sizeof *made);
  FILE* file = fopen(path, "r");
  if (file == NULL) {
    return "the job file cannot be opened";
  }
  const char* problem = read_lines(file, made);
  fclose(file);
  return problem;
}

/* Return a text of at least `tokens` words, each of which is at least one token; NULL if memory ran out. The
 * caller frees it. */
static char* long_text(int64_t tokens) {
  const size_t size = strlen(PARAGRAPH);
  const size_t copies = (size_t)tokens / 32 + 1; /* the paragraph has more than 32 words */
  char* text = malloc(size * copies + 1);
  for (size_t i = 0; text != NULL && i < copies; ++i) {
    memcpy(text + i * size, PARAGRAPH, size + 1);
  }
  return text;
}

static const char* encode(const linnet_tokenizer* tokenizer, int64_t tokens, job_input* input) {
  char* text = long_text(tokens);
  const linnet_encode_options options = {(int32_t)tokens, LINNET_TRUNCATE_LONGEST_FIRST, -1, 1};
  linnet_encoding* encoding = NULL;
  linnet_encoding_view view;
  const char* problem = NULL;
  if (text == NULL ||
      linnet_tokenizer_encode(tokenizer, text, strlen(text), NULL, 0, &options, &encoding) != LINNET_OK ||
      linnet_encoding_window(encoding, 0, &view) != LINNET_OK) {
    problem = text == NULL ? "memory ran out" : linnet_last_error();
  } else if (view.length != (size_t)tokens) {
    problem = "the sample text gave another number of tokens";
  } else {
    memcpy(input->values, view.ids, view.length * sizeof *view.ids);
    if (input->count > 1) {
      memcpy(input->values + tokens, view.type_ids, view.length * sizeof *view.type_ids);
    }
  }
  linnet_encoding_free(encoding);
  free(text);
  return problem;
}

static int has_length(const job* made, int64_t tokens) {
  for (size_t i = 0; i < made->length_count; ++i) {
    if (made->lengths[i].tokens == tokens) {
      return 1;
    }
  }
  return 0;
}

const char* job_make(const linnet_model* model, const int64_t* lengths, size_t count, job* made) {
  memset(made, 0, sizeof *made);
  const linnet_tokenizer* tokenizer = NULL;
  linnet_value bound;
  linnet_value inputs;
  if (linnet_model_tokenizer(model, &tokenizer) != LINNET_OK) {
    return "the core has no tokenizer for this file: give --job, which `linnet bench --device adb` writes";
  }
  if (linnet_model_value(model, "max_length", &bound) != LINNET_OK ||
      linnet_model_value(model, "inputs", &inputs) != LINNET_OK) {
    return linnet_last_error();
  }
  linnet_value cache = {.integer = 0};
  const int decoder = linnet_model_value(model, "cache_layers", &cache) == LINNET_OK && cache.integer > 0;
  const size_t tensors = decoder || memchr(inputs.bytes, '\n', inputs.size) == NULL ? 1 : 2;
  const int64_t longest =
      decoder ? bound.integer - 1 : bound.integer; /* one token behind a prompt needs room */
  for (size_t i = 0; i < count; ++i) {
    const int64_t tokens = lengths[i] < longest ? lengths[i] : longest;
    if (has_length(made, tokens)) {
      continue;
    }
    job_input* input = append(&made->lengths, &made->length_count);
    if (input == NULL) {
      return "memory ran out";
    }
    input->tokens = tokens;
    input->count = tensors;
    input->values = calloc(tensors * (size_t)tokens, sizeof *input->values);
    const char* problem = input->values == NULL ? "memory ran out" : encode(tokenizer, tokens, input);
    if (problem != NULL) {
      return problem;
    }
  }
  return NULL;
}

static void free_inputs(job_input* inputs, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    free(inputs[i].values);
    free(inputs[i].rows);
  }
  free(inputs);
}

void job_free(job* made) {
  free_inputs(made->lengths, made->length_count);
  free_inputs(made->cases, made->case_count);
  memset(made, 0, sizeof *made);
}

void job_tensors(const job_input* input, linnet_tensor* tensors) {
  for (size_t i = 0; i < input->count; ++i) {
    const linnet_tensor tensor = {
        LINNET_INT64, 2, {1, input->tokens, 0, 0}, input->values + i * (size_t)input->tokens};
    tensors[i] = tensor;
  }
}
