// The clock that XNNPACK reads while it profiles.
#ifndef LINNET_RUNTIME_PROGRAM_DELEGATE_CLOCK_H_
#define LINNET_RUNTIME_PROGRAM_DELEGATE_CLOCK_H_

#include <cstdint>
#include <vector>

namespace linnet {

// XNNPACK takes the time before its first operator and after each one, but hands out whole microseconds only,
// rounded down: most operators of a small model would take 0. The bundled library asks liblinnet for the time
// (bundle_executorch.py), so that the same readings can be kept in nanoseconds.
//
// From here on the calling thread's readings are added to `readings`, in nanoseconds; NULL ends it.
void keep_delegate_clock(std::vector<std::int64_t>* readings) noexcept;

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_DELEGATE_CLOCK_H_
