// What this build of the runtime has: backends, operators, versions.
#ifndef LINNET_RUNTIME_PROGRAM_RUNTIME_H_
#define LINNET_RUNTIME_PROGRAM_RUNTIME_H_

#include <cstdint>
#include <string>

#include "file/fields.h"
#include "status.h"

namespace linnet {

// Version of the ExecuTorch libraries that this build carries, for example "1.5.1".
const char* executorch_version() noexcept;

// Prepares ExecuTorch once per process: hooks, thread count, backend options.
void prepare_runtime(std::int32_t threads);

// Throws LINNET_BACKEND_MISSING or LINNET_OPERATOR_MISSING if the manifest asks for more than there is.
void check_requirements(const Fields& fields, const std::string& name);

// Turns a failure to load into LINNET_EXECUTORCH_TOO_OLD if the file was written by a newer ExecuTorch.
[[noreturn]] void rethrow_load_failure(const Error& error, const Fields& fields, const std::string& name);

// Lines "key=value" of linnet_runtime_info().
std::string runtime_info();

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_RUNTIME_H_
