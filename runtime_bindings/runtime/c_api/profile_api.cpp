// C ABI, profiling: arguments are checked, exceptions become a status.
#include <memory>

#include "c_api/model_handle.h"
#include "linnet.h"
#include "program/tracer.h"
#include "status.h"

struct linnet_profile {
  linnet::Trace trace;
};

namespace {

void require(bool condition, const char* message) {
  if (!condition) {
    throw linnet::Error(LINNET_INVALID_ARGUMENT, message);
  }
}

}  // namespace

extern "C" linnet_status linnet_model_set_profiling(linnet_model* model, int32_t on) {
  return linnet::guarded([&] {
    require(model != nullptr, "model is NULL");
    require(on == 0 || on == 1, "on is neither 0 nor 1");
    model->program.set_profiling(on == 1);
  });
}

extern "C" linnet_status linnet_model_profile(linnet_model* model, linnet_profile** profile) {
  return linnet::guarded([&] {
    require(model != nullptr && profile != nullptr, "model or profile is NULL");
    auto result = std::make_unique<linnet_profile>();
    result->trace = model->program.take_trace();
    *profile = result.release();
  });
}

extern "C" size_t linnet_profile_count(const linnet_profile* profile) {
  return profile == nullptr ? 0 : profile->trace.events.size();
}

extern "C" linnet_status linnet_profile_event(const linnet_profile* profile, size_t index,
                                              linnet_event* event) {
  return linnet::guarded([&] {
    require(profile != nullptr && event != nullptr, "profile or event is NULL");
    require(index < profile->trace.events.size(), "index is not below linnet_profile_count()");
    const linnet::TraceEvent& found = profile->trace.events[index];
    *event = {profile->trace.names[found.name].c_str(),
              found.kind,
              found.run,
              found.instruction,
              found.start_ns,
              found.end_ns};
  });
}

extern "C" void linnet_profile_free(linnet_profile* profile) { delete profile; }
