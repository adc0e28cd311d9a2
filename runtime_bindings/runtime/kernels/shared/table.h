// The table of the kernels that a processor's source has compiled.
#ifndef LINNET_RUNTIME_KERNELS_SHARED_TABLE_H_
#define LINNET_RUNTIME_KERNELS_SHARED_TABLE_H_

#include "kernels/dispatch.h"
#include "kernels/shared/attention_rows.h"
#include "kernels/shared/layer_norm_rows.h"
#include "kernels/shared/linear_rows.h"

namespace linnet::kernels {
namespace {

constexpr Kernels table(const char* name) noexcept {
  return {name,
          {kPanel, kActivationBytes, kActivationOffset, round_rows, multiply_panels},
          {kUnits, pack_head, attend_rows},
          layer_norm_rows};
}

}  // namespace
}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_SHARED_TABLE_H_
