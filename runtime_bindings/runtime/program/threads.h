// ExecuTorch's thread pool: one per process, sized once.
#ifndef LINNET_RUNTIME_PROGRAM_THREADS_H_
#define LINNET_RUNTIME_PROGRAM_THREADS_H_

#include <cstdint>
#include <mutex>

namespace linnet {

// Fixes the number of threads of this process, or checks that it is fixed to the same. 0 takes the fixed
// number, or the CPUs that this process may use, at most kMostDefaultThreads. Throws
// LINNET_INVALID_ARGUMENT or LINNET_THREADS_FIXED.
void fix_threads(std::int32_t requested);

// The fixed number, 0 while nothing is fixed.
std::int32_t fixed_threads() noexcept;

// What a run holds. With three threads and more only one session runs at a time: pthreadpool lowers its count
// of threads while it runs a job of fewer pieces (pthreadpool_parallelize in src/pthreads.c), and XNNPACK
// reads that count when it allots every thread's scratch memory for a new shape (num_threads in the reshape
// of src/operators/fully-connected-nc.c). Another session's job at that moment leaves threads without memory
// of their own: wrong answers, seen with SME. Up to two threads the count never changes, and nothing is
// locked.
std::unique_lock<std::mutex> one_run_at_a_time();

// Throws LINNET_THREADS_FIXED in a forked child whose worker threads stayed in the parent.
void check_not_forked();

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_THREADS_H_
