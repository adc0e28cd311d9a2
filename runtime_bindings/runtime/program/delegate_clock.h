// Clock that XNNPACK reads while it profiles, with its readings kept in nanoseconds.
#ifndef LINNET_RUNTIME_PROGRAM_DELEGATE_CLOCK_H_
#define LINNET_RUNTIME_PROGRAM_DELEGATE_CLOCK_H_

#include <cstdint>
#include <vector>

namespace linnet {

// Append the calling thread's readings to `readings`, in nanoseconds, from now on; NULL ends it. The vector
// is borrowed until then.
//
// XNNPACK takes the time before its first operator and after each one, but reports whole microseconds,
// rounded down: most operators of a small model would take 0. The bundled library asks liblinnet for the time
// (tools/bundle_executorch.py), so that the same readings can be kept exactly.
void keep_delegate_clock(std::vector<std::int64_t>* readings) noexcept;

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_DELEGATE_CLOCK_H_
