// What the processor offers to the kernels.
#ifndef LINNET_RUNTIME_PROGRAM_CPU_H_
#define LINNET_RUNTIME_PROGRAM_CPU_H_

#include <string>

namespace linnet {

// Model name as the system tells it, or "unknown".
std::string cpu_model();

// Comma separated, of avx2 avx512f avx512_vnni avx_vnni amx neon dotprod i8mm sme; only what processor and
// operating system both support.
std::string cpu_features();

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_CPU_H_
