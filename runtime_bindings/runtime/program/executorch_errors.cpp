#include "program/executorch_errors.h"

#include <executorch/runtime/platform/platform.h>
#include <executorch/runtime/platform/runtime.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "per_thread.h"

namespace linnet {
namespace {

using Code = executorch::runtime::Error;
constexpr std::size_t kKeptBytes = 600;  // for the last one or two lines, which say what happened

// The last log lines of a thread. Adding one allocates nothing, since ExecuTorch may be logging that memory
// ran out.
class ThreadLog {
 public:
  std::string_view lines() const noexcept { return {text_.data(), size_}; }
  void clear() noexcept { size_ = 0; }
  void add(std::string_view line) noexcept {
    if (size_ > 0) {
      append("; ");
    }
    append(line);
  }

  linnet_status status_of_abort = LINNET_OK;  // OK: no call into ExecuTorch is on this thread's stack

 private:
  // Append a line; when there is no room, the beginning is dropped, because the end says what happened.
  void append(std::string_view line) noexcept {
    line.remove_prefix(line.size() - std::min(line.size(), text_.size()));
    const std::size_t kept = std::min(size_, text_.size() - line.size());
    std::memmove(text_.data(), text_.data() + (size_ - kept), kept);
    std::memcpy(text_.data() + kept, line.data(), line.size());
    size_ = kept + line.size();
  }

  std::array<char, kKeptBytes> text_;
  std::size_t size_ = 0;
};

ThreadLog& thread_log() {
  ThreadLog* const log = PerThread<ThreadLog>::find();
  if (log == nullptr) {
    throw std::bad_alloc();
  }
  return *log;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Tell whether memory ran out. When XNNPACK has none, ExecuTorch returns "Internal" and XNNPACK's own status
// stands only in the log.
bool memory_ran_out(Code code, std::string_view lines) {
  return code == Code::MemoryAllocationFailed || code == Code::DelegateMemoryAllocationFailed ||
         contains(lines, "xnn_status_out_of_memory") || contains(lines, "XNNPACK status: 0x6") ||
         contains(lines, "Malloc failed") || contains(lines, "Invalid threadpool");
}

void keep_message(et_timestamp_t, et_pal_log_level_t level, const char*, const char*, std::size_t,
                  const char* message, std::size_t length) {
  if (level == kError || level == kFatal) {
    keep_log_line({message, length});
  }
}

// Return the time of the clock that XNNPACK reads, so that the events of both lie on one time line;
// ExecuTorch's own clock begins at another zero.
et_timestamp_t monotonic_nanoseconds() {
  struct timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<et_timestamp_t>(now.tv_sec) * 1000000000U + static_cast<et_timestamp_t>(now.tv_nsec);
}

et_tick_ratio_t nanosecond_ticks() { return {1, 1}; }

// Throw ExecutorchAborted out of a failed internal check of ExecuTorch, which calls this and does not expect
// it to return; outside an ExecutorchCall, where nobody would catch it, print the log and end the process.
[[noreturn]] void leave_executorch() {
  const ThreadLog* const log = PerThread<ThreadLog>::find();
  if (log == nullptr || log->status_of_abort == LINNET_OK) {
    const std::string_view lines = log == nullptr ? "" : log->lines();
    std::fprintf(stderr, "linnet: ExecuTorch stopped the process: %.*s\n", static_cast<int>(lines.size()),
                 lines.data());
    std::abort();
  }
  const std::string lines(log->lines());
  throw ExecutorchAborted(memory_ran_out(Code::Internal, lines) ? LINNET_OUT_OF_MEMORY : log->status_of_abort,
                          "an internal check of ExecuTorch failed: " + lines +
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

ExecutorchCall::ExecutorchCall(linnet_status status_of_abort) : outer_(thread_log().status_of_abort) {
  if (outer_ == LINNET_OK) {
    thread_log().clear();
  }
  thread_log().status_of_abort = status_of_abort;
}

ExecutorchCall::~ExecutorchCall() { thread_log().status_of_abort = outer_; }

void keep_log_line(std::string_view line) noexcept {
  ThreadLog* const log = PerThread<ThreadLog>::find();
  if (log != nullptr) {
    log->add(line);
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
  const std::string lines(thread_log().lines());
  return {memory_ran_out(code, lines) ? LINNET_OUT_OF_MEMORY : status,
          what + suffix + (lines.empty() ? "" : ": " + lines), number};
}

}  // namespace linnet
