// Build of the runtime: its backends, operators and versions, and the start of ExecuTorch.
#ifndef LINNET_RUNTIME_PROGRAM_RUNTIME_H_
#define LINNET_RUNTIME_PROGRAM_RUNTIME_H_

#include <cstdint>
#include <string>

#include "file/fields.h"
#include "status.h"

namespace linnet {

// Return the version of the ExecuTorch libraries that this build carries, for example "1.5.1".
const char* executorch_version() noexcept;

// Prepare ExecuTorch once per process: hooks, number of threads, backend options. Throw what fix_threads()
// throws.
void prepare_runtime(std::int32_t threads);

// Throw LINNET_BACKEND_MISSING or LINNET_OPERATOR_MISSING if the manifest names something that this build
// lacks. `name` is the file's name in messages.
void check_requirements(const Fields& fields, const std::string& name);

// Throw a failure to load again, with the file's name, and as LINNET_EXECUTORCH_TOO_OLD if a newer ExecuTorch
// wrote the file.
[[noreturn]] void rethrow_load_failure(const Error& error, const Fields& fields, const std::string& name);

// Return the lines "key=value" of linnet_runtime_info().
std::string runtime_info();

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_RUNTIME_H_
