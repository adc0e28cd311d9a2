// Work of one operator, shared among the threads of ExecuTorch's pool.
#ifndef LINNET_RUNTIME_KERNELS_ON_THREADS_H_
#define LINNET_RUNTIME_KERNELS_ON_THREADS_H_

#include <algorithm>
#include <cstddef>

#include "program/thread_pool.h"
#include "program/threads.h"

namespace linnet::kernels {

// Return how many threads `items` of work are worth: one if there are fewer than `smallest_share`, else all.
inline std::size_t usable_threads(std::size_t items, std::size_t smallest_share) {
  return items < smallest_share ? 1 : static_cast<std::size_t>(std::max(1, fixed_threads()));
}

// Run work(0) to work(count - 1) on the threads of the pool and wait for all of them.
template <typename Work>
void on_threads(std::size_t count, const Work& work) {
  if (count == 1) {
    work(0);
  } else {
    executorch::extension::threadpool::get_threadpool()->run(work, count);
  }
}

// Run work(first, last) on ranges that together are [0, items), one for each thread that they are worth.
template <typename Work>
void share(std::size_t items, std::size_t smallest_share, const Work& work) {
  const std::size_t threads = usable_threads(items, smallest_share);
  on_threads(threads,
             [&](std::size_t thread) { work(items * thread / threads, items * (thread + 1) / threads); });
}

}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_ON_THREADS_H_
