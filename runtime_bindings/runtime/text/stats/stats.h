// Statistics of one task: counters and histograms of constant size, filled without a lock or an allocation.
#ifndef LINNET_RUNTIME_STATS_STATS_H_
#define LINNET_RUNTIME_STATS_STATS_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "linnet.h"
#include "stats/table.h"

namespace linnet {

enum class Stage : std::uint8_t { kTokenize, kRun, kDecode, kTotal };

// What a task counts. Any thread may count; one thread at a time may reset or write. A number is whole,
// several need not be of the same moment.
class Stats {
 public:
  // Prepare the names of the labels; everything that is allocated is allocated here.
  Stats(const std::vector<std::string>& labels, std::int64_t unknown_id);

  // Set everything to 0, and the name of the model: letters, digits and ._:@/+- (checked by the caller).
  void reset(const std::string& model);

  // Count an input that the program ran on: its `count` token ids, and whether it was cut.
  void input(const std::int64_t* ids, std::size_t count, bool truncated) noexcept;
  // Count a prompt of a decoder, of which so many tokens were computed.
  void prompt(std::size_t tokens) noexcept;
  // Count a token that a decoder wrote: the first behind a prompt, or a further one.
  void generated(bool first, std::chrono::nanoseconds time) noexcept;
  // Count the time of a stage for an input of so many tokens.
  void latency(Stage stage, std::size_t tokens, std::chrono::nanoseconds time) noexcept;
  // Count an answer by its class; a negative or too large index counts as another one.
  void label(std::int64_t index) noexcept;
  // Count the score of a best answer; one outside of 0 to 1 is no probability and is left out.
  void confidence(double score) noexcept;
  void error(linnet_status status) noexcept;

  // Write the JSON of linnet.monitoring's snapshots to `json`, without a terminating zero, as far as it fits
  // into `capacity`; return how many bytes all of it has.
  std::size_t write(char* json, std::size_t capacity) const noexcept;

 private:
  using Count = std::atomic<std::uint64_t>;
  static constexpr std::size_t kStages = 4;
  static constexpr std::size_t kMostLabels = 256;
  static constexpr std::size_t kStatuses = 512;  // every status is below

  // A histogram; the sum is in units of its own: nanoseconds, tokens, millionths.
  template <std::size_t Bounds>
  struct Histogram {
    std::array<Count, Bounds + 1> buckets{};
    Count sum{};
  };
  using Latency = Histogram<stats_table::kLatencyBounds.size()>;
  class Writer;

  template <typename Counted>
  static void write_histogram(Writer& out, const Counted& histogram, std::uint64_t unit) noexcept;
  static void write_error_name(Writer& out, linnet_status status) noexcept;
  void write_inputs(Writer& out) const noexcept;
  void write_latency(Writer& out) const noexcept;
  void write_labels(Writer& out) const noexcept;
  void write_errors(Writer& out) const noexcept;

  std::vector<std::string> labels_;  // as they stand in JSON
  std::int64_t unknown_id_;
  std::string model_;
  std::int64_t started_ms_ = 0;
  Count inferences_{};
  Count truncated_{};
  Count tokens_{};
  Count output_tokens_{};
  Count unknown_tokens_{};
  Histogram<stats_table::kTextLengthBounds.size()> text_length_;
  Histogram<stats_table::kConfidenceBounds.size()> confidence_;
  Histogram<stats_table::kTimeToFirstTokenBounds.size()> first_token_;
  Histogram<stats_table::kTimePerTokenBounds.size()> further_token_;
  std::array<std::array<Latency, stats_table::kLengthNames.size()>, kStages> latency_;
  std::array<Count, kMostLabels + 1> label_counts_{};
  std::array<Count, kStatuses> errors_{};
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_STATS_STATS_H_
