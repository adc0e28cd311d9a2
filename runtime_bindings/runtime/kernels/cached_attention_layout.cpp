// Memory layouts of the attention over a cache.
#include "kernels/cached_attention.h"

namespace linnet::kernels {

TokenLayout::TokenLayout(const CachedShape& shape, std::size_t place) noexcept
    : first(shape.first_block_key(place)),
      keys(rounded_up(place + 1 - first, kBlock)),
      query_bytes(rounded_up(shape.width, MemoryParts::kAlignment)),
      channels(rounded_up(shape.width, kLanes)) {
  MemoryParts parts;
  queries = parts.next(shape.heads * query_bytes);
  factors = parts.next(shape.heads * sizeof(float));
  scores = parts.next(shape.heads * keys * sizeof(float));
  key_scales = parts.next(shape.key_heads * keys * sizeof(float));
  value_scales = parts.next(shape.key_heads * keys * sizeof(float));
  weights = parts.next(shape.heads * keys);
  block_scales = parts.next(shape.heads * (keys / kBlock) * sizeof(float));
  totals = parts.next(shape.heads * sizeof(float));
  sums = parts.next(shape.heads * channels * sizeof(float));
  size = parts.size();
}

PackedCache::PackedCache(const CachedShape& shape, const UnitFormat& format) noexcept
    : first(shape.first_block_key(shape.start)),
      keys(rounded_up(shape.end() - first, kBlock)),
      group(format.group),
      units((shape.width + group - 1) / group),
      channels(rounded_up(shape.width, kLanes)) {
  MemoryParts parts;
  key_scale = parts.next(keys * sizeof(float));
  value_scale = parts.next(keys * sizeof(float));
  key_start = parts.next(keys * sizeof(std::int32_t));
  const std::size_t blocks = format.signed_weights ? keys / kBlock : 0;
  value_start = parts.next(blocks * channels * sizeof(std::int32_t));
  key_units = parts.next(keys * units * kUnitBytes);
  value_units = parts.next(keys / group * channels * kUnitBytes);
  size = parts.size();
}

TileScratch::TileScratch(const PackedCache& packed) noexcept {
  MemoryParts parts;
  queries = parts.next(packed.units * kLanes * kUnitBytes);
  scores = parts.next(packed.keys * kLanes * sizeof(float));
  weights = parts.next(kBlock / packed.group * kLanes * kUnitBytes);
  totals = parts.next(kLanes * kLanes * sizeof(float));
  sums = parts.next(packed.channels * kLanes * sizeof(float));
  row = parts.next(packed.channels * sizeof(float));
  size = parts.size();
}

ExactScratch::ExactScratch(const CachedShape& shape, std::size_t place) noexcept {
  const std::size_t keys = rounded_up(place + 1 - shape.first_block_key(place), kBlock);
  MemoryParts parts;
  query = parts.next(shape.width * sizeof(float));
  scores = parts.next(keys * sizeof(float));
  sums = parts.next(shape.width * sizeof(float));
  size = parts.size();
}

}  // namespace linnet::kernels
