// Event tracer for ExecuTorch: the events of runs, kept as they are reported.
#ifndef LINNET_RUNTIME_PROGRAM_TRACER_H_
#define LINNET_RUNTIME_PROGRAM_TRACER_H_

#include <executorch/runtime/core/event_tracer.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "linnet.h"

namespace linnet {

struct TraceEvent {
  std::size_t name;  // index into Trace::names
  linnet_event_kind kind;
  std::int32_t run;
  std::int32_t instruction;
  std::int64_t start_ns;
  std::int64_t end_ns;
};

// Events with the names that they refer to.
struct Trace {
  std::deque<std::string> names;  // a deque, because indices_ refers to them while more are added
  std::vector<TraceEvent> events;
};

// Records the same events from the same hooks as ExecuTorch's ETDumpGen, which is not used: it builds a
// flatbuffer and copies every name while the clock runs, ends the process when it is called in the wrong
// order, and its format needs a parser. One run at a time; all calls come from the thread that runs.
class Tracer final : public executorch::runtime::EventTracer {
 public:
  // Begin a run: the events that follow belong to it. Outside a run nothing is kept.
  void begin_run() noexcept;
  // End the run. Its events are forgotten unless it is `whole`, which means that it succeeded.
  void end_run(bool whole) noexcept;
  // Take all events so far and start again with run 0. Throw std::bad_alloc if events were lost.
  Trace take();

  void create_event_block(const char* name) override;
  executorch::runtime::EventTracerEntry start_profiling(
      const char* name, executorch::runtime::ChainID chain = executorch::runtime::kUnsetChainId,
      executorch::runtime::DebugHandle handle = executorch::runtime::kUnsetDebugHandle) override;
  void end_profiling(executorch::runtime::EventTracerEntry entry) override;
  executorch::runtime::EventTracerEntry start_profiling_delegate(
      const char* name, executorch::runtime::DelegateDebugIntId id) override;
  void end_profiling_delegate(executorch::runtime::EventTracerEntry entry, const void* metadata,
                              std::size_t size) override;
  void log_profiling_delegate(const char* name, executorch::runtime::DelegateDebugIntId id,
                              et_timestamp_t start, et_timestamp_t end, const void* metadata,
                              std::size_t size) override;

  // allocations and values are ignored
  void track_allocation(executorch::runtime::AllocatorID id, std::size_t size) override;
  executorch::runtime::AllocatorID track_allocator(const char* name) override;
  executorch::runtime::Result<bool> log_evalue(const executorch::runtime::EValue& value,
                                               executorch::runtime::LoggedEValueType type) override;
  using Id = executorch::runtime::DelegateDebugIntId;
  using Tensor = executorch::aten::Tensor;
  using Flag = executorch::runtime::Result<bool>;
  Flag log_intermediate_output_delegate(const char* name, Id id, const Tensor& output) override;
  Flag log_intermediate_output_delegate(const char* name, Id id,
                                        const executorch::runtime::ArrayRef<Tensor> output) override;
  Flag log_intermediate_output_delegate(const char* name, Id id, const int& output) override;
  Flag log_intermediate_output_delegate(const char* name, Id id, const bool& output) override;
  Flag log_intermediate_output_delegate(const char* name, Id id, const double& output) override;
  void set_delegation_intermediate_output_filter(executorch::runtime::EventTracerFilterBase* filter) override;

 private:
  std::int64_t name_index(const char* name) noexcept;
  void keep(std::int64_t name, linnet_event_kind kind, std::int32_t instruction, et_timestamp_t start,
            et_timestamp_t end) noexcept;
  void refine() noexcept;
  std::int32_t instruction() const noexcept;
  executorch::runtime::EventTracerEntry started(const char* name) noexcept;

  std::unordered_map<std::string_view, std::size_t> indices_;  // of trace_.names
  Trace trace_;
  std::vector<std::int64_t> readings_;  // XNNPACK's clock during the delegate call at hand, nanoseconds
  std::size_t delegate_start_ = 0;      // the first event of that call
  std::size_t kept_ = 0;                // events of whole runs
  std::int32_t run_ = 0;
  bool running_ = false;
  bool lost_ = false;  // memory ran out: no exception may pass through ExecuTorch
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_TRACER_H_
