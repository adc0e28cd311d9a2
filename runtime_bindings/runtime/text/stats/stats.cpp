#include "stats/stats.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace linnet {
namespace {

constexpr std::size_t kMostLabelLength = 64;  // code points, as linnet.monitoring has it
constexpr std::array<const char*, 4> kStageNames = {"tokenize", "run", "decode", "total"};

std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

void add(std::atomic<std::uint64_t>& count, std::uint64_t amount = 1) noexcept {
  count.fetch_add(amount, std::memory_order_relaxed);
}

std::uint64_t read(const std::atomic<std::uint64_t>& count) noexcept {
  return count.load(std::memory_order_relaxed);
}

template <std::size_t Bounds>
std::size_t bucket_of(const std::array<double, Bounds>& bounds, double value) noexcept {
  return static_cast<std::size_t>(std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin());
}

std::size_t length_of(std::size_t tokens) noexcept {
  const auto& lengths = stats_table::kLengths;
  return static_cast<std::size_t>(std::lower_bound(lengths.begin(), lengths.end(), tokens) - lengths.begin());
}

// Return the name of a class as a JSON string; one that cannot be shown is called by its number.
std::string quoted_label(const std::string& label, std::size_t number) {
  std::size_t length = 0;
  bool shown = !label.empty();
  std::string quoted = "\"";
  for (const char character : label) {
    const auto byte = static_cast<unsigned char>(character);
    shown = shown && byte >= 0x20 && byte != 0x7F;
    length += (byte & 0xC0U) != 0x80 ? 1 : 0;
    if (character == '"' || character == '\\') {
      quoted += '\\';
    }
    quoted += character;
  }
  if (!shown || length > kMostLabelLength) {
    return "\"class_" + std::to_string(number) + '"';
  }
  return quoted + '"';
}

template <typename Counted>
bool is_empty(const Counted& histogram) noexcept {
  return std::all_of(histogram.buckets.begin(), histogram.buckets.end(),
                     [](const auto& bucket) { return read(bucket) == 0; });
}

}  // namespace

// Text in a buffer of the caller; what does not fit is only counted. Nothing depends on the locale.
class Stats::Writer {
 public:
  Writer(char* buffer, std::size_t capacity) : buffer_(buffer), capacity_(capacity) {}

  std::size_t size() const noexcept { return size_; }

  void text(std::string_view text) noexcept {
    if (size_ < capacity_) {
      std::copy_n(text.begin(), std::min(text.size(), capacity_ - size_), buffer_ + size_);
    }
    size_ += text.size();
  }

  void number(std::uint64_t number) noexcept {
    std::array<char, 24> digits{};
    const int length = std::snprintf(digits.data(), digits.size(), "%" PRIu64, number);
    text({digits.data(), static_cast<std::size_t>(length)});
  }

  // Write a number that is a multiple of 1 / `unit`, a power of ten.
  void fraction(std::uint64_t number_of_parts, std::uint64_t unit) noexcept {
    number(number_of_parts / unit);
    text(unit > 1 ? "." : "");
    for (std::uint64_t place = unit / 10; place > 0; place /= 10) {
      number(number_of_parts / place % 10);
    }
  }

  // Begin the list of a metric, and end that of the one before it.
  void metric(std::string_view name) noexcept {
    text(first_metric_ ? "\"" : "],\"");
    text(name);
    text("\":[");
    first_metric_ = false;
    first_series_ = true;
  }

  // Begin a series, up to the label of the model.
  void begin_series(const std::string& model) noexcept {
    text(first_series_ ? "{\"labels\":{\"model\":\"" : ",{\"labels\":{\"model\":\"");
    text(model);
    text("\"");
    first_series_ = false;
  }

  // Write the labels of a series: of the model, and further ones with values that need no escapes.
  void series(const std::string& model,
              std::initializer_list<std::pair<const char*, const char*>> more) noexcept {
    begin_series(model);
    for (const auto& [name, value] : more) {
      text(",\"");
      text(name);
      text("\":\"");
      text(value);
      text("\"");
    }
    text("},");
  }

  // Write the labels of a series of a class, whose name is JSON.
  void label_series(const std::string& model, std::string_view label) noexcept {
    begin_series(model);
    text(",\"label\":");
    text(label);
    text("},");
  }

  void value(std::uint64_t value) noexcept {
    text("\"value\":");
    number(value);
    text("}");
  }

 private:
  char* buffer_;
  std::size_t capacity_;
  std::size_t size_ = 0;
  bool first_metric_ = true;
  bool first_series_ = true;
};

template <typename Counted>
void Stats::write_histogram(Writer& out, const Counted& histogram, std::uint64_t unit) noexcept {
  std::uint64_t total = 0;
  out.text("\"buckets\":[");
  bool first = true;
  for (const auto& bucket : histogram.buckets) {
    const std::uint64_t count = read(bucket);
    total += count;
    out.text(first ? "" : ",");
    out.number(count);
    first = false;
  }
  out.text("],\"count\":");
  out.number(total);
  out.text(",\"sum\":");
  out.fraction(read(histogram.sum), unit);
  out.text("}");
}

// Write a status as the label "error": "text_too_long" for LINNET_TEXT_TOO_LONG.
void Stats::write_error_name(Writer& out, linnet_status status) noexcept {
  constexpr std::string_view kPrefix = "LINNET_";
  for (const char letter : std::string_view(linnet_status_name(status)).substr(kPrefix.size())) {
    const char lower = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    out.text({&lower, 1});
  }
}

void Stats::write_inputs(Writer& out) const noexcept {
  out.metric("inferences");
  out.series(model_, {});
  out.value(read(inferences_));
  out.metric("tokens");
  out.series(model_, {{"direction", "input"}});
  out.value(read(tokens_));
  if (read(output_tokens_) > 0) {
    out.series(model_, {{"direction", "output"}});
    out.value(read(output_tokens_));
  }
  out.metric("unknown_tokens");
  out.series(model_, {});
  out.value(read(unknown_tokens_));
  out.metric("truncated");
  out.series(model_, {});
  out.value(read(truncated_));
  const auto histogram = [&](const char* name, const auto& counts, std::uint64_t unit) {
    out.metric(name);
    if (!is_empty(counts)) {
      out.series(model_, {});
      write_histogram(out, counts, unit);
    }
  };
  histogram("text_length", text_length_, 1);
  histogram("confidence", confidence_, 1'000'000);
  histogram("time_to_first_token", first_token_, 1'000'000'000);
  histogram("time_per_token", further_token_, 1'000'000'000);
}

void Stats::write_latency(Writer& out) const noexcept {
  out.metric("latency");
  for (std::size_t stage = 0; stage < kStages; ++stage) {
    for (std::size_t length = 0; length < stats_table::kLengthNames.size(); ++length) {
      const Latency& latency = latency_[stage][length];
      if (is_empty(latency)) {
        continue;
      }
      out.series(model_, {{"stage", kStageNames[stage]}, {"length", stats_table::kLengthNames[length]}});
      write_histogram(out, latency, 1'000'000'000);
    }
  }
}

void Stats::write_labels(Writer& out) const noexcept {
  out.metric("labels");
  for (std::size_t i = 0; i <= kMostLabels; ++i) {
    if (read(label_counts_[i]) > 0) {
      out.label_series(model_, i < labels_.size() ? labels_[i] : "\"other\"");
      out.value(read(label_counts_[i]));
    }
  }
}

void Stats::write_errors(Writer& out) const noexcept {
  out.metric("errors");
  for (std::size_t status = 0; status < kStatuses; ++status) {
    if (read(errors_[status]) > 0) {
      out.begin_series(model_);
      out.text(",\"error\":\"");
      write_error_name(out, static_cast<linnet_status>(status));
      out.text("\"},");
      out.value(read(errors_[status]));
    }
  }
}

Stats::Stats(const std::vector<std::string>& labels, std::int64_t unknown_id) : unknown_id_(unknown_id) {
  for (std::size_t i = 0; i < std::min(labels.size(), kMostLabels); ++i) {
    labels_.push_back(quoted_label(labels[i], i));
  }
}

void Stats::reset(const std::string& model) {
  model_ = model;
  started_ms_ = now_ms();
  const auto clear = [](auto& counts) {
    for (auto& count : counts) {
      count.store(0, std::memory_order_relaxed);
    }
  };
  for (Count* count : {&inferences_, &truncated_, &tokens_, &output_tokens_, &unknown_tokens_}) {
    count->store(0, std::memory_order_relaxed);
  }
  const auto clear_histogram = [&](auto& histogram) {
    clear(histogram.buckets);
    histogram.sum.store(0, std::memory_order_relaxed);
  };
  clear_histogram(text_length_);
  clear_histogram(confidence_);
  clear_histogram(first_token_);
  clear_histogram(further_token_);
  clear(label_counts_);
  clear(errors_);
  for (auto& stage : latency_) {
    for (Latency& latency : stage) {
      clear_histogram(latency);
    }
  }
}

void Stats::prompt(std::size_t tokens) noexcept {
  add(inferences_);
  add(tokens_, tokens);
  add(text_length_.buckets[bucket_of(stats_table::kTextLengthBounds, static_cast<double>(tokens))]);
  add(text_length_.sum, tokens);
}

void Stats::generated(bool first, std::chrono::nanoseconds time) noexcept {
  const std::chrono::duration<double> seconds = time;
  auto& histogram = first ? first_token_ : further_token_;
  add(output_tokens_);
  add(histogram.buckets[bucket_of(stats_table::kTimePerTokenBounds, seconds.count())]);
  add(histogram.sum, static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0)));
}

void Stats::input(const std::int64_t* ids, std::size_t count, bool truncated) noexcept {
  prompt(count);
  if (truncated) {
    add(truncated_);
  }
  const auto unknown = static_cast<std::uint64_t>(std::count(ids, ids + count, unknown_id_));
  if (unknown_id_ >= 0 && unknown > 0) {
    add(unknown_tokens_, unknown);
  }
}

void Stats::latency(Stage stage, std::size_t tokens, std::chrono::nanoseconds time) noexcept {
  Latency& latency = latency_[static_cast<std::size_t>(stage)][length_of(tokens)];
  const std::chrono::duration<double> seconds = time;
  add(latency.buckets[bucket_of(stats_table::kLatencyBounds, seconds.count())]);
  add(latency.sum, static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0)));
}

void Stats::label(std::int64_t index) noexcept {
  const bool known = index >= 0 && static_cast<std::size_t>(index) < labels_.size();
  add(label_counts_[known ? static_cast<std::size_t>(index) : kMostLabels]);
}

void Stats::confidence(double score) noexcept {
  if (!(score >= 0 && score <= 1)) {
    return;
  }
  add(confidence_.buckets[bucket_of(stats_table::kConfidenceBounds, score)]);
  add(confidence_.sum, static_cast<std::uint64_t>(std::lround(score * 1e6)));
}

void Stats::error(linnet_status status) noexcept {
  const bool known = status > 0 && static_cast<std::size_t>(status) < kStatuses;
  add(errors_[known ? static_cast<std::size_t>(status) : static_cast<std::size_t>(LINNET_INTERNAL)]);
}

std::size_t Stats::write(char* json, std::size_t capacity) const noexcept {
  Writer out(json, capacity);
  out.text("{\"format\":\"linnet-metrics\",\"version\":1,\"time\":");
  out.fraction(static_cast<std::uint64_t>(now_ms()), 1000);
  out.text(",\"started\":");
  out.fraction(static_cast<std::uint64_t>(started_ms_), 1000);
  out.text(",\"sources\":1,\"metrics\":{");
  write_inputs(out);
  write_latency(out);
  write_labels(out);
  write_errors(out);
  out.text("]}}");
  return out.size();
}

}  // namespace linnet
