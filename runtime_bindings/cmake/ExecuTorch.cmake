# Finds (or fetches) the ExecuTorch SDK, renames its libraries, and defines the imported targets
#   linnet_et::runtime, linnet_et::threadpool      linked for their symbols
#   linnet_et::registrations                       kernels and the XNNPACK backend: linked for their side effects
# LINNET_EXECUTORCH_SDK (CMake or environment): an unpacked SDK to use instead of fetching one.
# LINNET_BUNDLE_DIR: link/ has what liblinnet is linked against, lib/ what ships (bundle_executorch.py says why).

set(LINNET_EXECUTORCH_VERSION "1.5.1")
set(LINNET_EXECUTORCH_SDK "$ENV{LINNET_EXECUTORCH_SDK}" CACHE PATH "unpacked ExecuTorch SDK (empty: fetch it)")

function(linnet_platform output)
  string(TOLOWER "${CMAKE_SYSTEM_PROCESSOR}" processor)
  if(processor STREQUAL "amd64")
    set(processor "x86_64")
  endif()
  if(APPLE)
    set(${output} "macos-${processor}" PARENT_SCOPE)
  else()
    set(${output} "linux-${processor}" PARENT_SCOPE)
  endif()
endfunction()

function(linnet_fetch_sdk)
  linnet_platform(platform)
  if(NOT platform MATCHES "^(linux-x86_64|linux-aarch64|macos-arm64)$" OR NOT CMAKE_SIZEOF_VOID_P EQUAL 8)
    message(FATAL_ERROR "linnet cannot be built for ${platform}: ExecuTorch publishes libraries for 64-bit Linux "
                        "(x86_64, aarch64) and macOS (arm64); others need -DLINNET_EXECUTORCH_SDK=FOLDER")
  endif()
  set(folder "${PROJECT_SOURCE_DIR}/build/executorch-sdk/${LINNET_EXECUTORCH_VERSION}-${platform}")
  execute_process(
    COMMAND "${Python_EXECUTABLE}" "${PROJECT_SOURCE_DIR}/tools/fetch_executorch.py"
            --platform "${platform}" --into "${folder}"
    RESULT_VARIABLE failed ERROR_VARIABLE message OUTPUT_QUIET)
  if(failed)
    message(FATAL_ERROR "The ExecuTorch SDK could not be fetched.\n${message}")
  endif()
  set(LINNET_SDK "${folder}" PARENT_SCOPE)
endfunction()

function(linnet_bundle)
  set(tool "${PROJECT_SOURCE_DIR}/tools/bundle_executorch.py")
  file(SHA256 "${tool}" tool_hash)
  set(stamp "${LINNET_BUNDLE_DIR}/.stamp")
  set(wanted "${LINNET_SDK} ${tool_hash}")
  if(EXISTS "${stamp}")
    file(READ "${stamp}" found)
  endif()
  if("${found}" STREQUAL "${wanted}")
    return()
  endif()
  execute_process(
    COMMAND "${Python_EXECUTABLE}" "${tool}" bundle --sdk "${LINNET_SDK}" --folder "${LINNET_BUNDLE_DIR}"
            --system "${CMAKE_SYSTEM_NAME}" --nm "${CMAKE_NM}" --patchelf "${LINNET_PATCHELF}"
    COMMAND_ERROR_IS_FATAL ANY)
  file(WRITE "${stamp}" "${wanted}")
endfunction()

function(linnet_import name library)
  add_library(linnet_et::${name} SHARED IMPORTED GLOBAL)
  set_target_properties(
    linnet_et::${name}
    PROPERTIES IMPORTED_LOCATION
               "${LINNET_BUNDLE_DIR}/link/liblinnet_${library}${CMAKE_SHARED_LIBRARY_SUFFIX}")
endfunction()

if(LINNET_EXECUTORCH_SDK)
  set(LINNET_SDK "${LINNET_EXECUTORCH_SDK}")
else()
  linnet_fetch_sdk()
endif()

# The wheel's own package knows its include folders, definitions and version.
find_package(executorch ${LINNET_EXECUTORCH_VERSION} EXACT REQUIRED CONFIG
             PATHS "${LINNET_SDK}/share/cmake" NO_DEFAULT_PATH)
message(STATUS "linnet: ExecuTorch ${EXECUTORCH_BUILD_VERSION} from ${LINNET_SDK}")

set(LINNET_PATCHELF "patchelf")
if(NOT APPLE)
  get_filename_component(python_bin "${Python_EXECUTABLE}" DIRECTORY)
  find_program(patchelf_program patchelf HINTS "${python_bin}" REQUIRED NO_CACHE)
  set(LINNET_PATCHELF "${patchelf_program}")
endif()
set(LINNET_BUNDLE_DIR "${CMAKE_BINARY_DIR}/executorch-bundle")
linnet_bundle()

linnet_import(runtime executorch)
target_include_directories(linnet_et::runtime SYSTEM INTERFACE ${EXECUTORCH_INCLUDE_DIRS})
target_compile_definitions(linnet_et::runtime INTERFACE ${EXECUTORCH_COMPILE_DEFINITIONS})
linnet_import(threadpool executorch_threadpool)
linnet_import(kernels_optimized executorch_kernels_optimized)
linnet_import(kernels_quantized executorch_kernels_quantized)
linnet_import(backend_xnnpack executorch_backend_xnnpack)

add_library(linnet_et::registrations INTERFACE IMPORTED GLOBAL)
target_link_libraries(
  linnet_et::registrations INTERFACE linnet_et::kernels_optimized linnet_et::kernels_quantized
                                     linnet_et::backend_xnnpack)
