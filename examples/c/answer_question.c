/* Answers a question about a text with a file of task question-answering:
 *     answer_question qa.pte "When does it open?" "The bakery opens at six."
 */
#include <stdio.h>
#include <string.h>

#include "linnet.h"

/* Says why a call failed; 1 if it did. */
static int failed(linnet_status status) {
  if (status != LINNET_OK) {
    fprintf(stderr, "%s: %s\n", linnet_status_name(status), linnet_last_error());
  }
  return status != LINNET_OK;
}

static linnet_text text_of(const char* string) {
  const linnet_text text = {string, strlen(string)};
  return text;
}

static int print_answer(linnet_model* model, const char* question, const char* context) {
  const linnet_task* task = NULL;
  linnet_engine engine;
  if (failed(linnet_model_task(model, &task)) || failed(linnet_model_engine(model, &engine))) {
    return 1;
  }
  linnet_answers* answers = NULL;
  if (failed(linnet_answer_question(task, &engine, text_of(question), text_of(context), NULL, &answers))) {
    return 1;
  }
  linnet_answer best;
  const int status = failed(linnet_answers_get(answers, 0, &best));
  if (!status) {
    /* text is borrowed from `answers` and not zero-terminated */
    printf("%.*s  (score %.3f, bytes %d to %d)\n", (int)best.text.size, best.text.bytes, best.score,
           (int)best.utf8.start, (int)best.utf8.end);
  }
  linnet_answers_free(answers);
  return status;
}

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: answer_question FILE.pte QUESTION TEXT\n");
    return 2;
  }
  if (linnet_abi_version() != LINNET_ABI_VERSION) {
    fprintf(stderr, "liblinnet is of another release than linnet.h\n");
    return 2;
  }
  linnet_model* model = NULL;
  if (failed(linnet_model_open(argv[1], NULL, &model))) {
    return 1;
  }
  const int status = print_answer(model, argv[2], argv[3]);
  linnet_model_free(model);
  return status;
}
