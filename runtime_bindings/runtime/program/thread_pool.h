// Declarations of ExecuTorch's thread pool (1.5.1), which its library exports but the wheel has no header
// for.
#ifndef LINNET_RUNTIME_PROGRAM_THREAD_POOL_H_
#define LINNET_RUNTIME_PROGRAM_THREAD_POOL_H_

#include <executorch/runtime/core/function_ref.h>

#include <cstddef>
#include <cstdint>

namespace executorch::extension::threadpool {

class ThreadPool {
 public:
  bool _unsafe_reset_threadpool(std::uint32_t new_thread_count);
  std::size_t get_thread_count() const;
  // Run task(0) to task(range - 1) on the pool's threads and wait for all of them.
  void run(runtime::FunctionRef<void(std::size_t)> task, std::size_t range);
};

ThreadPool* get_threadpool();

// Return the pthreadpool inside ThreadPool, borrowed; NULL if there was no memory for it.
struct pthreadpool* get_pthreadpool();

}  // namespace executorch::extension::threadpool

#endif  // LINNET_RUNTIME_PROGRAM_THREAD_POOL_H_
