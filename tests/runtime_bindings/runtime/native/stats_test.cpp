// Statistics of a task: what is counted, and that nothing is allocated while counting and writing.
#include "stats/stats.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace {

std::atomic<long> allocations{0};
int failures = 0;

void expect(bool condition, const char* what) {
  if (!condition) {
    ++failures;
    std::fprintf(stderr, "%s\n", what);
  }
}

using linnet::Stage;
using linnet::Stats;

constexpr std::array<std::int64_t, 5> kIds = {2, 1, 7, 1, 3};

void count_one(Stats& stats) {
  stats.input(kIds.data(), kIds.size(), true);
  stats.latency(Stage::kRun, kIds.size(), std::chrono::microseconds(150));
  stats.label(1);
  stats.label(99);
  stats.confidence(0.93);
  stats.confidence(-1);
  stats.confidence(std::nan(""));
  stats.error(LINNET_TEXT_TOO_LONG);
  stats.error(-7);
  stats.prompt(9);
  stats.generated(true, std::chrono::milliseconds(40));
  stats.generated(false, std::chrono::milliseconds(3));
}

std::string json_of(const Stats& stats) {
  std::string text(stats.write(nullptr, 0), '\0');
  stats.write(text.data(), text.size());
  return text;
}

bool has(const std::string& json, const char* part) { return json.find(part) != std::string::npos; }

void test_counts() {
  Stats stats({"a", "b\"\\", "c\n", std::string(65, 'd')}, 1);
  stats.reset("m");
  count_one(stats);
  stats.label(2);
  stats.label(3);
  const std::string json = json_of(stats);
  expect(has(json, R"("unknown_tokens":[{"labels":{"model":"m"},"value":2}])"), "unknown tokens");
  expect(has(json, R"("truncated":[{"labels":{"model":"m"},"value":1}])"), "truncated");
  expect(has(json, R"("tokens":[{"labels":{"model":"m","direction":"input"},"value":14},)"), "tokens");
  expect(has(json, R"({"labels":{"model":"m","direction":"output"},"value":2}])"), "tokens written");
  expect(has(json, R"("count":1,"sum":0.040000000})"), "the first token");
  expect(has(json, R"("count":1,"sum":0.003000000})"), "a further token");
  expect(has(json, R"({"labels":{"model":"m","label":"b\"\\"},"value":1})"), "a label is escaped");
  expect(has(json, R"({"labels":{"model":"m","label":"class_2"},"value":1})"), "a control character");
  expect(has(json, R"({"labels":{"model":"m","label":"class_3"},"value":1})"), "a long label");
  expect(has(json, R"({"labels":{"model":"m","label":"other"},"value":1})"), "another label");
  expect(has(json, R"({"labels":{"model":"m","error":"text_too_long"},"value":1})"), "an error");
  expect(has(json, R"({"labels":{"model":"m","error":"internal"},"value":1})"), "an unknown status");
  expect(has(json, R"("count":1,"sum":0.930000})"), "confidence");
  expect(has(json, R"("buckets":[0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],"count":1,"sum":0.000150000})"),
         "latency");
}

void test_a_small_buffer_is_not_overrun() {
  Stats stats({"a"}, 1);
  stats.reset("m");
  count_one(stats);
  const std::string whole = json_of(stats);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::string part(size + 1, '#');
    expect(stats.write(part.data(), size) == whole.size(), "the size is that of all of it");
    expect(part[size] == '#', "nothing is written behind the buffer");
  }
}

void test_nothing_is_allocated() {
  Stats stats({"a", "b"}, 1);
  stats.reset("m");
  static std::array<char, 1 << 16> buffer;
  const long before = allocations;
  for (int i = 0; i < 1000; ++i) {
    count_one(stats);
  }
  stats.write(buffer.data(), buffer.size());
  expect(allocations == before, "something was allocated");
}

void test_threads_lose_no_count() {
  Stats stats({"a"}, 1);
  stats.reset("m");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 2000; ++j) {
        stats.input(kIds.data(), kIds.size(), false);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  expect(has(json_of(stats), R"("inferences":[{"labels":{"model":"m"},"value":8000}])"), "a count was lost");
}

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) {
    return memory;
  }
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

int main() {
  test_counts();
  test_a_small_buffer_is_not_overrun();
  test_nothing_is_allocated();
  test_threads_lose_no_count();
  std::printf("%d failed\n", failures);
  return failures == 0 ? 0 : 1;
}
