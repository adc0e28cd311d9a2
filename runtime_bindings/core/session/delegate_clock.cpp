#include "session/delegate_clock.h"

#include <time.h>

#include <new>

#include "linnet.h"

namespace linnet {
namespace {

std::vector<std::int64_t>*& kept_readings() noexcept {
  thread_local std::vector<std::int64_t>* readings = nullptr;
  return readings;
}

}  // namespace

void keep_delegate_clock(std::vector<std::int64_t>* readings) noexcept { kept_readings() = readings; }

}  // namespace linnet

// What clock_gettime() is called in the bundled XNNPACK library.
extern "C" LINNET_API int linnet_clock_gettime(clockid_t clock, struct timespec* now) noexcept;

extern "C" int linnet_clock_gettime(clockid_t clock, struct timespec* now) noexcept {
  const int failed = ::clock_gettime(clock, now);
  std::vector<std::int64_t>* const readings = linnet::kept_readings();
  if (readings != nullptr && failed == 0) {
    try {
      readings->push_back(std::int64_t{now->tv_sec} * 1000000000 + now->tv_nsec);
    } catch (const std::bad_alloc&) {
      linnet::keep_delegate_clock(nullptr);  // then their number does not fit, and they are not used
    }
  }
  return failed;
}
