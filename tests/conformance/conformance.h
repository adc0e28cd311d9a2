/* What the two files of the reader share: columns of a line, comparisons, the recorded calls of the program.
 */
#ifndef LINNET_TESTS_CONFORMANCE_H_
#define LINNET_TESTS_CONFORMANCE_H_

#include "linnet.h"

enum { kMostColumns = 16, kMostTokens = 256 };

/* A field of a line, unescaped in place; bytes NULL is "no value". */
typedef linnet_text column;

extern linnet_task* task;
extern char* expected_inputs[];
extern linnet_tensor outputs[];
extern size_t output_count, output_next;

void fail(const char* what);
void require(int condition, const char* what);
int is(column text, const char* expected);
int same(linnet_text a, column b);
int near(double found, double expected);
int same_numbers(const int64_t* found, size_t count, column expected);
int integer(column text);

/* Run a case of kind stream, chat or generate. */
linnet_status run_generation(const column* c);
/* Compare the completion of the last case with a line "completion". */
void check_completion(const column* c);
/* Require that no completion waits to be compared. */
void finish_generation(void);

/* Run a case of kind mask; its answers are compared with the lines "finding". */
linnet_status run_mask(const column* c, linnet_answers** answers);

#endif
