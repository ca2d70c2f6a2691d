# cmake -DSOURCE=… -DOUT=… -P commit.cmake, at each build: writes the header that says which commit is built, "+" behind
# it when something of the program is not as in that commit. The file stays untouched while nothing changes.
cmake_minimum_required(VERSION 3.22)
set(commit "")
if(EXISTS ${SOURCE}/.git)
  execute_process(COMMAND git -C ${SOURCE} rev-parse --short=12 HEAD
                  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(commit)
  execute_process(COMMAND git --no-optional-locks -C ${SOURCE} status --porcelain --
                          CMakeLists.txt cmake include host kernels data bench
                  OUTPUT_VARIABLE changes ERROR_QUIET)
  if(changes)
    string(APPEND commit "+")
  endif()
else()
  set(commit unknown)
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT "#define COSMOCL_COMMIT \"@commit@\"\n" @ONLY)
