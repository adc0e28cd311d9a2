// linnet.h from several threads at once: what ThreadSanitizer is for (make sanitize-threads).
//
//   threads_test TOY.pte [ROUNDS]
//
// prints the failed expectations; exit status 1 if there were any.
#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "linnet.h"

namespace {

constexpr int kThreads = 4;
constexpr std::int32_t kPoolThreads = 3;  // from three on, runs must not overlap (program/threads.h)
constexpr std::int64_t kLongest = 24;
std::atomic<int> failures{0};

#define EXPECT(condition)                                                                            \
  do {                                                                                               \
    if (!(condition)) {                                                                              \
      ++failures;                                                                                    \
      std::fprintf(stderr, "%s:%d: not true: %s (last error: %s)\n", __FILE__, __LINE__, #condition, \
                   linnet_last_error());                                                             \
    }                                                                                                \
  } while (0)

struct Free {
  void operator()(linnet_model* model) const noexcept { linnet_model_free(model); }
  void operator()(linnet_outputs* outputs) const noexcept { linnet_outputs_free(outputs); }
  void operator()(linnet_encoding* encoding) const noexcept { linnet_encoding_free(encoding); }
  void operator()(linnet_profile* profile) const noexcept { linnet_profile_free(profile); }
};
using ModelPointer = std::unique_ptr<linnet_model, Free>;

// Starts `count` threads at the same moment and waits for all of them.
void together(int count, const std::function<void(int)>& body) {
  pthread_barrier_t start;
  pthread_barrier_init(&start, nullptr, static_cast<unsigned>(count));
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&start, &body, i] {
      pthread_barrier_wait(&start);
      body(i);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  pthread_barrier_destroy(&start);
}

ModelPointer open_path(const std::string& path, std::int32_t threads) {
  const linnet_open_options options = {threads};
  linnet_model* model = nullptr;
  EXPECT(linnet_model_open(path.c_str(), &options, &model) == LINNET_OK);
  return ModelPointer(model);
}

// The logits of `tokens` made-up tokens, or nothing after a failure.
std::vector<float> run(linnet_model* model, std::int64_t tokens) {
  std::vector<std::int64_t> ids(static_cast<std::size_t>(tokens));
  std::vector<std::int64_t> types(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids[i] = static_cast<std::int64_t>((7 * i + ids.size()) % 32);
    types[i] = static_cast<std::int64_t>(i % 2);
  }
  const linnet_tensor inputs[] = {{LINNET_INT64, 2, {1, tokens, 0, 0}, ids.data()},
                                  {LINNET_INT64, 2, {1, tokens, 0, 0}, types.data()}};
  linnet_outputs* raw = nullptr;
  EXPECT(linnet_model_run(model, "forward", inputs, 2, &raw) == LINNET_OK);
  const std::unique_ptr<linnet_outputs, Free> outputs(raw);
  linnet_tensor logits = {};
  if (raw == nullptr || linnet_outputs_tensor(raw, 0, &logits) != LINNET_OK) {
    return {};
  }
  const auto* values = static_cast<const float*>(logits.data);
  return {values, values + logits.shape[1]};
}

class Expected {
 public:
  explicit Expected(linnet_model* model) {
    for (std::int64_t tokens = 1; tokens <= kLongest; ++tokens) {
      answers_.push_back(run(model, tokens));
    }
  }
  // Bit for bit: how work is shared between threads must not change a sum.
  void check(linnet_model* model, std::int64_t tokens) const {
    EXPECT(run(model, tokens) == answers_[static_cast<std::size_t>(tokens - 1)]);
  }

 private:
  std::vector<std::vector<float>> answers_;
};

std::int64_t length(int round, int thread) { return 1 + (5 * round + 11 * thread) % kLongest; }

// The very first models of the process: whoever comes first fixes the count, another count is an error.
void test_first_open(const std::string& path) {
  std::atomic<int> refused{0};
  together(kThreads, [&](int thread) {
    const linnet_open_options options = {thread == 0 ? kPoolThreads - 1 : kPoolThreads};
    linnet_model* model = nullptr;
    const linnet_status status = linnet_model_open(path.c_str(), &options, &model);
    EXPECT(status == LINNET_OK || status == LINNET_THREADS_FIXED);
    refused += status == LINNET_THREADS_FIXED ? 1 : 0;
    linnet_model_free(model);
    EXPECT(std::strstr(linnet_runtime_info(), "threads=0") == nullptr);
  });
  EXPECT(refused == 1 || refused == kThreads - 1);
}

void test_own_sessions(const std::string& path, const Expected& expected, int rounds) {
  together(kThreads, [&](int thread) {
    for (int round = 0; round < rounds; ++round) {
      const ModelPointer model = open_path(path, 0);
      for (int i = 0; i < 3; ++i) {
        expected.check(model.get(), length(3 * round + i, thread));
      }
    }
  });
}

void read_fields(const linnet_model* model) {
  linnet_value value = {};
  EXPECT(linnet_model_value(model, "task", &value) == LINNET_OK && value.size > 0);
  EXPECT(linnet_model_value(model, "nothing", &value) == LINNET_UNKNOWN_FIELD);
  const char* json = nullptr;
  std::size_t size = 0;
  EXPECT(linnet_model_evidence(model, &json, &size) == LINNET_OK && json[0] == '{');
  EXPECT(std::strlen(linnet_model_fields(model)) > 0);
}

// Threads run one model; others change it and read it meanwhile.
void test_shared_session(const std::string& path, const Expected& expected, int rounds) {
  const ModelPointer model = open_path(path, 0);
  together(kThreads + 2, [&](int thread) {
    for (int round = 0; round < rounds; ++round) {
      if (thread == kThreads) {
        EXPECT(linnet_model_set_profiling(model.get(), round % 2) == LINNET_OK);
        EXPECT(linnet_model_set_fused(model.get(), static_cast<linnet_fused>(round % 3)) == LINNET_OK);
        linnet_profile* profile = nullptr;
        const linnet_status status = linnet_model_profile(model.get(), &profile);
        EXPECT(status == LINNET_OK || status == LINNET_INVALID_ARGUMENT);
        linnet_profile_free(profile);
      } else if (thread > kThreads) {
        read_fields(model.get());
      } else {
        expected.check(model.get(), length(round, thread));
      }
    }
  });
}

void encode(const linnet_tokenizer* tokenizer, const char* text, std::size_t tokens) {
  const linnet_encode_options options = {0, LINNET_TRUNCATE_LONGEST_FIRST, -1, 1};
  linnet_encoding* raw = nullptr;
  EXPECT(linnet_tokenizer_encode(tokenizer, text, std::strlen(text), nullptr, 0, &options, &raw) ==
         LINNET_OK);
  const std::unique_ptr<linnet_encoding, Free> encoding(raw);
  linnet_encoding_view view = {};
  EXPECT(linnet_encoding_window(raw, 0, &view) == LINNET_OK && view.length == tokens);
}

// All ask for the tokenizer at the same moment, and use the same one.
void test_shared_tokenizer(const std::string& path, int rounds) {
  const ModelPointer model = open_path(path, 0);
  std::atomic<const linnet_tokenizer*> first{nullptr};
  together(kThreads, [&](int) {
    const linnet_tokenizer* tokenizer = nullptr;
    EXPECT(linnet_model_tokenizer(model.get(), &tokenizer) == LINNET_OK);
    const linnet_tokenizer* none = nullptr;
    EXPECT(first.compare_exchange_strong(none, tokenizer) || none == tokenizer);
    for (int round = 0; round < rounds; ++round) {
      encode(tokenizer, "turn up the light", 6);
      encode(tokenizer, "T\xc3\xbcrn  \xe4\xb8\xad up!", 6);
      const char* token = nullptr;
      std::size_t size = 0;
      EXPECT(linnet_tokenizer_token(tokenizer, 99, &token, &size) == LINNET_INPUT_OUT_OF_RANGE);
    }
  });
}

// Good and bad files are opened from memory while a session runs; every thread keeps its own last error.
void test_loads_meanwhile(const std::string& path, const Expected& expected, int rounds) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const ModelPointer model = open_path(path, 0);
  together(kThreads, [&](int thread) {
    for (int round = 0; round < rounds; ++round) {
      linnet_model* raw = nullptr;
      if (thread == 0) {
        expected.check(model.get(), length(round, thread));
      } else if (thread == 1) {
        EXPECT(linnet_model_open_bytes(bytes.data(), bytes.size(), nullptr, &raw) == LINNET_OK);
        const ModelPointer fresh(raw);
        expected.check(fresh.get(), length(round, thread));
      } else {
        const std::size_t part = bytes.size() - static_cast<std::size_t>(thread);
        EXPECT(linnet_model_open_bytes(bytes.data(), part, nullptr, &raw) == LINNET_FILE_TRUNCATED);
        EXPECT(linnet_file_verify("/nowhere") == LINNET_FILE_NOT_FOUND);
        EXPECT(std::strstr(linnet_last_error(), "/nowhere") != nullptr);
      }
    }
  });
}

// A model is freed by another thread than the one that opened and ran it.
void test_handed_over(const std::string& path, const Expected& expected) {
  std::vector<ModelPointer> models(kThreads);
  together(kThreads, [&](int thread) {
    ModelPointer model = open_path(path, 0);
    expected.check(model.get(), length(0, thread));
    models[static_cast<std::size_t>(thread)] = std::move(model);
  });
  together(kThreads, [&](int thread) {
    ModelPointer& model = models[static_cast<std::size_t>((thread + 1) % kThreads)];
    expected.check(model.get(), length(1, thread));
    model.reset();
  });
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: %s TOY.pte [ROUNDS]\n", arguments[0]);
    return 2;
  }
  const std::string path = arguments[1];
  const int rounds = count > 2 ? std::atoi(arguments[2]) : 50;
  test_first_open(path);
  const ModelPointer model = open_path(path, 0);
  const Expected expected(model.get());
  test_own_sessions(path, expected, rounds);
  test_shared_session(path, expected, rounds);
  test_shared_tokenizer(path, rounds);
  test_loads_meanwhile(path, expected, rounds);
  test_handed_over(path, expected);
  std::printf("%d failed\n", failures.load());
  return failures == 0 ? 0 : 1;
}
