// Kernels for AVX-VNNI (Intel Alder Lake and later, AMD Zen 5).
#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/shared/vectors.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

#define LINNET_VPDPBUSD "%{vex%} vpdpbusd"
#include "kernels/processors/avx_vnni.h"
#include "kernels/processors/vnni_cache.h"
#include "kernels/shared/table.h"

namespace linnet::kernels {

const Kernels& avx_vnni_kernels() noexcept {
  static constexpr Kernels kKernels =
      table<Products, Int4Products, AvxCacheProducts<VnniRowProducts>>("avx_vnni");
  return kKernels;
}

}  // namespace linnet::kernels

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
