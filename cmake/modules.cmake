# The helpers of CMakeLists.txt: third-party libraries, modules, the library, the program, the tests.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wwrite-strings
  -Wundef -Wformat=2 -Wno-unused-parameter -ffp-contract=off) # the same floats on every machine
include_directories(${CMAKE_SOURCE_DIR}) # the only include path of our own

add_library(schedcast)
target_link_libraries(schedcast PUBLIC Threads::Threads ${CMAKE_DL_LIBS} m)
set(SC_MODULES) # declared so far
set(SC_PC_REQUIRES) # what the pkg-config file names

function(sc_build_type default)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE ${default} CACHE STRING "build type" FORCE)
  endif()
endfunction()

# sc_library(name pkg...): the first of the pkg-config packages that exists; our library links it.
macro(sc_library name)
  pkg_search_module(SC_${name} REQUIRED IMPORTED_TARGET ${ARGN})
  target_link_libraries(schedcast PUBLIC PkgConfig::SC_${name})
  list(APPEND SC_PC_REQUIRES ${SC_${name}_MODULE_NAME})
endmacro()

# The .c files of a folder less the half of each optional pair that was not chosen.
function(sc_sources folder result)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.c)
  foreach(part GSL PAPI)
    string(TOLOWER ${part} lower)
    if(SC_WITH_${part})
      list(FILTER sources EXCLUDE REGEX "_no${lower}\\.c$")
    else()
      list(FILTER sources EXCLUDE REGEX "_${lower}\\.c$")
    endif()
  endforeach()
  set(${result} ${sources} PARENT_SCOPE)
endfunction()

# sc_module(name NEEDS modules...): an object library of <name>/*.c; NEEDS may name only modules declared before.
macro(sc_module name)
  cmake_parse_arguments(SC_ARG "" "" "NEEDS" ${ARGN})
  foreach(need IN LISTS SC_ARG_NEEDS)
    if(NOT need IN_LIST SC_MODULES)
      message(FATAL_ERROR "module '${name}' needs '${need}', which is not below it")
    endif()
  endforeach()
  list(APPEND SC_MODULES ${name})
  sc_sources(${name} SC_SOURCES)
  if(SC_SOURCES AND (NOT SC_ONLY OR "${name}" IN_LIST SC_ONLY))
    add_library(sc_${name} OBJECT ${SC_SOURCES})
    target_include_directories(sc_${name} PRIVATE $<TARGET_PROPERTY:schedcast,INTERFACE_INCLUDE_DIRECTORIES>)
    target_sources(schedcast PRIVATE $<TARGET_OBJECTS:sc_${name}>)
  endif()
endmacro()

# Headers keep their paths: -I<include>/schedcast gives "predictor/predictor.h", as in the tree.
function(sc_install_library)
  set_target_properties(schedcast PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LINKER_LANGUAGE C
    LINK_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/schedcast.map)
  target_link_options(schedcast PRIVATE -Wl,--version-script=${CMAKE_SOURCE_DIR}/cmake/schedcast.map)
  install(TARGETS schedcast)
  foreach(module IN LISTS SC_MODULES)
    file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${module}/${module}.h ${CMAKE_SOURCE_DIR}/${module}/*.def)
    install(FILES ${headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/schedcast/${module})
  endforeach()
  install(DIRECTORY data/ DESTINATION ${CMAKE_INSTALL_DATADIR}/schedcast)
  install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
  file(RELATIVE_PATH SC_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
  set(SC_PC_PRIVATE ".private") # users of the shared library need not know what it is made of
  if(NOT BUILD_SHARED_LIBS)
    set(SC_PC_PRIVATE "")
  endif()
  list(JOIN SC_PC_REQUIRES " " SC_PC_REQUIRES)
  configure_file(cmake/schedcast.pc.in schedcast.pc @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/schedcast.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

# sc_program(folder): the multi-call program bin/schedcast from folder/*.c, once there is a folder/main.c, with a link
# <verb>-sched beside it for each line SC_VERB(verb) of folder/verbs.def.
function(sc_program folder)
  sc_sources(${folder} sources)
  if(SC_ONLY OR NOT ${CMAKE_SOURCE_DIR}/${folder}/main.c IN_LIST sources)
    return()
  endif()
  add_executable(schedcast_program ${sources})
  set_target_properties(schedcast_program PROPERTIES OUTPUT_NAME schedcast
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin INSTALL_RPATH $ORIGIN/../${CMAKE_INSTALL_LIBDIR})
  target_link_libraries(schedcast_program PRIVATE schedcast)
  install(TARGETS schedcast_program)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  file(CREATE_LINK bin/schedcast ${CMAKE_BINARY_DIR}/schedcast SYMBOLIC)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/verbs.def)
  file(STRINGS ${CMAKE_SOURCE_DIR}/${folder}/verbs.def verbs REGEX "^SC_VERB\\(")
  foreach(line IN LISTS verbs)
    string(REGEX REPLACE "^SC_VERB\\(([a-z]+).*" "\\1" verb "${line}")
    file(CREATE_LINK schedcast ${CMAKE_BINARY_DIR}/bin/${verb}-sched SYMBOLIC)
    install(FILES ${CMAKE_BINARY_DIR}/bin/${verb}-sched TYPE BIN)
  endforeach()
endfunction()

# tests/<folder>/test_<name>.c (cmocka) and .sh become the test <folder>.<name>, label fast; slow_<name>.* label slow.
function(sc_tests)
  pkg_search_module(SC_cmocka REQUIRED IMPORTED_TARGET cmocka)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*/test_*.c ${CMAKE_SOURCE_DIR}/tests/*/slow_*.c
    ${CMAKE_SOURCE_DIR}/tests/*/test_*.sh ${CMAKE_SOURCE_DIR}/tests/*/slow_*.sh)
  if(NOT SC_ONLY)
    add_executable(tour ${CMAKE_SOURCE_DIR}/docs/tour.c)
    set_target_properties(tour PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(tour PRIVATE schedcast)
  endif()
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  set(environment SCHEDCAST=${CMAKE_BINARY_DIR}/schedcast SCHEDCAST_DATA=${CMAKE_SOURCE_DIR}/data
    SC_SOURCE_DIR=${CMAKE_SOURCE_DIR} SC_BUILD_DIR=${CMAKE_BINARY_DIR} CC=${CMAKE_C_COMPILER}
    "CFLAGS=${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_${type}}")
  foreach(source IN LISTS sources)
    string(REGEX MATCH "/tests/([^/]*)/(test|slow)_(.*)\\.(c|sh)$" match ${source})
    set(test ${CMAKE_MATCH_1}.${CMAKE_MATCH_3})
    set(label ${CMAKE_MATCH_2})
    if(SC_ONLY AND NOT CMAKE_MATCH_1 IN_LIST SC_ONLY)
      continue()
    endif()
    if(CMAKE_MATCH_4 STREQUAL "c")
      set(target test_${CMAKE_MATCH_1}_${CMAKE_MATCH_3})
      add_executable(${target} ${source})
      set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
      target_link_libraries(${target} PRIVATE schedcast PkgConfig::SC_cmocka)
      add_test(NAME ${test} COMMAND ${target})
    else()
      add_test(NAME ${test} COMMAND bash ${source})
    endif()
    string(REPLACE "test" "fast" label ${label})
    set_tests_properties(${test} PROPERTIES LABELS ${label} TIMEOUT 600 ENVIRONMENT "${environment}")
  endforeach()
endfunction()

# tests/fuzz/fuzz_<name>.c: a libFuzzer program each.
function(sc_fuzzers)
  file(GLOB fuzzers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_*.c)
  foreach(source IN LISTS fuzzers)
    get_filename_component(target ${source} NAME_WE)
    add_executable(${target} ${source})
    target_link_libraries(${target} PRIVATE schedcast)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
  endforeach()
endfunction()
