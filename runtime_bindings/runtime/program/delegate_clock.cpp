#include "program/delegate_clock.h"

#include <time.h>

#include <new>

#include "linnet.h"
#include "per_thread.h"

namespace linnet {
namespace {

struct Readings {
  std::vector<std::int64_t>* kept = nullptr;
};

}  // namespace

void keep_delegate_clock(std::vector<std::int64_t>* readings) noexcept {
  Readings* const mine = PerThread<Readings>::find();
  if (mine != nullptr) {
    mine->kept = readings;
  }
}

}  // namespace linnet

// The bundled XNNPACK library calls this in place of clock_gettime().
extern "C" LINNET_API int linnet_clock_gettime(clockid_t clock, struct timespec* now) noexcept;

extern "C" int linnet_clock_gettime(clockid_t clock, struct timespec* now) noexcept {
  const int failed = ::clock_gettime(clock, now);
  const linnet::Readings* const mine = linnet::PerThread<linnet::Readings>::find();
  if (mine != nullptr && mine->kept != nullptr && failed == 0) {
    try {
      mine->kept->push_back(std::int64_t{now->tv_sec} * 1000000000 + now->tv_nsec);
    } catch (const std::bad_alloc&) {
      // readings that are fewer than the events need are not used, so no more are kept
      linnet::keep_delegate_clock(nullptr);
    }
  }
  return failed;
}
