// ExecuTorch's thread pool: one per process, sized once.
#ifndef LINNET_CORE_SESSION_THREADS_H_
#define LINNET_CORE_SESSION_THREADS_H_

#include <cstdint>

namespace linnet {

// Fixes the number of threads of this process, or checks that it is fixed to the same. 0 takes the fixed
// number, or the CPUs that this process may use, at most kMostDefaultThreads. Throws
// LINNET_INVALID_ARGUMENT or LINNET_THREADS_FIXED.
void fix_threads(std::int32_t requested);

// The fixed number, 0 while nothing is fixed.
std::int32_t fixed_threads() noexcept;

// Throws LINNET_THREADS_FIXED in a forked child whose worker threads stayed in the parent.
void check_not_forked();

}  // namespace linnet

#endif  // LINNET_CORE_SESSION_THREADS_H_
