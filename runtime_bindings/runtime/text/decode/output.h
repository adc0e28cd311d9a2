// Output of a run: a contiguous row-major tensor that owns its memory.
#ifndef LINNET_RUNTIME_DECODE_OUTPUT_H_
#define LINNET_RUNTIME_DECODE_OUTPUT_H_

#include <cstdint>
#include <vector>

#include "linnet.h"

namespace linnet {

struct Output {
  linnet_dtype dtype;
  std::vector<std::int64_t> shape;
  std::vector<std::uint8_t> bytes;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_DECODE_OUTPUT_H_
