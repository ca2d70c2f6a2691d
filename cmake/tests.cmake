# tests/KIND/LAYER_WHAT.c is one Check program that links the layer LAYER (and what lies below it).
# tests/KIND/test_WHAT.py is one pytest file that drives the built program ($COSMOCL).
# A test's ctest labels are KIND and, where its name ends in _all or it lies in tests/portability, `all`: those are long or
# need more than the build (other runtimes, checkers), and run only by `./run test --all`.
# Everything that may run kernels has a timeout: a divergent barrier hangs PoCL.
enable_testing()
function(cosmocl_test kind what timeout environment)
  add_test(NAME ${kind}.${what} COMMAND ${ARGN} WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
  set(labels ${kind})
  if(kind STREQUAL portability OR what MATCHES "_all$")
    list(APPEND labels all)
    set(timeout 3000)
  endif()
  set_tests_properties(${kind}.${what} PROPERTIES TIMEOUT ${timeout} LABELS "${labels}"
                       ENVIRONMENT "${TEST_ENVIRONMENT};${environment}")
endfunction()
set(TEST_ENVIRONMENT "COSMOCL=${CMAKE_BINARY_DIR}/cosmocl;COSMOCL_SOURCE=${CMAKE_SOURCE_DIR};COSMOCL_CACHE=${CMAKE_BINARY_DIR}/cache;POCL_CACHE_DIR=${CMAKE_BINARY_DIR}/pocl-cache")
file(GLOB TEST_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*/*.c)
list(FILTER TEST_SOURCES EXCLUDE REGEX "/tests/fuzz/") # cmake/fuzz.cmake
foreach(source ${TEST_SOURCES})
  get_filename_component(what ${source} NAME_WE)
  get_filename_component(folder ${source} DIRECTORY)
  get_filename_component(kind ${folder} NAME)
  string(REGEX REPLACE "_.*" "" layer ${what})
  if(NOT TARGET cosmocl_${layer})
    message(FATAL_ERROR "${source}: ${layer} is no layer; the name must begin with one, as in io_png.c")
  endif()
  add_executable(test_${kind}_${what} ${source})
  target_include_directories(test_${kind}_${what} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(test_${kind}_${what} PRIVATE cosmocl_${layer} PkgConfig::CHECK)
  if(what MATCHES "^commands_sweep") # keeps one device with its kernels for thousands of runs
    target_link_options(test_${kind}_${what} PRIVATE -Wl,--wrap=device_open,--wrap=device_delete)
  endif()
  cosmocl_test(${kind} ${what} 400 "" test_${kind}_${what})
endforeach()
# The system's Python has the packages for tests (python3-pytest, python3-h5py, …); another first on PATH may not.
set(TEST_PYTHON ${Python3_EXECUTABLE})
if(EXISTS /usr/bin/python3 AND NOT DEFINED ENV{CONDA_PREFIX})
  set(TEST_PYTHON /usr/bin/python3)
endif()
file(GLOB TEST_SCRIPTS CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*/test_*.py)
foreach(source ${TEST_SCRIPTS})
  get_filename_component(what ${source} NAME_WE)
  get_filename_component(folder ${source} DIRECTORY)
  get_filename_component(kind ${folder} NAME)
  cosmocl_test(${kind} ${what} 900 "PYTHONDONTWRITEBYTECODE=1"
               ${TEST_PYTHON} -m pytest -q -p no:cacheprovider ${source})
endforeach()
