// The table of the kernels that a processor's source has compiled.
#ifndef LINNET_RUNTIME_KERNELS_SHARED_TABLE_H_
#define LINNET_RUNTIME_KERNELS_SHARED_TABLE_H_

#include <type_traits>

#include "kernels/dispatch.h"
#include "kernels/shared/attention_rows.h"
#include "kernels/shared/cached_attention_exact.h"
#include "kernels/shared/cached_attention_rows.h"
#include "kernels/shared/cached_attention_tiles.h"
#include "kernels/shared/hadamard_rows.h"
#include "kernels/shared/head_rows.h"
#include "kernels/shared/layer_norm_rows.h"
#include "kernels/shared/linear_rows.h"
#include "kernels/shared/rms_norm_rows.h"

namespace linnet::kernels {
namespace {

template <typename CacheProducts>
constexpr CachedAttentionKernel cached_attention_kernel() noexcept {
  return {kUnits,
          append_tokens,
          round_token_queries,
          score_token<CacheProducts>,
          weigh_token,
          mix_token<CacheProducts>,
          pack_cache,
          attend_tiles,
          append_exact_tokens,
          attend_exact_head};
}

template <typename Products, typename Int4Products, typename CacheProducts,
          typename SevenBitProducts = Products>
constexpr Kernels table(const char* name) noexcept {
  return {name,
          linear_kernel<Products, 8>(),
          linear_kernel<SevenBitProducts, 7>(),
          linear_kernel<Int4Products, 8>(),
          !std::is_same_v<Products, SevenBitProducts>,
          {kUnits, pack_head, attend_rows},
          layer_norm_rows,
          rms_norm_rows,
          cached_attention_kernel<CacheProducts>(),
          head_rows,
          hadamard_rows};
}

}  // namespace
}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_SHARED_TABLE_H_
