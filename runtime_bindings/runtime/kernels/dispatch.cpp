#include "kernels/dispatch.h"

#include <array>
#include <cstdlib>
#include <string_view>

#include "program/cpu.h"

namespace linnet::kernels {
namespace {

constexpr std::size_t kMost = 4;

struct Usable {
  std::array<const Kernels*, kMost> kernels = {};
  std::size_t count = 0;

  void add(const Kernels& one) noexcept { kernels[count++] = &one; }
};

Usable find_usable() {
  Usable usable;
  usable.add(portable_kernels());
  const std::string features = "," + cpu_features() + ",";
  const auto has = [&features](const char* name) {
    return features.find("," + std::string(name) + ",") != std::string::npos;
  };
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = has("avx2") && __builtin_cpu_supports("fma") != 0;
  const bool avx512 = avx2 && has("avx512_vnni") && __builtin_cpu_supports("avx512bw") != 0 &&
                      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  if (avx2) {
    usable.add(avx2_kernels());
  }
  if (avx2 && has("avx_vnni")) {
    usable.add(avx_vnni_kernels());
  } else if (avx512) {
    usable.add(avx_vnni_evex_kernels());
  }
  if (avx512) {
    usable.add(avx512_vnni_kernels());
  }
#elif defined(__aarch64__)
  usable.add(neon_kernels());  // every 64-bit ARM processor has it
  if (has("dotprod")) {
    usable.add(neon_dotprod_kernels());
  }
  if (has("dotprod") && has("i8mm")) {
    usable.add(neon_i8mm_kernels());
  }
#endif
  return usable;
}

const Usable& usable() {
  static const Usable found = find_usable();
  return found;
}

constexpr char kVariable[] = "LINNET_MAX_CPU";

// Return the kernels of this name, or null.
const Kernels* find(std::string_view name) {
  const Usable& all = usable();
  for (std::size_t i = 0; i < all.count; ++i) {
    if (name == all.kernels[i]->name) {
      return all.kernels[i];
    }
  }
  return nullptr;
}

const Kernels& choose() {
  const char* most = std::getenv(kVariable);
  const Kernels* named = most == nullptr ? nullptr : find(most);
  return named == nullptr ? *usable().kernels[usable().count - 1] : *named;
}

}  // namespace

const Kernels* const* usable_kernels(std::size_t& count) {
  count = usable().count;
  return usable().kernels.data();
}

const Kernels& chosen_kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

std::string prepare_kernels() {
  chosen_kernels();
  const char* most = std::getenv(kVariable);
  if (most == nullptr || *most == '\0' || find(most) != nullptr) {
    return "";
  }
  std::string names;
  for (std::size_t i = 0; i < usable().count; ++i) {
    names += (names.empty() ? "" : ", ") + std::string(usable().kernels[i]->name);
  }
  return std::string(kVariable) + " is \"" + most + "\", expected kernels that this processor has: " + names;
}

}  // namespace linnet::kernels
