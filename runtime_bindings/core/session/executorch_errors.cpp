#include "session/executorch_errors.h"

#include <executorch/runtime/platform/platform.h>
#include <executorch/runtime/platform/runtime.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>

namespace linnet {
namespace {

using Code = executorch::runtime::Error;
constexpr std::size_t kKeptBytes = 600;  // the last one or two lines say what happened; more is noise

struct ThreadLog {
  std::string lines;
  linnet_status status_of_abort = LINNET_OK;  // OK: no call into ExecuTorch is on this thread's stack
};

ThreadLog& thread_log() {
  thread_local ThreadLog log;
  return log;
}

void keep_message(et_timestamp_t, et_pal_log_level_t level, const char*, const char*, std::size_t,
                  const char* message, std::size_t length) {
  if (level == kError || level == kFatal) {
    keep_log_line({message, length});
  }
}

// XNNPACK's clock, without ExecuTorch's own zero: so that the events of both have one time line.
et_timestamp_t monotonic_nanoseconds() {
  struct timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<et_timestamp_t>(now.tv_sec) * 1000000000U + static_cast<et_timestamp_t>(now.tv_nsec);
}

et_tick_ratio_t nanosecond_ticks() { return {1, 1}; }

// ExecuTorch calls this when one of its internal checks fails and never expects it to return.
[[noreturn]] void leave_executorch() {
  if (thread_log().status_of_abort == LINNET_OK) {
    std::fprintf(stderr, "linnet: ExecuTorch stopped the process: %s\n", thread_log().lines.c_str());
    std::abort();
  }
  throw ExecutorchAborted(thread_log().status_of_abort,
                          "an internal check of ExecuTorch failed: " + thread_log().lines +
                              "; the model cannot be used any more, open it again",
                          static_cast<std::uint32_t>(Code::Internal));
}

bool install() {
  executorch::runtime::runtime_init();
  return executorch::runtime::register_pal(
      executorch::runtime::PalImpl::create(nullptr, leave_executorch, monotonic_nanoseconds, nanosecond_ticks,
                                           keep_message, nullptr, nullptr, "linnet"));
}

}  // namespace

void install_executorch_hooks() {
  static const bool installed = install();
  if (!installed) {
    throw Error(LINNET_INTERNAL, "ExecuTorch refused linnet's platform hooks");
  }
}

ExecutorchCall::ExecutorchCall(linnet_status status_of_abort) noexcept
    : outer_(thread_log().status_of_abort) {
  if (outer_ == LINNET_OK) {
    thread_log().lines.clear();
  }
  thread_log().status_of_abort = status_of_abort;
}

ExecutorchCall::~ExecutorchCall() { thread_log().status_of_abort = outer_; }

void keep_log_line(std::string_view line) {
  std::string& lines = thread_log().lines;
  lines += lines.empty() ? "" : "; ";
  lines += line;
  if (lines.size() > kKeptBytes) {
    lines.erase(0, lines.size() - kKeptBytes);
  }
}

const char* executorch_error_name(Code code) noexcept {
  switch (code) {
#define LINNET_NAME(name) \
  case Code::name:        \
    return #name
    LINNET_NAME(Ok);
    LINNET_NAME(Internal);
    LINNET_NAME(InvalidState);
    LINNET_NAME(EndOfMethod);
    LINNET_NAME(AlreadyLoaded);
    LINNET_NAME(NotSupported);
    LINNET_NAME(NotImplemented);
    LINNET_NAME(InvalidArgument);
    LINNET_NAME(InvalidType);
    LINNET_NAME(OperatorMissing);
    LINNET_NAME(RegistrationExceedingMaxKernels);
    LINNET_NAME(RegistrationAlreadyRegistered);
    LINNET_NAME(NotFound);
    LINNET_NAME(MemoryAllocationFailed);
    LINNET_NAME(AccessFailed);
    LINNET_NAME(InvalidProgram);
    LINNET_NAME(InvalidExternalData);
    LINNET_NAME(OutOfResources);
    LINNET_NAME(DelegateInvalidCompatibility);
    LINNET_NAME(DelegateMemoryAllocationFailed);
    LINNET_NAME(DelegateInvalidHandle);
#undef LINNET_NAME
  }
  return "unknown";
}

Error executorch_error(linnet_status status, const std::string& what, Code code) {
  const auto number = static_cast<std::uint32_t>(code);
  char suffix[64];
  std::snprintf(suffix, sizeof suffix, " (ExecuTorch 0x%02x %s)", static_cast<unsigned>(number),
                executorch_error_name(code));
  const std::string& lines = thread_log().lines;
  return {status, what + suffix + (lines.empty() ? "" : ": " + lines), number};
}

}  // namespace linnet
