// Number of threads of an ExecuTorch that the app, not linnet, sets up.
#include <algorithm>
#include <cstddef>

#include "program/thread_pool.h"
#include "program/threads.h"

namespace linnet {

std::int32_t fixed_threads() noexcept {
  auto* pool = executorch::extension::threadpool::get_threadpool();
  return pool == nullptr ? 1 : static_cast<std::int32_t>(std::max<std::size_t>(1, pool->get_thread_count()));
}

}  // namespace linnet
