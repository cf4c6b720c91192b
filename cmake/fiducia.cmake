# SPDX-License-Identifier: Apache-2.0
# Helpers of this build: one function a kind of target, so that flags are said once.

add_library(fiducia_flags INTERFACE)
target_compile_features(fiducia_flags INTERFACE cxx_std_23)
target_compile_options(
  fiducia_flags
  INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
            -fstack-protector-strong -ftrivial-auto-var-init=zero
            $<$<CONFIG:Release>:-O2;-g1;-D_FORTIFY_SOURCE=3;-fstack-clash-protection>
            $<$<BOOL:${FIDUCIA_WERROR}>:-Werror>)
target_compile_definitions(fiducia_flags INTERFACE _GLIBCXX_ASSERTIONS FMT_HEADER_ONLY)
target_link_options(fiducia_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code)
if(FIDUCIA_SANITIZE)
  target_compile_options(fiducia_flags INTERFACE -fsanitize=${FIDUCIA_SANITIZE}
                                                 -fno-sanitize-recover=undefined
                                                 -fno-omit-frame-pointer)
  target_link_options(fiducia_flags INTERFACE -fsanitize=${FIDUCIA_SANITIZE})
endif()
if(FIDUCIA_FUZZ)
  target_compile_options(fiducia_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(FIDUCIA_COVERAGE)
  target_compile_options(fiducia_flags INTERFACE --coverage)
  target_link_options(fiducia_flags INTERFACE --coverage)
endif()
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
# Release means -O2 here (said above); CMake's own -O3 -DNDEBUG would switch assert() off.
set(CMAKE_CXX_FLAGS_RELEASE "")
set(CMAKE_C_FLAGS_RELEASE "-O2")
find_program(FIDUCIA_CCACHE ccache)
if(FIDUCIA_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${FIDUCIA_CCACHE})
endif()

# fiducia_module(NAME SOURCES ... USES other modules ... LIBRARIES third party ...)
function(fiducia_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  add_library(fiducia_${name} STATIC ${arg_SOURCES})
  add_library(fiducia::${name} ALIAS fiducia_${name})
  target_include_directories(fiducia_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(fiducia_${name} PUBLIC fiducia_flags PRIVATE ${arg_LIBRARIES})
  foreach(use ${arg_USES})
    target_link_libraries(fiducia_${name} PUBLIC fiducia::${use})
  endforeach()
endfunction()

# fiducia_test(NAME SOURCES ... USES modules ... LIBRARIES ...): one gtest program, one ctest entry.
function(fiducia_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;USES;LIBRARIES" ${ARGN})
  add_executable(${name}_test ${arg_SOURCES})
  target_link_libraries(${name}_test PRIVATE fiducia_flags fiducia_test_support GTest::gtest
                                             GTest::gmock GTest::gtest_main ${arg_LIBRARIES})
  foreach(use ${arg_USES})
    target_link_libraries(${name}_test PRIVATE fiducia::${use})
  endforeach()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  add_test(NAME ${name} COMMAND ${name}_test)
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT})
endfunction()

# fiducia_fuzz(NAME USES ... MUTANTS count): fuzz/NAME_fuzz.cpp, seeds in fuzz/corpus/NAME. With
# FIDUCIA_FUZZ a libFuzzer program; otherwise a test that runs the seeds and MUTANTS of each seed.
# Left out where a module or library that it uses is not built.
function(fiducia_fuzz name)
  cmake_parse_arguments(arg "" "MUTANTS" "SOURCES;USES;LIBRARIES" ${ARGN})
  list(TRANSFORM arg_USES PREPEND fiducia_)
  foreach(target ${arg_USES})
    if(NOT TARGET ${target})
      return()
    endif()
  endforeach()
  add_executable(${name}_fuzz ${name}_fuzz.cpp ${arg_SOURCES})
  target_link_libraries(${name}_fuzz PRIVATE fiducia_flags ${arg_LIBRARIES} ${arg_USES})
  if(FIDUCIA_FUZZ)
    target_compile_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
    target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
    return()
  endif()
  if(NOT arg_MUTANTS)
    set(arg_MUTANTS 2000)
  endif()
  target_link_libraries(${name}_fuzz PRIVATE fiducia_corpus_main)
  add_test(NAME fuzz_${name}
           COMMAND ${name}_fuzz ${PROJECT_SOURCE_DIR}/fuzz/corpus/${name} ${arg_MUTANTS})
  set_tests_properties(fuzz_${name} PROPERTIES TIMEOUT 300 LABELS fuzz)
endfunction()
