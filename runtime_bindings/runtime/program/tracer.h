// What ExecuTorch's event tracer reports of a run, kept as it is.
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

struct Trace {
  std::deque<std::string> names;  // stay where they are when more come
  std::vector<TraceEvent> events;
};

// Not an ETDumpGen: that one builds a flatbuffer and copies every name while the clock runs, stops the
// process when it is used in the wrong order, and its format needs a parser. These are the same events of the
// same hooks. One run at a time; everything is called on the thread that runs.
class Tracer final : public executorch::runtime::EventTracer {
 public:
  // From here on events belong to the next run; outside of a run nothing is kept.
  void begin_run() noexcept;
  // `whole`: the run went through. Events of a failed one are forgotten.
  void end_run(bool whole) noexcept;
  // Hands over all events so far and starts again with run 0. Throws std::bad_alloc if events were lost.
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

  // Allocations and values are not looked at.
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
