# SPDX-License-Identifier: Apache-2.0
# Helpers of this build: one function a kind of target, so that flags are said once.

add_library(fiducia_flags INTERFACE)
target_compile_features(fiducia_flags INTERFACE cxx_std_23)
target_compile_options(
  fiducia_flags
  INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
            -fstack-protector-strong -ftrivial-auto-var-init=zero
            $<$<BOOL:${FIDUCIA_WERROR}>:-Werror>
            # Which lock guards what (core/thread_annotations.h): never only a warning.
            $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety;-Werror=thread-safety>
            # Sources are compiled several at a time, so gcc takes them for headers, where a type of
            # an anonymous namespace would be another one in each file.
            $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>
            # libstdc++ 12 sorts with a function that its standard has deprecated.
            $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
target_compile_definitions(fiducia_flags INTERFACE _GLIBCXX_ASSERTIONS)
target_link_options(fiducia_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code)
# What people run, and what only tests run: half of the time of a test's source is optimisation.
add_library(fiducia_shipped INTERFACE)
target_link_libraries(fiducia_shipped INTERFACE fiducia_flags)
target_compile_options(
  fiducia_shipped
  INTERFACE $<$<CONFIG:Release>:-O2;-g1;-D_FORTIFY_SOURCE=3;-fstack-clash-protection>)
add_library(fiducia_tested INTERFACE)
target_link_libraries(fiducia_tested INTERFACE fiducia_flags)
target_compile_options(fiducia_tested INTERFACE $<$<CONFIG:Release>:-O1>)
if(FIDUCIA_SANITIZE)
  target_compile_definitions(fiducia_flags INTERFACE FIDUCIA_SANITIZED)
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
# Lines for backtraces; variables and types are for who asks for them (-DCMAKE_CXX_FLAGS_DEBUG=-g).
set(CMAKE_CXX_FLAGS_DEBUG "-g1")
if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(FIDUCIA_CCACHE ccache)
  if(FIDUCIA_CCACHE)
    # Paths below this folder count as relative, so that one checkout finds what another compiled.
    set(CMAKE_CXX_COMPILER_LAUNCHER
        ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
        ${FIDUCIA_CCACHE})
  endif()
endif()
find_program(FIDUCIA_MOLD mold)
if(FIDUCIA_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# Compiles the sources of a target some sixteen at a time: two thirds of the time of a source alone go
# into the headers of the standard library and into the same templates as its neighbours have. Names in
# the anonymous namespaces of one folder must differ for it. FIDUCIA_UNITY=OFF compiles each alone.
function(fiducia_compile_together target)
  if(FIDUCIA_UNITY)
    cmake_language(EVAL CODE "cmake_language(DEFER CALL fiducia_write_units ${target})")
  endif()
endfunction()

# Not UNITY_BUILD of CMake: its files name sources by absolute paths, so that no compiler cache serves
# another checkout. Sources with options of their own stay alone.
function(fiducia_write_units target)
  set(sources_max 16)
  get_target_property(sources ${target} SOURCES)
  set(unit "")
  set(count 0)
  set(units 0)
  list(APPEND sources "") # the end
  foreach(source IN LISTS sources)
    if(source MATCHES "\\.cpp$")
      get_source_file_property(options ${source} COMPILE_OPTIONS)
      get_source_file_property(definitions ${source} COMPILE_DEFINITIONS)
      if(options OR definitions)
        continue()
      endif()
      cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE
                 OUTPUT_VARIABLE path)
      file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR} ${path})
      string(APPEND unit "#include \"${path}\"\n")
      set_source_files_properties(${source} PROPERTIES HEADER_FILE_ONLY ON)
      math(EXPR count "${count} + 1")
    endif()
    if(count EQUAL sources_max OR (source STREQUAL "" AND count GREATER 0))
      set(file ${CMAKE_CURRENT_BINARY_DIR}/${target}_${units}.cpp)
      file(CONFIGURE OUTPUT ${file} CONTENT "${unit}")
      target_sources(${target} PRIVATE ${file})
      math(EXPR units "${units} + 1")
      set(unit "")
      set(count 0)
    endif()
  endforeach()
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
endfunction()

# Modules whose tests hash and parse for minutes: a sanitizer's code is a third as long at -O1. In the
# others that costs more to compile than it saves.
set(FIDUCIA_SANITIZED_AT_O1 core deflate crypto merkle dicom ledger_format ledger witness canonical evidence trust seal store render report)

# fiducia_module(NAME SOURCES ... USES other modules ... LIBRARIES third party ...)
function(fiducia_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  add_library(fiducia_${name} STATIC ${arg_SOURCES})
  add_library(fiducia::${name} ALIAS fiducia_${name})
  target_include_directories(fiducia_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(fiducia_${name} PUBLIC fiducia_flags PRIVATE fiducia_shipped ${arg_LIBRARIES})
  fiducia_compile_together(fiducia_${name})
  if(FIDUCIA_SANITIZE AND name IN_LIST FIDUCIA_SANITIZED_AT_O1)
    target_compile_options(fiducia_${name} PRIVATE $<$<CONFIG:Debug>:-O1>)
  endif()
  foreach(use ${arg_USES})
    target_link_libraries(fiducia_${name} PUBLIC fiducia::${use})
  endforeach()
endfunction()

# fiducia_test(NAME SOURCES ... USES modules ... LIBRARIES ... and what fiducia_test_properties takes):
# one gtest program, one ctest entry.
function(fiducia_test name)
  cmake_parse_arguments(arg "" "TIMEOUT;SECONDS" "SOURCES;USES;LIBRARIES;LABELS" ${ARGN})
  add_executable(${name}_test ${arg_SOURCES})
  fiducia_compile_together(${name}_test)
  target_link_libraries(${name}_test PRIVATE fiducia_tested fiducia_test_support GTest::gtest
                                             GTest::gmock GTest::gtest_main ${arg_LIBRARIES})
  foreach(use ${arg_USES})
    target_link_libraries(${name}_test PRIVATE fiducia::${use})
  endforeach()
  add_test(NAME ${name} COMMAND ${name}_test)
  fiducia_test_properties(${name} TIMEOUT ${arg_TIMEOUT} SECONDS ${arg_SECONDS} LABELS ${arg_LABELS})
endfunction()

# fiducia_test_properties(NAME TIMEOUT seconds SECONDS about LABELS more): what every test of ctest has:
# the label of its folder (scripts/test MODULE), a time-out, and its usual time where that is long, so
# that long ones start first.
function(fiducia_test_properties name)
  cmake_parse_arguments(arg "" "TIMEOUT;SECONDS" "LABELS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  if(NOT arg_SECONDS)
    set(arg_SECONDS 0)
  endif()
  get_filename_component(folder ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} COST ${arg_SECONDS}
                                          LABELS "${folder};${arg_LABELS}")
endfunction()

# fiducia_fuzz(NAME USES ... MUTANTS count): fuzz/NAME_fuzz.cpp, seeds in fuzz/corpus/NAME. With
# FIDUCIA_FUZZ a libFuzzer program of its own; otherwise a part of the program fuzz_corpus and a test
# that runs the seeds and MUTANTS of each seed. SOURCES are for libFuzzer, CORPUS_LIBRARIES have them
# for the other. Left out where a module or library that it uses is not built.
function(fiducia_fuzz name)
  cmake_parse_arguments(arg "" "MUTANTS" "SOURCES;USES;LIBRARIES;CORPUS_LIBRARIES" ${ARGN})
  list(TRANSFORM arg_USES PREPEND fiducia_)
  foreach(target ${arg_USES})
    if(NOT TARGET ${target})
      return()
    endif()
  endforeach()
  if(FIDUCIA_FUZZ)
    add_executable(${name}_fuzz ${name}_fuzz.cpp ${arg_SOURCES})
    target_link_libraries(${name}_fuzz PRIVATE fiducia_tested ${arg_LIBRARIES} ${arg_USES})
    target_compile_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
    target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
    return()
  endif()
  if(NOT arg_MUTANTS)
    set(arg_MUTANTS 2000)
  endif()
  target_sources(fuzz_corpus PRIVATE ${name}_fuzz.cpp)
  target_link_libraries(fuzz_corpus PRIVATE ${arg_CORPUS_LIBRARIES} ${arg_LIBRARIES} ${arg_USES})
  add_test(NAME fuzz_${name}
           COMMAND fuzz_corpus ${name} ${PROJECT_SOURCE_DIR}/fuzz/corpus/${name} ${arg_MUTANTS})
  fiducia_test_properties(fuzz_${name})
endfunction()
