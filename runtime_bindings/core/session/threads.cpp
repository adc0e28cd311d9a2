#include "session/threads.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include "session/thread_pool.h"
#include "status.h"

namespace linnet {
namespace {

// The boards and phones that this is for have at most four fast cores, and a short text does not feed
// more; whoever knows better says so.
constexpr std::int32_t kMostDefaultThreads = 4;
constexpr std::int32_t kMostThreads = 256;

std::mutex mutex;
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

void check_request(std::int32_t requested) {
  if (requested < 0 || requested > kMostThreads) {
    throw Error(LINNET_INVALID_ARGUMENT, "threads is " + std::to_string(requested) +
                                             ", needed 0 (choose) to " + std::to_string(kMostThreads));
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
  // Only safe before anything was loaded: XNNPACK keeps pointers into the pool.
  auto* pool = executorch::extension::threadpool::get_threadpool();
  if (pool == nullptr || !pool->_unsafe_reset_threadpool(static_cast<std::uint32_t>(count))) {
    throw Error(LINNET_INTERNAL, "ExecuTorch's thread pool could not be set to " + std::to_string(count));
  }
  owner.store(::getpid());
  fixed.store(count);
}

std::int32_t fixed_threads() noexcept { return fixed.load(); }

void check_not_forked() {
  if (fixed.load() > 1 && owner.load() != ::getpid()) {
    throw Error(LINNET_THREADS_FIXED,
                "this process was forked after its parent opened a model with " +
                    std::to_string(fixed.load()) +
                    " threads, which a fork does not copy; open models after forking, or with threads=1");
  }
}

}  // namespace linnet
