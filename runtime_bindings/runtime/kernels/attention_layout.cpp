// Memory layout of packed keys and values, and of the scratch memory of the attention kernels.
#include "kernels/attention.h"
#include "kernels/memory_parts.h"

namespace linnet::kernels {

PackedHead::PackedHead(const AttentionShape& shape, const UnitFormat& format) noexcept
    : tokens(rounded_up(shape.tokens, kStep)),
      group(format.group),
      units((shape.head_width + group - 1) / group),
      channels(rounded_up(shape.head_width, kLanes)) {
  MemoryParts parts;
  key_scale = parts.next(tokens * sizeof(float));
  key_start = parts.next(tokens * sizeof(std::int32_t));
  value_scale = parts.next(channels * sizeof(float));
  const std::size_t blocks = format.signed_weights ? (tokens + kBlock - 1) / kBlock : 0;
  value_start = parts.next(blocks * channels * sizeof(std::int32_t));
  keys = parts.next(tokens * units * kUnitBytes);
  values = parts.next(tokens / group * channels * kUnitBytes);
  row = parts.next(channels * sizeof(float));
  span = shape.distances ? rounded_up(shape.tokens, kLanes) : 0;
  for (PackedDistances* each : {&distance_keys, &distance_queries}) {
    each->scale = parts.next(2 * span * sizeof(float));
    each->rows = parts.next(2 * span * units * kUnitBytes);
  }
  size = parts.size();
}

Scratch::Scratch(const PackedHead& head) noexcept {
  MemoryParts parts;
  queries = parts.next(head.units * kLanes * kUnitBytes);
  scores = parts.next(kBlock * kLanes * sizeof(float));
  weights = parts.next(kBlock / head.group * kLanes * kUnitBytes);
  sums = parts.next(head.channels * kLanes * sizeof(float));
  row = parts.next(head.channels * sizeof(float));
  const std::size_t lanes = head.span == 0 ? 0 : kLanes;
  query_rows = parts.next(lanes * head.units * kUnitBytes);
  by_distance = parts.next(lanes * kNear * sizeof(float));
  of_keys = parts.next(2 * lanes * kStep * sizeof(float));
  size = parts.size();
}

}  // namespace linnet::kernels
