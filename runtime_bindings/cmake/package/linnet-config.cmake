# find_package(linnet CONFIG) gives the target linnet::linnet: liblinnet with the ExecuTorch libraries beside it.
# The folder can be moved: everything is found from here.
get_filename_component(linnet_PREFIX "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET linnet::linnet)
  add_library(linnet::linnet SHARED IMPORTED)
  set_target_properties(
    linnet::linnet
    PROPERTIES IMPORTED_LOCATION "${linnet_PREFIX}/lib/liblinnet${CMAKE_SHARED_LIBRARY_SUFFIX}"
               INTERFACE_INCLUDE_DIRECTORIES "${linnet_PREFIX}/include")
endif()
