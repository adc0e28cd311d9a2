# Cross compilation for 64-bit ARM Linux with Debian's compiler, as tools/cross_toolchain.sh unpacks it.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

set(folder "${CMAKE_CURRENT_LIST_DIR}/../../build/aarch64/toolchain/cross-bin")
set(CMAKE_C_COMPILER "${folder}/aarch64-linux-gnu-gcc-12")
set(CMAKE_CXX_COMPILER "${folder}/aarch64-linux-gnu-g++-12")
foreach(tool AR NM RANLIB READELF STRIP OBJCOPY OBJDUMP LINKER)
  string(TOLOWER "${tool}" name)
  string(REPLACE "linker" "ld" name "${name}")
  set(CMAKE_${tool} "${folder}/aarch64-linux-gnu-${name}")
endforeach()

# Programs run here; libraries and headers are the target's.
set(CMAKE_FIND_ROOT_PATH "${CMAKE_CURRENT_LIST_DIR}/../../build/aarch64/toolchain")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
