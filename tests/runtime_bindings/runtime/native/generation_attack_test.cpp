// Hostile calls of linnet_generation_* from eight threads, each with a fork of one text, while another thread
// cancels them at random moments. No call may crash, leave a text in a state that it does not report, or
// change what its tokens give.
//
//   generation_attack_test DECODER.pte [CALLS]
//
// prints the failed expectations and the calls by status; exit status 1 if any failed.
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "linnet.h"

namespace {

constexpr int kThreads = 8;
constexpr int kCheckEvery = 50;
constexpr std::size_t kHuge = std::numeric_limits<std::size_t>::max();
std::atomic<int> failures{0};
std::atomic<int> refused{0};
std::atomic<int> cancelled{0};

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
  void operator()(linnet_generation* text) const noexcept { linnet_generation_free(text); }
  void operator()(linnet_constraint* constraint) const noexcept { linnet_constraint_free(constraint); }
};
using Text = std::unique_ptr<linnet_generation, Free>;

// One thread's part of the attack: a text, and random calls of it.
class Attacker {
 public:
  Attacker(linnet_model* model, const linnet_generation* first, const linnet_constraint* constraint,
           unsigned seed)
      : model_(model), random_(seed) {
    linnet_generation* copy = nullptr;
    EXPECT(linnet_generation_fork(first, &copy) == LINNET_OK);
    text_.reset(copy);
    linnet_constraint* own = nullptr;
    EXPECT(linnet_constraint_fork(constraint, &own) == LINNET_OK);
    constraint_.reset(own);
    vocabulary_ = linnet_generation_vocab_size(copy);
    logits_.resize(vocabulary_ * linnet_generation_capacity(copy));
  }

  linnet_generation* text() const noexcept { return text_.get(); }

  void run(int calls) {
    for (int call = 1; call <= calls; ++call) {
      attack();
      check_tokens();
      if (call % kCheckEvery == 0) {
        check_logits();
      }
    }
  }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }
  // A small number, one about as large as the text, or a huge one.
  std::size_t place() {
    const std::array<std::size_t, 3> choices = {below(4), below(80), kHuge - below(3)};
    return choices[below(10) == 0 ? 2 : below(2)];
  }
  float number() {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const std::array<float, 8> choices = {0.0F,  1.0F,      0.5F,       -1.0F,
                                          1e30F, kInfinity, -kInfinity, std::nanf("")};
    return choices[below(30) == 0 ? below(choices.size()) : below(2) + 1];  // mostly 1 and 0.5
  }
  // Mostly tokens of a small set, so that guesses are right; some are not in the vocabulary.
  std::vector<std::int64_t> ids(std::size_t count) {
    std::vector<std::int64_t> made(count);
    for (std::int64_t& id : made) {
      id = static_cast<std::int64_t>(below(10) == 0 ? below(vocabulary_) : 5 + below(4));
    }
    if (count > 0 && below(6) == 0) {
      const std::array<std::int64_t, 4> wrong = {-1, static_cast<std::int64_t>(vocabulary_),
                                                 std::numeric_limits<std::int64_t>::max(),
                                                 std::numeric_limits<std::int64_t>::min()};
      made[below(count)] = wrong[below(wrong.size())];
    }
    return made;
  }

  void note(linnet_status status) {
    cancelled += status == LINNET_CANCELLED ? 1 : 0;
    refused += status != LINNET_OK && status != LINNET_CANCELLED ? 1 : 0;
    EXPECT(status == LINNET_OK || status == LINNET_CANCELLED || status == LINNET_CONTEXT_FULL ||
           status == LINNET_INVALID_ARGUMENT || status == LINNET_INPUT_OUT_OF_RANGE ||
           status == LINNET_FILE_UNREADABLE || status == LINNET_FILE_NOT_FOUND ||
           status == LINNET_STATE_INVALID || status == LINNET_RUN_FAILED);
  }

  void attack() {
    const std::array<std::function<linnet_status()>, 9> calls = {
        [this] { return append(); },
        [this] { return append(); },
        [this] { return linnet_generation_rewind(text_.get(), place()); },
        [this] { return linnet_generation_remove(text_.get(), place(), place()); },
        [this] { return linnet_generation_set_lookup(text_.get(), place()); },
        [this] { return sample(); },
        [this] { return score(); },
        [this] { return fork(); },
        [this] { return files(); },
    };
    note(calls[below(calls.size())]());
  }

  linnet_status append() {
    const std::vector<std::int64_t> made = ids(below(3) == 0 ? below(90) : below(2) + 1);
    return linnet_generation_append(text_.get(), made.data(), made.size());
  }

  linnet_status sample() {
    const linnet_sampling sampling = {
        number(), static_cast<std::int32_t>(below(9)) - 2, number(), number(), number(), number(), number(),
        random_()};
    std::int64_t id = -1;
    float logarithm = 0.0F;
    float* const wanted = below(2) == 0 ? nullptr : &logarithm;
    if (below(2) == 0) {
      return linnet_generation_sample(text_.get(), &sampling, place(), &id, wanted);
    }
    const linnet_status status = linnet_generation_sample_constrained(
        text_.get(), &sampling, constraint_.get(), place(), place(), &id, wanted);
    if (status == LINNET_OK) {
      EXPECT(linnet_constraint_advance(constraint_.get(), id) == LINNET_OK);
    } else {
      static_cast<void>(linnet_constraint_advance(constraint_.get(), static_cast<std::int64_t>(place())));
    }
    if (below(20) == 0) {
      EXPECT(linnet_constraint_reset(constraint_.get()) == LINNET_OK);
    }
    return status;
  }

  linnet_status score() {
    const std::vector<std::int64_t> made = ids(below(linnet_generation_capacity(text_.get())));
    return linnet_generation_score(text_.get(), made.data(), made.size(), logits_.data());
  }

  // Continue a fork, whose own calls must not reach this text.
  linnet_status fork() {
    linnet_generation* made = nullptr;
    const linnet_status status = linnet_generation_fork(text_.get(), &made);
    const Text copy(made);
    if (status != LINNET_OK) {
      return status;
    }
    const std::vector<std::int64_t> more = ids(below(20));
    static_cast<void>(linnet_generation_append(copy.get(), more.data(), more.size()));
    return linnet_generation_rewind(copy.get(), 0);
  }

  linnet_status files() {
    linnet_generation* made = nullptr;
    const std::array<const char*, 3> paths = {"/dev/null/x", "/nonexistent/x.state", ""};
    const char* const path = paths[below(paths.size())];
    const linnet_status status = below(2) == 0 ? linnet_generation_save(text_.get(), path)
                                               : linnet_generation_load(model_, path, 8, &made);
    EXPECT(status != LINNET_OK && made == nullptr);
    return status;
  }

  const std::int64_t* tokens(std::size_t* count) {
    const std::int64_t* found = nullptr;
    EXPECT(linnet_generation_tokens(text_.get(), &found, count) == LINNET_OK);
    return found;
  }

  void check_tokens() {
    std::size_t count = 0;
    const std::int64_t* const found = tokens(&count);
    EXPECT(count <= linnet_generation_capacity(text_.get()));
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT(found[i] >= 0 && found[i] < static_cast<std::int64_t>(vocabulary_));
    }
    std::size_t guessed = 0;
    std::size_t accepted = 0;
    EXPECT(linnet_generation_lookup(text_.get(), &guessed, &accepted) == LINNET_OK && accepted <= guessed);
  }

  // The logits must be those of a text that has the same tokens and was never attacked.
  void check_logits() {
    std::size_t count = 0;
    const std::int64_t* const found = tokens(&count);
    if (count == 0) {
      return;
    }
    linnet_generation* made = nullptr;
    EXPECT(linnet_generation_create(model_, 0, &made) == LINNET_OK);
    const Text plain(made);
    EXPECT(linnet_generation_append(plain.get(), found, count) == LINNET_OK);
    const float* expected = nullptr;
    const float* ours = nullptr;
    std::size_t size = 0;
    EXPECT(linnet_generation_logits(plain.get(), &expected, &size) == LINNET_OK);
    EXPECT(linnet_generation_logits(text_.get(), &ours, &size) == LINNET_OK);
    EXPECT(ours != nullptr && expected != nullptr && std::memcmp(ours, expected, size * sizeof(float)) == 0);
  }

  linnet_model* model_;
  std::mt19937_64 random_;
  Text text_;
  std::unique_ptr<linnet_constraint, Free> constraint_;
  std::size_t vocabulary_ = 1;
  std::vector<float> logits_;
};

void attack(linnet_model* model, int calls) {
  linnet_generation* made = nullptr;
  EXPECT(linnet_generation_create(model, 0, &made) == LINNET_OK);
  const Text first(made);
  const std::array<std::int64_t, 6> prompt = {5, 6, 7, 5, 6, 7};
  EXPECT(linnet_generation_append(made, prompt.data(), prompt.size()) == LINNET_OK);
  const linnet_task* task = nullptr;
  EXPECT(linnet_model_task(model, &task) == LINNET_OK);
  const char expression[] = "([a-z]{1,4} )*[0-9]+";
  const linnet_text pattern = {expression, sizeof expression - 1};
  linnet_constraint* constraint = nullptr;
  EXPECT(linnet_constraint_create(task, LINNET_CONSTRAINT_REGEX, &pattern, 1, &constraint) == LINNET_OK);
  const std::unique_ptr<linnet_constraint, Free> owner(constraint);

  std::vector<std::unique_ptr<Attacker>> attackers;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    attackers.push_back(std::make_unique<Attacker>(model, made, constraint, i));
  }
  std::atomic<bool> done{false};
  std::thread canceller([&] {
    std::mt19937 random(99);
    while (!done) {
      EXPECT(linnet_generation_cancel(attackers[random() % kThreads]->text()) == LINNET_OK);
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 200));
    }
  });
  threads.reserve(kThreads);
  for (const std::unique_ptr<Attacker>& attacker : attackers) {
    threads.emplace_back([&attacker, calls] { attacker->run((calls + kThreads - 1) / kThreads); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  done = true;
  canceller.join();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: generation_attack_test DECODER.pte [CALLS]\n");
    return 2;
  }
  const int calls = argc > 2 ? std::atoi(argv[2]) : 800;
  linnet_model* opened = nullptr;
  const linnet_open_options options = {1};
  EXPECT(linnet_model_open(argv[1], &options, &opened) == LINNET_OK);
  const std::unique_ptr<linnet_model, Free> model(opened);
  if (model != nullptr) {
    attack(model.get(), calls);
  }
  EXPECT(refused > 0 && cancelled > 0);
  std::printf("%d failed; of %d calls %d refused, %d cancelled\n", failures.load(), calls, refused.load(),
              cancelled.load());
  return failures == 0 ? 0 : 1;
}
