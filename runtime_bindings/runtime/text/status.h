// Errors of the runtime: thrown as linnet::Error, turned into a linnet_status where C calls.
#ifndef LINNET_RUNTIME_STATUS_H_
#define LINNET_RUNTIME_STATUS_H_

#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "linnet.h"

namespace linnet {

// A failure with its status, a sentence that says what was found, what was expected and what to do, and
// ExecuTorch's own code (0 if ExecuTorch was not involved).
class Error : public std::exception {
 public:
  Error(linnet_status status, std::string message, std::uint32_t executorch_code = 0)
      : status_(status), message_(std::move(message)), executorch_code_(executorch_code) {}

  const char* what() const noexcept override { return message_.c_str(); }
  linnet_status status() const noexcept { return status_; }
  std::uint32_t executorch_code() const noexcept { return executorch_code_; }

 private:
  linnet_status status_;
  std::string message_;
  std::uint32_t executorch_code_;
};

// Keep a failure as the calling thread's last error and return its status. The message is copied.
linnet_status remember_error(linnet_status status, const char* message,
                             std::uint32_t executorch_code) noexcept;

// Run `body` and turn whatever it throws into a status, so that no exception crosses the C ABI.
template <typename Body>
linnet_status guarded(Body&& body) noexcept {
  try {
    std::forward<Body>(body)();
    return LINNET_OK;
  } catch (const Error& error) {
    return remember_error(error.status(), error.what(), error.executorch_code());
  } catch (const std::bad_alloc&) {
    return remember_error(LINNET_OUT_OF_MEMORY, "memory ran out", 0);
  } catch (const std::exception& error) {
    return remember_error(LINNET_INTERNAL, error.what(), 0);
  } catch (...) {
    return remember_error(LINNET_INTERNAL, "an unknown exception", 0);
  }
}

}  // namespace linnet

#endif  // LINNET_RUNTIME_STATUS_H_
