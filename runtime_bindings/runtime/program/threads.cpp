#include "program/threads.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "program/thread_pool.h"
#include "status.h"

namespace linnet {
namespace {

// The boards and phones that linnet is made for have at most four fast cores, and a short text does not keep
// more of them busy. The caller can ask for more.
constexpr std::int32_t kMostDefaultThreads = 4;
constexpr std::int32_t kMostThreads = 256;

constexpr std::int32_t kMostThreadsOfSteadyCount = 2;  // see one_run_at_a_time()

std::mutex mutex;
std::mutex run_mutex;
std::atomic<std::int32_t> fixed{0};
std::atomic<pid_t> owner{0};

std::int32_t usable_cpus() {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    return std::max(1, CPU_COUNT(&set));
  }
#endif
  return static_cast<std::int32_t>(std::max(1U, std::thread::hardware_concurrency()));
}

void* wait_at_gate(void* gate) {
  const std::lock_guard<std::mutex> passed(*static_cast<std::mutex*>(gate));
  return nullptr;
}

void check_request(std::int32_t requested) {
  if (requested < 0 || requested > kMostThreads) {
    throw Error(LINNET_INVALID_ARGUMENT, "threads is " + std::to_string(requested) +
                                             ", expected 0 (choose) to " + std::to_string(kMostThreads));
  }
}

// Start `count` - 1 threads, all at once, and end them again; throw LINNET_OUT_OF_MEMORY if that fails.
// ExecuTorch's pool does not check whether its threads could be started, and would wait for them for ever. It
// starts one less than the wanted number, and before that one less than there are CPUs.
void require_threads(std::int32_t count) {
  std::vector<pthread_t> started;
  started.reserve(static_cast<std::size_t>(count));
  std::mutex gate;
  int failed = 0;
  {
    const std::lock_guard<std::mutex> closed(gate);
    while (failed == 0 && started.size() + 1 < static_cast<std::size_t>(count)) {
      pthread_t thread = {};
      failed = ::pthread_create(&thread, nullptr, wait_at_gate, &gate);
      if (failed == 0) {
        started.push_back(thread);
      }
    }
  }
  for (const pthread_t thread : started) {
    ::pthread_join(thread, nullptr);
  }
  if (failed != 0) {
    throw Error(LINNET_OUT_OF_MEMORY, std::to_string(count) + " threads are needed and only " +
                                          std::to_string(started.size() + 1) +
                                          " could be started: " + std::strerror(failed) +
                                          "; raise the limits of this process (ulimit)");
  }
}

}  // namespace

void fix_threads(std::int32_t requested) {
  check_request(requested);
  const std::lock_guard<std::mutex> lock(mutex);
  const std::int32_t current = fixed.load();
  if (current != 0) {
    if (requested != 0 && requested != current) {
      throw Error(LINNET_THREADS_FIXED,
                  "threads is " + std::to_string(requested) + ", but this process runs with " +
                      std::to_string(current) +
                      " since its first model; use the same count, 0, or another process");
    }
    return;
  }
  const std::int32_t count = requested != 0 ? requested : std::min(usable_cpus(), kMostDefaultThreads);
  require_threads(std::max(count, static_cast<std::int32_t>(::sysconf(_SC_NPROCESSORS_CONF))));
  // only safe before anything is loaded, because XNNPACK keeps pointers into the pool
  auto* pool = executorch::extension::threadpool::get_threadpool();
  if (pool == nullptr || !pool->_unsafe_reset_threadpool(static_cast<std::uint32_t>(count))) {
    throw Error(LINNET_INTERNAL, "ExecuTorch's thread pool could not be set to " + std::to_string(count));
  }
  if (executorch::extension::threadpool::get_pthreadpool() == nullptr) {
    throw std::bad_alloc();
  }
  owner.store(::getpid());
  fixed.store(count);
}

std::int32_t fixed_threads() noexcept { return fixed.load(); }

std::unique_lock<std::mutex> one_run_at_a_time() {
  return fixed.load() > kMostThreadsOfSteadyCount ? std::unique_lock<std::mutex>(run_mutex)
                                                  : std::unique_lock<std::mutex>();
}

void check_not_forked() {
  if (fixed.load() > 1 && owner.load() != ::getpid()) {
    throw Error(LINNET_THREADS_FIXED,
                "this process was forked after its parent opened a model with " +
                    std::to_string(fixed.load()) +
                    " threads, which a fork does not copy; open models after forking, or with threads=1");
  }
}

}  // namespace linnet
