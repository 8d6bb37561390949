# SPDX-License-Identifier: BSD-2-Clause
# Tests whose programs were built in other trees (tests/run.sh), so that one CTest run and one
# summary hold everything. Each tree is optional.
set(XLAT646_ASAN_TREE "" CACHE PATH "Tree built with address and undefined sanitizers")
set(XLAT646_TSAN_TREE "" CACHE PATH "Tree built with the thread sanitizer")
set(XLAT646_FUZZ_TREE "" CACHE PATH "Tree with the fuzz targets")
set(XLAT646_COVERAGE_TREE "" CACHE PATH "Tree built by clang++ with XLAT646_COVERAGE")
set(XLAT646_FUZZ_SECONDS 60 CACHE STRING "How long each fuzz target runs")

file(GLOB fuzzers CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/fuzz/*_fuzzer.cpp)

if(XLAT646_ASAN_TREE)
  add_test(NAME asan.unit COMMAND ${XLAT646_ASAN_TREE}/bin/xlat646_unit_tests)
  set_tests_properties(asan.unit PROPERTIES TIMEOUT 900)
  foreach(source ${fuzzers})
    get_filename_component(fuzzer ${source} NAME_WE)
    string(REPLACE "_fuzzer" "" subject ${fuzzer})
    add_test(NAME asan.replay.${subject} COMMAND ${XLAT646_ASAN_TREE}/bin/${fuzzer}
      ${CMAKE_CURRENT_LIST_DIR}/fuzz/corpus/${subject})
  endforeach()
  if(XLAT646_FASTPATH)
    add_test(NAME asan.fastpath COMMAND ${XLAT646_ASAN_TREE}/bin/xlat646_fastpath_tests)
    set_tests_properties(asan.fastpath PROPERTIES TIMEOUT 900)
  endif()
endif()

# Without address randomisation: libtsan of g++ 12 fails where the kernel uses 32 bits of it.
if(XLAT646_TSAN_TREE)
  add_test(NAME tsan.snapshot COMMAND setarch -R ${XLAT646_TSAN_TREE}/bin/xlat646_snapshot_test)
  set_tests_properties(tsan.snapshot PROPERTIES TIMEOUT 900)
endif()

if(XLAT646_FUZZ_TREE)
  foreach(source ${fuzzers})
    get_filename_component(fuzzer ${source} NAME_WE)
    string(REPLACE "_fuzzer" "" subject ${fuzzer})
    set(seconds ${XLAT646_FUZZ_SECONDS})
    if(subject MATCHES "^(import|explain)") # what an operator gives to a command
      math(EXPR seconds "${seconds} / 4")
    endif()
    # What it finds goes to the first directory, the seeds are only read.
    file(MAKE_DIRECTORY ${XLAT646_FUZZ_TREE}/corpus/${subject})
    add_test(NAME fuzz.${subject} COMMAND ${XLAT646_FUZZ_TREE}/bin/${fuzzer}
      -max_total_time=${seconds} -timeout=10 -rss_limit_mb=2048 -verbosity=0
      -artifact_prefix=${XLAT646_FUZZ_TREE}/
      ${XLAT646_FUZZ_TREE}/corpus/${subject} ${CMAKE_CURRENT_LIST_DIR}/fuzz/corpus/${subject})
    math(EXPR limit "${XLAT646_FUZZ_SECONDS} + 300")
    set_tests_properties(fuzz.${subject} PROPERTIES TIMEOUT ${limit} LABELS fuzz)
  endforeach()
endif()

# Also writes what it prints to coverage.txt in that tree.
if(XLAT646_COVERAGE_TREE)
  add_test(NAME coverage COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/coverage.py
    ${XLAT646_COVERAGE_TREE})
  set_tests_properties(coverage PROPERTIES TIMEOUT 900 PROCESSORS 2)
endif()
