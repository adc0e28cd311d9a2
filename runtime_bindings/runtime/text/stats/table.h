// Buckets of histograms and values of labels that linnet_stats counts. Made of linnet.monitoring.METRICS by
// `python -m tools.monitoring`: a device and a server have the same, so that their numbers can be added.
#ifndef LINNET_RUNTIME_STATS_TABLE_H_
#define LINNET_RUNTIME_STATS_TABLE_H_

#include <array>
#include <cstddef>

namespace linnet::stats_table {

// clang-format off
inline constexpr std::array<double, 12> kTextLengthBounds = {
    2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0
};
// clang-format on

// clang-format off
inline constexpr std::array<double, 18> kLatencyBounds = {
    0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0,
    20.0, 50.0
};
// clang-format on

// clang-format off
inline constexpr std::array<double, 20> kConfidenceBounds = {
    0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9,
    0.95, 1.0
};
// clang-format on

// clang-format off
inline constexpr std::array<double, 18> kTimeToFirstTokenBounds = {
    0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0,
    20.0, 50.0
};
// clang-format on

// clang-format off
inline constexpr std::array<double, 18> kTimePerTokenBounds = {
    0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0,
    20.0, 50.0
};
// clang-format on

// clang-format off
inline constexpr std::array<std::size_t, 7> kLengths = {
    16, 32, 64, 128, 256, 512, 1024
};
// clang-format on

// clang-format off
inline constexpr std::array<const char*, 8> kLengthNames = {
    "16", "32", "64", "128", "256", "512", "1024", "more"
};
// clang-format on

}  // namespace linnet::stats_table

#endif  // LINNET_RUNTIME_STATS_TABLE_H_
