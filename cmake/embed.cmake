# Kernels, presets and quirks become one generated C file, so that the program needs no files at run time.
# embedded.c is made again when one of them changes.
file(GLOB EMBEDDED_FILES CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
     kernels/*.cl kernels/*.h data/presets/*.ini data/quirks/*.ini data/tuning/*.ini)
set(EMBEDDED_C ${CMAKE_BINARY_DIR}/embedded.c)
set(EMBEDDED_LIST ${CMAKE_BINARY_DIR}/embedded.list)
list(JOIN EMBEDDED_FILES "\n" EMBEDDED_LINES)
file(GENERATE OUTPUT ${EMBEDDED_LIST} CONTENT "${EMBEDDED_LINES}\n")
set(EMBEDDED_DEPENDS ${EMBEDDED_FILES})
list(TRANSFORM EMBEDDED_DEPENDS PREPEND ${CMAKE_SOURCE_DIR}/)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_custom_command(OUTPUT ${EMBEDDED_C}
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/cmake/embed.py ${CMAKE_SOURCE_DIR} ${EMBEDDED_LIST} ${EMBEDDED_C}
  DEPENDS ${EMBEDDED_DEPENDS} ${EMBEDDED_LIST} ${CMAKE_SOURCE_DIR}/cmake/embed.py VERBATIM)
