// ExecuTorch's error codes and log lines as linnet errors.
#ifndef LINNET_RUNTIME_PROGRAM_EXECUTORCH_ERRORS_H_
#define LINNET_RUNTIME_PROGRAM_EXECUTORCH_ERRORS_H_

#include <executorch/runtime/core/error.h>

#include <string>
#include <string_view>

#include "status.h"

namespace linnet {

// Takes over ExecuTorch's log, abort and clock: nothing is written to stderr, error lines are kept per
// thread, and a failed internal check inside of an ExecutorchCall is thrown as Error. Idempotent.
void install_executorch_hooks();

// Stands around every call into ExecuTorch: forgets earlier log lines, and lets a failed internal check
// unwind to us with the given status instead of ending the process. May be nested.
class ExecutorchCall {
 public:
  // Throws std::bad_alloc.
  explicit ExecutorchCall(linnet_status status_of_abort);
  ~ExecutorchCall();
  ExecutorchCall(const ExecutorchCall&) = delete;
  ExecutorchCall& operator=(const ExecutorchCall&) = delete;

 private:
  linnet_status outer_;
};

// Thrown when ExecuTorch would have aborted the process. What it was working on must not be used again.
class ExecutorchAborted : public Error {
 public:
  using Error::Error;
};

// Keeps a log line of the calling thread for the next error message.
void keep_log_line(std::string_view line) noexcept;

// Name of an ExecuTorch code, for example "InvalidProgram".
const char* executorch_error_name(executorch::runtime::Error code) noexcept;

// An Error that carries the code, its name and the last log lines of this thread; its status is
// LINNET_OUT_OF_MEMORY if these say that memory ran out.
Error executorch_error(linnet_status status, const std::string& what, executorch::runtime::Error code);

// Throws executorch_error unless `code` is Ok.
inline void check_executorch(linnet_status status, const char* what, executorch::runtime::Error code) {
  if (code != executorch::runtime::Error::Ok) {
    throw executorch_error(status, what, code);
  }
}

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_EXECUTORCH_ERRORS_H_
