# With COSMOCL_FUZZ (clang only): tests/fuzz/LAYER_WHAT.c is one libFuzzer target fuzz_LAYER_WHAT, linked with the layer,
# under the address and undefined-behaviour sanitizers. tests/fuzz/test_fuzz_all.py builds and runs them.
if(COSMOCL_FUZZ)
  file(GLOB FUZZ_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/*.c)
  foreach(source ${FUZZ_SOURCES})
    get_filename_component(what ${source} NAME_WE)
    string(REGEX REPLACE "_.*" "" layer ${what})
    add_executable(fuzz_${what} ${source})
    target_link_libraries(fuzz_${what} PRIVATE cosmocl_${layer})
    target_link_options(fuzz_${what} PRIVATE -fsanitize=fuzzer)
  endforeach()
endif()
