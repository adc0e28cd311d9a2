#include "program/cpu.h"

#include <cstdint>
#include <fstream>
#include <initializer_list>
#include <utility>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__) && defined(__aarch64__)
#include <sys/auxv.h>
#endif
#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace linnet {
namespace {

std::string join(std::initializer_list<std::pair<const char*, bool>> features) {
  std::string names;
  for (const auto& [name, present] : features) {
    if (present) {
      names += (names.empty() ? "" : ",") + std::string(name);
    }
  }
  return names;
}

#if defined(__x86_64__)

bool bit(std::uint32_t word, unsigned index) { return ((word >> index) & 1U) != 0; }

// Return the register states that the operating system saves (Intel SDM volume 1, chapter 13). Without them
// an instruction set that the processor has cannot be used.
std::uint32_t saved_states() {
  std::uint32_t eax = 0;
  std::uint32_t ebx = 0;
  std::uint32_t ecx = 0;
  std::uint32_t edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || !bit(ecx, 27)) {
    return 0;
  }
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

// Read the features from CPUID leaf 7 (Intel SDM volume 2A).
std::string features() {
  std::uint32_t eax = 0;
  std::uint32_t ebx = 0;
  std::uint32_t ecx = 0;
  std::uint32_t edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) {
    return "";
  }
  std::uint32_t eax1 = 0;
  std::uint32_t unused = 0;
  if (eax >= 1) {
    __cpuid_count(7, 1, eax1, unused, unused, unused);
  }
  const std::uint32_t saved = saved_states();
  const bool avx = (saved & 0x6U) == 0x6U;
  const bool avx512 = avx && (saved & 0xe0U) == 0xe0U;
  const bool amx = (saved & 0x60000U) == 0x60000U;
  return join({{"avx2", avx && bit(ebx, 5)},
               {"avx512f", avx512 && bit(ebx, 16)},
               {"avx512_vnni", avx512 && bit(ecx, 11)},
               {"avx_vnni", avx && bit(eax1, 4)},
               {"amx", amx && bit(edx, 24) && bit(edx, 25)}});
}

#elif defined(__linux__) && defined(__aarch64__)

// Read the features from the bits of arch/arm64/include/uapi/asm/hwcap.h.
std::string features() {
  const unsigned long caps = ::getauxval(AT_HWCAP);
  const unsigned long caps2 = ::getauxval(AT_HWCAP2);
  return join({{"neon", ((caps >> 1U) & 1U) != 0},
               {"dotprod", ((caps >> 20U) & 1U) != 0},
               {"i8mm", ((caps2 >> 13U) & 1U) != 0},
               {"sme", ((caps2 >> 23U) & 1U) != 0}});
}

#elif defined(__APPLE__)

bool has(const char* name) {
  int value = 0;
  std::size_t size = sizeof value;
  return ::sysctlbyname(name, &value, &size, nullptr, 0) == 0 && value != 0;
}

std::string features() {
  return join({{"neon", true},
               {"dotprod", has("hw.optional.arm.FEAT_DotProd")},
               {"i8mm", has("hw.optional.arm.FEAT_I8MM")},
               {"sme", has("hw.optional.arm.FEAT_SME")}});
}

#else

std::string features() { return ""; }

#endif

#if !defined(__APPLE__)
// Return the value of the first line "key : value" of /proc/cpuinfo, or empty.
std::string proc_cpuinfo(const std::string& key) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (line.rfind(key, 0) == 0 && colon != std::string::npos && colon + 2 <= line.size()) {
      return line.substr(colon + 2);
    }
  }
  return "";
}
#endif

}  // namespace

std::string cpu_model() {
#if defined(__APPLE__)
  char brand[128] = {};
  std::size_t size = sizeof brand;
  const bool known = ::sysctlbyname("machdep.cpu.brand_string", brand, &size, nullptr, 0) == 0;
  return known ? brand : "unknown";
#else
  for (const char* key : {"model name", "Model", "Hardware"}) {
    const std::string value = proc_cpuinfo(key);
    if (!value.empty()) {
      return value;
    }
  }
  return "unknown";
#endif
}

std::string cpu_features() { return features(); }

}  // namespace linnet
