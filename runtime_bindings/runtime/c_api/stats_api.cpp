// C ABI, statistics of a task: switched on and off, and written as JSON.
#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "c_api/handles.h"
#include "linnet.h"
#include "stats/stats.h"
#include "status.h"

namespace {

constexpr std::size_t kMostName = 64;  // as linnet.monitoring has it

bool is_plain(char letter) {
  constexpr std::string_view kMore = "._:@/+-";
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || kMore.find(letter) != std::string_view::npos;
}

// Return the name of a model. Throw LINNET_INVALID_ARGUMENT for one that linnet.monitoring would refuse.
std::string model_name(const char* name) {
  linnet::c_api::require_pointer(name, "name");
  const std::string_view given(name, std::find(name, name + kMostName + 1, '\0') - name);
  const bool begins = !given.empty() && std::string_view("._:@/+-").find(given[0]) == std::string_view::npos;
  if (!begins || given.size() > kMostName || !std::all_of(given.begin(), given.end(), is_plain)) {
    throw linnet::Error(LINNET_INVALID_ARGUMENT,
                        "expected a model's name of up to 64 letters, digits and ._:@/+-, got another one");
  }
  return std::string(given);
}

}  // namespace

extern "C" linnet_status linnet_stats_start(const linnet_task* task, const char* name) {
  return linnet::guarded([&] {
    linnet::c_api::require_pointer(task, "task");
    const std::string model = model_name(name);
    const std::lock_guard<std::mutex> lock(task->stats_mutex);
    if (task->stats == nullptr) {
      task->stats = std::make_unique<linnet::Stats>(task->value.labels(), task->value.unknown_id());
    }
    task->stats->reset(model);
    task->counting_stats.store(task->stats.get(), std::memory_order_release);
  });
}

extern "C" linnet_status linnet_stats_stop(const linnet_task* task) {
  return linnet::guarded([&] {
    linnet::c_api::require_pointer(task, "task");
    task->counting_stats.store(nullptr, std::memory_order_release);
  });
}

extern "C" linnet_status linnet_stats_json(const linnet_task* task, char* json, size_t capacity,
                                           size_t* size) {
  return linnet::guarded([&] {
    linnet::c_api::require_pointer(task, "task");
    linnet::c_api::require_pointer(size, "size");
    linnet::c_api::require_array(json, capacity, "json");
    const std::lock_guard<std::mutex> lock(task->stats_mutex);
    if (task->stats == nullptr) {
      throw linnet::Error(LINNET_INVALID_ARGUMENT, "nothing was counted; call linnet_stats_start first");
    }
    *size = task->stats->write(json, capacity);
    if (*size > capacity) {
      throw linnet::Error(LINNET_INVALID_ARGUMENT, "the statistics have " + std::to_string(*size) +
                                                       " bytes, json has room for " +
                                                       std::to_string(capacity));
    }
  });
}
