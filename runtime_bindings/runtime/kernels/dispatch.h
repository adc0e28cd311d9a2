// Choice of the kernels for this processor.
#ifndef LINNET_RUNTIME_KERNELS_DISPATCH_H_
#define LINNET_RUNTIME_KERNELS_DISPATCH_H_

#include <string>

#include "kernels/attention.h"
#include "kernels/cached_attention.h"
#include "kernels/hadamard.h"
#include "kernels/head.h"
#include "kernels/layer_norm.h"
#include "kernels/linear.h"
#include "kernels/rms_norm.h"

namespace linnet::kernels {

// All kernels for one kind of processor. Answers of all kinds are the same to the last bit, for one number of
// bits of the activations of linear layers.
struct Kernels {
  const char* name;
  LinearKernel linear;        // 8 bits
  LinearKernel seven_linear;  // 7 bits
  LinearKernel int4_linear;   // int4 weights; 8 bits
  bool seven_is_faster;
  AttentionKernel attention;
  LayerNormKernel layer_norm;
  RmsNormKernel rms_norm;
  CachedAttentionKernel cached_attention;
  HeadKernel head;
  HadamardKernel hadamard;
};

// Kernels in plain C++, for every processor.
const Kernels& portable_kernels() noexcept;
// Kernels that only a processor with these instructions can run.
#if defined(__x86_64__)
const Kernels& avx2_kernels() noexcept;
const Kernels& avx_vnni_kernels() noexcept;
const Kernels& avx_vnni_evex_kernels() noexcept;
const Kernels& avx512_vnni_kernels() noexcept;
#elif defined(__aarch64__)
const Kernels& neon_kernels() noexcept;
const Kernels& neon_dotprod_kernels() noexcept;
const Kernels& neon_i8mm_kernels() noexcept;
#endif

// Return the kernels that this processor can run, the fastest last; the portable ones come first. Throw
// std::bad_alloc at the first call.
const Kernels* const* usable_kernels(std::size_t& count);

// Return the fastest kernels for this processor, chosen once. The environment variable LINNET_MAX_CPU, the
// name of kernels, excludes all that are faster than these. Throw std::bad_alloc, at the first call only: see
// prepare_kernels().
const Kernels& chosen_kernels();

// Choose the kernels, so that no later call throws, and return why LINNET_MAX_CPU cannot be followed: it
// names no kernels that this processor has. Empty if it is not set, or valid. Throw std::bad_alloc.
std::string prepare_kernels();

}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_DISPATCH_H_
