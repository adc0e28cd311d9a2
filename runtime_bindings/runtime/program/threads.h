// Number of threads of ExecuTorch's thread pool, which a process has once and sizes once.
#ifndef LINNET_RUNTIME_PROGRAM_THREADS_H_
#define LINNET_RUNTIME_PROGRAM_THREADS_H_

#include <cstdint>
#include <mutex>

namespace linnet {

// Fix the number of threads of this process, or check that it is already fixed to the same. 0 takes the fixed
// number, or else the CPUs that this process may use, at most kMostDefaultThreads. Throw
// LINNET_INVALID_ARGUMENT, LINNET_THREADS_FIXED, or LINNET_OUT_OF_MEMORY if so many threads cannot be
// started.
void fix_threads(std::int32_t requested);

// Return the fixed number, 0 while none is fixed.
std::int32_t fixed_threads() noexcept;

// Return the lock that a run must hold. With three threads or more it lets only one model run at a time,
// because two runs would give wrong answers (seen with SME): pthreadpool lowers its number of threads while
// it runs a job of fewer pieces (pthreadpool_parallelize in src/pthreads.c), and XNNPACK reads that number
// when it divides scratch memory among the threads for a new shape (num_threads in the reshape of
// src/operators/fully-connected-nc.c). A job of another model at that moment leaves threads without memory of
// their own. With up to two threads the number never changes, and the lock is empty.
std::unique_lock<std::mutex> one_run_at_a_time();

// Throw LINNET_THREADS_FIXED in a forked child: the worker threads exist only in its parent.
void check_not_forked();

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_THREADS_H_
