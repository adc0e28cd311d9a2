#include <new>

#include "kernels/dispatch.h"
#include "linnet_kernels.h"

const char* linnet_kernels_name() {
  try {
    return linnet::kernels::chosen_kernels().name;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
