# Strict warnings for our own code, and sanitizers when asked for.
set(LINNET_SANITIZE "" CACHE STRING "sanitizers, for example address,undefined")

function(linnet_own_code target)
  target_compile_options(
    ${target}
    PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -ffp-contract=off
            $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual>)
  if(LINNET_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${LINNET_SANITIZE} -fno-sanitize-recover=all
                                             -fno-omit-frame-pointer -g)
    target_link_options(${target} PRIVATE -fsanitize=${LINNET_SANITIZE})
  endif()
endfunction()
