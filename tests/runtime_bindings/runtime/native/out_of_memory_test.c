/* Opening, tokenizing and running a file with too little memory must give LINNET_OUT_OF_MEMORY, never a
 * signal, a hang or a wrong answer, and the process must be able to do all of it once there is memory again.
 *
 *   out_of_memory_test FILE.pte THREADS [STEP [BUDGETS]]
 *
 * "one": for every STEP-th allocation (of malloc and its kin, mmap and pthread_create; default 1) a child
 * process lets that one fail. Those that XNNPACK and its delegate ask for are left out: while it loads it
 * follows some of the NULLs that it gets (xnn_create_runtime_v4, xnn_fingerprint_fully_connected_nc,
 * xnn_create_binary_elementwise_nd), and an exception ends the process (XNNCompiler's
 * defineStaticReshapeNode), which linnet prevents by asking for the memory beforehand. "budget": for each of
 * BUDGETS (default 300) limits, evenly up to what is needed, a child process gets no memory above it, XNNPACK
 * included. Prints each that went wrong, and a summary by status; exit status 1 if any did. Linux with glibc.
 * LINNET_SHOW=N prints the stack of allocation N. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "linnet.h"

extern void* __libc_malloc(size_t size);
extern void* __libc_calloc(size_t count, size_t size);
extern void* __libc_realloc(void* old, size_t size);
extern void* __libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void* memory);

enum { MOST_TOKENS = 20, MOST_VALUES = 4096, MOST_STATUS = 600, SECONDS = 60 };

/* ---- allocations that fail ------------------------------------------------------------------ */

static atomic_long counted;
static atomic_long failing; /* the number of the one that fails; 0: none */
static atomic_long live;    /* bytes */
static atomic_long peak;
static atomic_long budget = -1; /* of live bytes; -1: no limit */
static long shown = -1;

enum { NEAR_FRAMES = 6, ALL_FRAMES = 48 }; /* near: this file's, operator new, and who called it */

static int called_by_xnnpack(void) {
  void* frames[NEAR_FRAMES];
  const int count = backtrace(frames, NEAR_FRAMES);
  Dl_info about;
  for (int i = 0; i < count; ++i) {
    if (dladdr(frames[i], &about) != 0 && strstr(about.dli_fname, "backend_xnnpack") != NULL) {
      return 1;
    }
  }
  return 0;
}

static void show_stack(void) {
  void* frames[ALL_FRAMES];
  backtrace_symbols_fd(frames, backtrace(frames, ALL_FRAMES), 2);
}

static int fails(size_t size) {
  const long number = ++counted;
  if (budget >= 0) {
    return live + (long)size > budget;
  }
  if (number != failing) {
    return 0;
  }
  failing = 0; /* once; and what looks at the stack may allocate */
  if (number == shown) {
    show_stack();
  }
  return !called_by_xnnpack();
}

static void add_live(long size) {
  const long now = live += size;
  if (now > peak) {
    peak = now;
  }
}

static void* kept(void* memory) {
  add_live((long)malloc_usable_size(memory));
  return memory;
}

void* malloc(size_t size) { return fails(size) ? (errno = ENOMEM, NULL) : kept(__libc_malloc(size)); }
void* calloc(size_t count, size_t size) {
  return fails(count * size) ? (errno = ENOMEM, NULL) : kept(__libc_calloc(count, size));
}
void* realloc(void* old, size_t size) {
  if (size > 0 && fails(size)) {
    errno = ENOMEM;
    return NULL;
  }
  live -= (long)malloc_usable_size(old);
  return kept(__libc_realloc(old, size));
}
void free(void* memory) {
  live -= (long)malloc_usable_size(memory);
  __libc_free(memory);
}
void* memalign(size_t alignment, size_t size) {
  return fails(size) ? (errno = ENOMEM, NULL) : kept(__libc_memalign(alignment, size));
}
void* aligned_alloc(size_t alignment, size_t size) {
  return fails(size) ? (errno = ENOMEM, NULL) : kept(__libc_memalign(alignment, size));
}
int posix_memalign(void** memory, size_t alignment, size_t size) {
  if (fails(size)) {
    return ENOMEM;
  }
  *memory = kept(__libc_memalign(alignment, size));
  return 0;
}

void* mmap(void* address, size_t size, int protection, int flags, int file, off_t offset) {
  static void* (*real)(void*, size_t, int, int, int, off_t);
  if (real == NULL) {
    *(void**)&real = dlsym(RTLD_NEXT, "mmap");
  }
  if (fails(size)) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  add_live((long)size);
  return real(address, size, protection, flags, file, offset);
}

int munmap(void* address, size_t size) {
  static int (*real)(void*, size_t);
  if (real == NULL) {
    *(void**)&real = dlsym(RTLD_NEXT, "munmap");
  }
  live -= (long)size;
  return real(address, size);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*),
                   void* argument) {
  static int (*real)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  if (real == NULL) {
    *(void**)&real = dlsym(RTLD_NEXT, "pthread_create");
  }
  return fails(0) ? EAGAIN : real(thread, attributes, body, argument);
}

/* ---- what is done meanwhile ----------------------------------------------------------------- */

typedef struct {
  float values[MOST_VALUES];
  size_t count;
} Answer;

static linnet_status run(linnet_model* model, int64_t tokens, Answer* answer) {
  int64_t ids[MOST_TOKENS];
  int64_t types[MOST_TOKENS] = {0};
  for (int64_t i = 0; i < tokens; ++i) {
    ids[i] = 2 + i % 9;
  }
  linnet_value names;
  linnet_status status = linnet_model_value(model, "inputs", &names);
  if (status != LINNET_OK) {
    return status;
  }
  const linnet_tensor input = {LINNET_INT64, 2, {1, tokens, 0, 0}, ids};
  linnet_tensor inputs[2] = {input, input};
  inputs[1].data = types;
  const size_t count = memchr(names.bytes, '\n', names.size) == NULL ? 1 : 2;
  linnet_outputs* outputs = NULL;
  status = linnet_model_run(model, "forward", inputs, count, &outputs);
  if (status == LINNET_OK) {
    linnet_tensor tensor;
    (void)linnet_outputs_tensor(outputs, 0, &tensor);
    size_t size = 1;
    for (int32_t i = 0; i < tensor.rank; ++i) {
      size *= (size_t)tensor.shape[i];
    }
    for (size_t i = 0; i < size && answer->count < MOST_VALUES; ++i) {
      answer->values[answer->count++] = ((const float*)tensor.data)[i];
    }
    linnet_outputs_free(outputs);
  }
  return status;
}

static linnet_status encode(linnet_model* model) {
  const linnet_tokenizer* tokenizer = NULL;
  linnet_status status = linnet_model_tokenizer(model, &tokenizer);
  if (status != LINNET_OK) {
    return status;
  }
  const linnet_encode_options options = {0, LINNET_TRUNCATE_LONGEST_FIRST, -1, 1};
  linnet_encoding* encoding = NULL;
  status = linnet_tokenizer_encode(tokenizer, "t\xc3\xbcrn up, turn DOWN", 19, "the light", 9, &options,
                                   &encoding);
  linnet_encoding_free(encoding);
  return status;
}

/* Opens, tokenizes and runs; the status of the first that fails. `answer` only grows on success. */
static linnet_status everything(const char* path, int32_t threads, Answer* answer) {
  const linnet_open_options options = {threads};
  linnet_model* model = NULL;
  answer->count = 0;
  linnet_status status = linnet_model_open(path, &options, &model);
  if (status == LINNET_OK) {
    status = encode(model);
  }
  if (status == LINNET_OK) {
    status = run(model, 5, answer);
  }
  if (status == LINNET_OK) {
    status = run(model, MOST_TOKENS, answer);
  }
  linnet_model_free(model);
  if (status == LINNET_OK) {
    status = linnet_file_verify(path);
  }
  return status;
}

static int same(const Answer* one, const Answer* other) {
  return one->count == other->count && memcmp(one->values, other->values, one->count * sizeof(float)) == 0;
}

/* ---- one child for each failure ------------------------------------------------------------- */

typedef struct {
  long failing;
  long budget;
} Failure;

typedef struct {
  long allocations;
  long bytes; /* at most at one time */
  Answer answer;
} Whole;

static Whole whole;
static Answer found;

static int child(const char* path, int32_t threads, Failure failure, int result) {
  alarm(SECONDS); /* a hang is a failure too */
  counted = 0;
  failing = failure.failing;
  budget = failure.budget < 0 ? -1 : live + failure.budget;
  const linnet_status status = everything(path, threads, &found);
  failing = 0;
  budget = -1;
  if (write(result, &status, sizeof status) != (ssize_t)sizeof status) {
    return 3;
  }
  if (status == LINNET_OK && !same(&found, &whole.answer)) {
    fprintf(stderr, "a wrong answer and no error\n");
    return 1;
  }
  if (status != LINNET_OK && status != LINNET_OUT_OF_MEMORY) {
    fprintf(stderr, "%s: %s\n", linnet_status_name(status), linnet_last_error());
    return 1;
  }
  const linnet_status again = everything(path, threads, &found);
  if (again != LINNET_OK || !same(&found, &whole.answer)) {
    fprintf(stderr, "not the same once there is memory again: %s: %s\n", linnet_status_name(again),
            linnet_last_error());
    return 1;
  }
  return 0;
}

static long seen[MOST_STATUS];

static int try_one(const char* path, int32_t threads, Failure failure) {
  int ends[2];
  if (pipe(ends) != 0) {
    return 1;
  }
  fflush(NULL);
  const pid_t process = fork();
  if (process == 0) {
    _exit(child(path, threads, failure, ends[1]));
  }
  close(ends[1]);
  int how = 0;
  waitpid(process, &how, 0);
  linnet_status status = 0;
  const int told = read(ends[0], &status, sizeof status) == (ssize_t)sizeof status;
  close(ends[0]);
  if (told && status >= 0 && status < MOST_STATUS) {
    ++seen[status];
  }
  if (WIFEXITED(how) && WEXITSTATUS(how) == 0) {
    return 0;
  }
  fprintf(stderr, "^ allocation %ld, budget %ld, %d thread(s): %s %d\n", failure.failing, failure.budget,
          threads, WIFSIGNALED(how) ? "signal" : "exit status",
          WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
  return 1;
}

/* With all its memory, in a child, so that this process never has a thread pool, which a fork would not copy.
 */
static int measure(const char* path, int32_t threads) {
  Whole* shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) {
    return 0;
  }
  const pid_t process = fork();
  if (process == 0) {
    const long before = live;
    counted = 0;
    peak = before;
    if (everything(path, threads, &shared->answer) != LINNET_OK) {
      fprintf(stderr, "with all its memory: %s\n", linnet_last_error());
      _exit(1);
    }
    shared->allocations = counted;
    shared->bytes = peak - before;
    _exit(0);
  }
  int how = 0;
  waitpid(process, &how, 0);
  whole = *shared;
  return how == 0;
}

int main(int count, char** arguments) {
  if (count < 3) {
    fprintf(stderr, "usage: %s FILE.pte THREADS [STEP [BUDGETS]]\n", arguments[0]);
    return 2;
  }
  const char* path = arguments[1];
  const int32_t threads = atoi(arguments[2]);
  const long step = count > 3 ? atol(arguments[3]) : 1;
  const long budgets = count > 4 ? atol(arguments[4]) : 300;
  void* frame[1];
  (void)backtrace(frame, 1); /* loads what it needs while there is memory */
  shown = getenv("LINNET_SHOW") == NULL ? -1 : atol(getenv("LINNET_SHOW"));
  if (!measure(path, threads)) {
    return 1;
  }
  long wrong = 0;
  for (long number = 1; number <= whole.allocations; number += step) {
    wrong += try_one(path, threads, (Failure){number, -1});
  }
  for (long limit = 0; limit <= budgets; ++limit) {
    wrong += try_one(path, threads, (Failure){0, whole.bytes * limit / budgets});
  }
  printf("%ld allocations, %.2f MB:", whole.allocations, (double)whole.bytes / 1e6);
  for (int status = 0; status < MOST_STATUS; ++status) {
    if (seen[status] > 0) {
      printf(" %ld %s", seen[status], linnet_status_name(status));
    }
  }
  printf("\n%ld failed\n", wrong);
  return wrong == 0 ? 0 : 1;
}
