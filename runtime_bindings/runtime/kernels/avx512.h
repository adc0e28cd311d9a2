// Shared parts of the AVX-512 kernels. Only their sources include this header, because its pragmas hold for
// everything below it.
#ifndef LINNET_RUNTIME_KERNELS_AVX512_H_
#define LINNET_RUNTIME_KERNELS_AVX512_H_

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>

#if defined(__GNUC__) && !defined(__clang__)
// GCC warns about undefined registers in its own header (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#define LINNET_AVX512F __attribute__((target("avx512f")))
#define LINNET_AVX512_VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

namespace linnet::kernels {

constexpr std::size_t kFloatLanes = 16;  // float32 or int32 in a register

// Return the mask of the first `count` lanes; all lanes if `count` is kFloatLanes or more.
LINNET_AVX512F inline __mmask16 lanes_below(std::size_t count) {
  return static_cast<__mmask16>(count >= kFloatLanes ? 0xffffU : (1U << count) - 1U);
}

// Tell whether this processor runs functions marked LINNET_AVX512_VNNI.
inline bool has_avx512_vnni() noexcept {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
         __builtin_cpu_supports("avx512vnni") != 0;
}

}  // namespace linnet::kernels

#endif

#endif  // LINNET_RUNTIME_KERNELS_AVX512_H_
