// Processor name and features, for reports and for the choice of kernels.
#ifndef LINNET_RUNTIME_PROGRAM_CPU_H_
#define LINNET_RUNTIME_PROGRAM_CPU_H_

#include <string>

namespace linnet {

// Return the name of the processor as the system reports it, or "unknown".
std::string cpu_model();

// Return which of avx2 avx512f avx512_vnni avx_vnni amx neon dotprod i8mm sme both processor and operating
// system support, separated by commas.
std::string cpu_features();

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_CPU_H_
