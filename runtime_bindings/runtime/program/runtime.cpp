#include "program/runtime.h"

#include <executorch/runtime/backend/interface.h>
#include <executorch/runtime/backend/options.h>
#include <executorch/runtime/kernel/operator_registry.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "kernels/dispatch.h"
#include "program/cpu.h"
#include "program/executorch_errors.h"
#include "program/method_memory.h"
#include "program/threads.h"
#include "status.h"

namespace linnet {
namespace {

constexpr char kXnnpack[] = "XnnpackBackend";
// 1 is one workspace per loaded method (PerModel of ExecuTorch's XNNWorkspaceManager). The default is one
// workspace for all programs behind one lock, with which two models on two threads are not faster than one.
constexpr int kWorkspacePerModel = 1;
// Bytes that must be available before the CPUs are counted and the thread pool is made; it takes far less. An
// exception there would pass through pthread_once(), where glibc ends the process if memory ran out.
constexpr std::size_t kStartBytes = 1048576;

void set_workspace_sharing() {
  executorch::runtime::BackendOptions<1> options;
  check_executorch(LINNET_INTERNAL, "a backend option is too long",
                   options.set_option("workspace_sharing_mode", kWorkspacePerModel));
  check_executorch(LINNET_INTERNAL, "XNNPACK refused workspace_sharing_mode",
                   executorch::runtime::set_option(kXnnpack, options.view()));
}

bool prepare_once(std::int32_t threads) {
  const std::string problem = kernels::prepare_kernels();
  if (!problem.empty()) {
    throw Error(LINNET_INVALID_ARGUMENT, problem);
  }
  install_executorch_hooks();
  const ExecutorchCall call(LINNET_LOAD_FAILED);
  require_memory(kStartBytes);
  fix_threads(threads);
  set_workspace_sharing();
  return true;
}

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < executorch::runtime::get_num_registered_backends(); ++i) {
    const auto name = executorch::runtime::get_backend_name(i);
    if (name.ok()) {
      names.emplace_back(*name);
    }
  }
  return names;
}

std::set<std::string_view> operator_names() {
  std::set<std::string_view> names;
  for (const auto& kernel : executorch::runtime::get_registered_kernels()) {
    names.insert(kernel.name_);
  }
  return names;
}

std::string join(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) {
    text += (text.empty() ? "" : ",") + item;
  }
  return text;
}

// Return the leading part "major.minor" of a version as one number that sorts as versions do; -1 if there is
// none.
std::int64_t release(std::string_view version) {
  std::int64_t parts[2] = {-1, -1};
  std::size_t at = 0;
  for (std::int64_t& part : parts) {
    for (; at < version.size() && version[at] >= '0' && version[at] <= '9' && part < 100000; ++at) {
      part = std::max<std::int64_t>(part, 0) * 10 + (version[at] - '0');
    }
    ++at;
  }
  return parts[0] < 0 || parts[1] < 0 ? -1 : parts[0] * 1000000 + parts[1];
}

std::string written_by_newer(const Fields& fields) {
  const std::string version = fields.text("executorch_version");
  return release(version) > release(executorch_version()) ? version : "";
}

void check_backends(const Fields& fields, const std::string& name) {
  const std::vector<std::string> present = backend_names();
  std::vector<std::string> missing;
  for (const std::string& needed : fields.items("backends")) {
    if (std::find(present.begin(), present.end(), needed) == present.end()) {
      missing.push_back(needed);
    }
  }
  if (!missing.empty()) {
    throw Error(LINNET_BACKEND_MISSING, name + ": needs the backend " + join(missing) + ", this linnet has " +
                                            join(present) + "; export the file for one of these");
  }
}

}  // namespace

const char* executorch_version() noexcept { return LINNET_EXECUTORCH_VERSION; }

void prepare_runtime(std::int32_t threads) {
  static const bool prepared = prepare_once(threads);
  static_cast<void>(prepared);
  fix_threads(threads);
}

void check_requirements(const Fields& fields, const std::string& name) {
  check_backends(fields, name);
  const std::set<std::string_view> operators = operator_names();
  std::vector<std::string> missing;
  for (const std::string& needed : fields.items("operators")) {
    if (operators.count(needed) == 0) {
      missing.push_back(needed);
    }
  }
  if (!missing.empty()) {
    throw Error(LINNET_OPERATOR_MISSING, name + ": needs the operators " + join(missing) +
                                             ", which this linnet (ExecuTorch " + executorch_version() +
                                             ") lacks; install a newer linnet, or export the file again");
  }
}

void rethrow_load_failure(const Error& error, const Fields& fields, const std::string& name) {
  const std::string newer = written_by_newer(fields);
  if (newer.empty()) {
    throw Error(error.status(), name + ": " + error.what(), error.executorch_code());
  }
  throw Error(LINNET_EXECUTORCH_TOO_OLD,
              name + ": written by ExecuTorch " + newer + ", this linnet has " + executorch_version() +
                  " and could not load it: " + error.what() +
                  "; install a newer linnet, or export the file again",
              error.executorch_code());
}

std::string runtime_info() {
  return std::string("version=") + LINNET_VERSION + "\nexecutorch=" + executorch_version() +
         "\nbackends=" + join(backend_names()) + "\noperators=" + std::to_string(operator_names().size()) +
         "\ncpu=" + cpu_model() + "\ncpu_features=" + cpu_features() +
         "\nkernels=" + kernels::chosen_kernels().name + "\nthreads=" + std::to_string(fixed_threads()) +
         "\n";
}

}  // namespace linnet
