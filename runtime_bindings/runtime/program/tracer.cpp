#include "program/tracer.h"

#include <executorch/runtime/platform/clock.h>

#include <cstring>
#include <new>
#include <utility>

#include "program/delegate_clock.h"

namespace linnet {

using executorch::runtime::AllocatorID;
using executorch::runtime::ArrayRef;
using executorch::runtime::ChainID;
using executorch::runtime::DebugHandle;
using executorch::runtime::DelegateDebugIdType;
using executorch::runtime::DelegateDebugIntId;
using executorch::runtime::EValue;
using executorch::runtime::EventTracerEntry;
using executorch::runtime::EventTracerFilterBase;
using executorch::runtime::LoggedEValueType;
using executorch::runtime::pal_current_ticks;
using executorch::runtime::ticks_to_ns;

namespace {

constexpr std::int64_t kNoName = -1;
constexpr char kDelegateCall[] = "DELEGATE_CALL";
constexpr std::int64_t kMicrosecond = 1000;

std::int64_t nanoseconds(et_timestamp_t ticks) noexcept {
  return static_cast<std::int64_t>(ticks_to_ns(ticks));
}

}  // namespace

void Tracer::begin_run() noexcept { running_ = true; }

void Tracer::end_run(bool whole) noexcept {
  running_ = false;
  keep_delegate_clock(nullptr);
  if (whole) {
    kept_ = trace_.events.size();
    ++run_;
  } else {
    trace_.events.erase(trace_.events.begin() + static_cast<std::ptrdiff_t>(kept_), trace_.events.end());
  }
}

Trace Tracer::take() {
  indices_.clear();
  Trace taken = std::exchange(trace_, {});
  kept_ = 0;
  run_ = 0;
  if (std::exchange(lost_, false)) {
    throw std::bad_alloc();
  }
  return taken;
}

void Tracer::create_event_block(const char*) {}

EventTracerEntry Tracer::start_profiling(const char* name, ChainID, DebugHandle) {
  if (running_ && std::strcmp(name, kDelegateCall) == 0) {
    delegate_start_ = trace_.events.size();
    readings_.clear();
    keep_delegate_clock(&readings_);
  }
  return started(name);
}

void Tracer::end_profiling(EventTracerEntry entry) {
  const et_timestamp_t end = pal_current_ticks();
  if (running_ && entry.event_id != kNoName &&
      trace_.names[static_cast<std::size_t>(entry.event_id)] == kDelegateCall) {
    keep_delegate_clock(nullptr);
    refine();
  }
  const bool in_chain = entry.chain_id >= 0;
  keep(entry.event_id, LINNET_EVENT_RUNTIME, in_chain ? static_cast<std::int32_t>(entry.debug_handle) : -1,
       entry.start_time, end);
}

EventTracerEntry Tracer::start_profiling_delegate(const char* name, DelegateDebugIntId) {
  return started(name);
}

void Tracer::end_profiling_delegate(EventTracerEntry entry, const void*, std::size_t) {
  const et_timestamp_t end = pal_current_ticks();
  keep(entry.event_id, LINNET_EVENT_DELEGATE, instruction(), entry.start_time, end);
}

void Tracer::log_profiling_delegate(const char* name, DelegateDebugIntId, et_timestamp_t start,
                                    et_timestamp_t end, const void*, std::size_t) {
  keep(name_index(name), LINNET_EVENT_DELEGATE, instruction(), start, end);
}

void Tracer::track_allocation(AllocatorID, std::size_t) {}
AllocatorID Tracer::track_allocator(const char*) { return 0; }
Tracer::Flag Tracer::log_evalue(const EValue&, LoggedEValueType) { return false; }
Tracer::Flag Tracer::log_intermediate_output_delegate(const char*, Id, const Tensor&) { return false; }
Tracer::Flag Tracer::log_intermediate_output_delegate(const char*, Id, const ArrayRef<Tensor>) {
  return false;
}
Tracer::Flag Tracer::log_intermediate_output_delegate(const char*, Id, const int&) { return false; }
Tracer::Flag Tracer::log_intermediate_output_delegate(const char*, Id, const bool&) { return false; }
Tracer::Flag Tracer::log_intermediate_output_delegate(const char*, Id, const double&) { return false; }
void Tracer::set_delegation_intermediate_output_filter(EventTracerFilterBase*) {}

// Return the index of a name, or kNoName while nothing is kept. ExecuTorch and XNNPACK use the same few names
// again and again, so a name is copied only once.
std::int64_t Tracer::name_index(const char* name) noexcept {
  if (!running_) {
    return kNoName;
  }
  try {
    const std::string_view wanted = name == nullptr ? "" : name;
    const auto known = indices_.find(wanted);
    if (known != indices_.end()) {
      return static_cast<std::int64_t>(known->second);
    }
    trace_.names.emplace_back(wanted);
    indices_.emplace(trace_.names.back(), trace_.names.size() - 1);
    return static_cast<std::int64_t>(trace_.names.size() - 1);
  } catch (const std::bad_alloc&) {
    lost_ = true;
    return kNoName;
  }
}

void Tracer::keep(std::int64_t name, linnet_event_kind kind, std::int32_t instruction, et_timestamp_t start,
                  et_timestamp_t end) noexcept {
  if (!running_ || name == kNoName) {
    return;
  }
  try {
    trace_.events.push_back(
        {static_cast<std::size_t>(name), kind, run_, instruction, nanoseconds(start), nanoseconds(end)});
  } catch (const std::bad_alloc&) {
    lost_ = true;
  }
}

// Replace the times of the delegate's events by XNNPACK's own readings, if the events were made from these:
// one reading more than there are events, and each duration is the distance of two, rounded down to a
// microsecond.
void Tracer::refine() noexcept {
  const std::size_t count = trace_.events.size() - delegate_start_;
  bool same = readings_.size() == count + 1;
  for (std::size_t i = 0; same && i < count; ++i) {
    const TraceEvent& event = trace_.events[delegate_start_ + i];
    const std::int64_t exact = readings_[i + 1] - readings_[i];
    same = event.kind == LINNET_EVENT_DELEGATE &&
           exact / kMicrosecond * kMicrosecond == event.end_ns - event.start_ns;
  }
  for (std::size_t i = 0; same && i < count; ++i) {
    trace_.events[delegate_start_ + i].start_ns = readings_[i];
    trace_.events[delegate_start_ + i].end_ns = readings_[i + 1];
  }
}

std::int32_t Tracer::instruction() const noexcept {
  return chain_id_ < 0 ? -1 : static_cast<std::int32_t>(debug_handle_);
}

// Start an event. The name is looked up before the time is taken, so that the look-up is not measured.
EventTracerEntry Tracer::started(const char* name) noexcept {
  EventTracerEntry entry{name_index(name), chain_id_, debug_handle_, 0, DelegateDebugIdType::kNone};
  entry.start_time = pal_current_ticks();
  return entry;
}

}  // namespace linnet
