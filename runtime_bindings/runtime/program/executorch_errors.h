// ExecuTorch's error codes, log lines and aborts as linnet errors.
#ifndef LINNET_RUNTIME_PROGRAM_EXECUTORCH_ERRORS_H_
#define LINNET_RUNTIME_PROGRAM_EXECUTORCH_ERRORS_H_

#include <executorch/runtime/core/error.h>

#include <string>
#include <string_view>

#include "status.h"

namespace linnet {

// Replace ExecuTorch's log, abort and clock: nothing is written to stderr, error lines are kept per thread,
// and a failed internal check inside an ExecutorchCall is thrown as ExecutorchAborted. Further calls change
// nothing.
void install_executorch_hooks();

// Scope of every call into ExecuTorch: earlier log lines are forgotten, and a failed internal check throws
// with the given status instead of ending the process. Scopes may be nested.
class ExecutorchCall {
 public:
  // Begin the scope. Throw std::bad_alloc.
  explicit ExecutorchCall(linnet_status status_of_abort);
  ~ExecutorchCall();
  ExecutorchCall(const ExecutorchCall&) = delete;
  ExecutorchCall& operator=(const ExecutorchCall&) = delete;

 private:
  linnet_status outer_;
};

// Thrown where ExecuTorch would have aborted the process. The object that it was working on is in an unknown
// state and must not be used again.
class ExecutorchAborted : public Error {
 public:
  using Error::Error;
};

// Keep a log line of the calling thread for its next error message.
void keep_log_line(std::string_view line) noexcept;

// Return the name of an ExecuTorch code, for example "InvalidProgram".
const char* executorch_error_name(executorch::runtime::Error code) noexcept;

// Return an Error with the code, its name and the last log lines of this thread. Its status is
// LINNET_OUT_OF_MEMORY in place of `status` if these say that memory ran out.
Error executorch_error(linnet_status status, const std::string& what, executorch::runtime::Error code);

// Throw executorch_error() unless `code` is Ok.
inline void check_executorch(linnet_status status, const char* what, executorch::runtime::Error code) {
  if (code != executorch::runtime::Error::Ok) {
    throw executorch_error(status, what, code);
  }
}

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_EXECUTORCH_ERRORS_H_
