# epione_folder(FOLDER LINK ...): one static library of a folder's own source files (not of its sub-folders). With PRECOMPILED OTHER
# it uses what OTHER/precompiled.hpp compiled once: for folders where most files have actors in them. GCC needs a second a file to
# take in a large precompiled header, more than it saves elsewhere. APART: see epione_together.
add_library(epione_settings INTERFACE)
target_include_directories(epione_settings INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(epione_settings INTERFACE EPIONE_VERSION="${PROJECT_VERSION}")
# GCC's manual on -fsanitize: instrumented code raises false ones of these, here in the standard library's <regex>. The other presets
# keep the warning as an error.
if(EPIONE_ASAN OR EPIONE_TSAN)
  target_compile_options(epione_settings INTERFACE -Wno-maybe-uninitialized)
endif()
if(EPIONE_ASAN)
  # Not vptr: CAF's mailbox takes the address of its own sentinel as that of an element (task_queue::lifo_append on an empty queue,
  # inlined wherever a mailbox's length is asked for) and never looks into it.
  # -w: warnings are the release preset's concern; clang, which compiles this preset in a third of GCC's time, has others.
  target_compile_options(epione_settings INTERFACE -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined
                         -fno-omit-frame-pointer -w)
  target_link_options(epione_settings INTERFACE -fsanitize=address,undefined)
endif()
if(EPIONE_TSAN)
  # Asio fences memory by atomic_thread_fence, which TSan does not understand; its own switch for that replaces the fence.
  target_compile_definitions(epione_settings INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  target_compile_options(epione_settings INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
  target_link_options(epione_settings INTERFACE -fsanitize=thread)
  # Stands before CAF's own functions, which must therefore see the symbols of the program.
  add_library(epione_caf_under_tsan STATIC tests/support/caf_under_tsan.cpp)
  target_link_libraries(epione_caf_under_tsan PUBLIC epione_settings ${CAF_CORE} Threads::Threads PRIVATE epione::warnings)
  target_link_options(epione_caf_under_tsan INTERFACE -rdynamic)
  target_link_libraries(epione_caf INTERFACE $<LINK_LIBRARY:WHOLE_ARCHIVE,epione_caf_under_tsan>)
endif()
if(EPIONE_MUTATIONS)
  target_compile_definitions(epione_settings INTERFACE EPIONE_MUTATIONS)
endif()
if(EPIONE_FUZZ)
  # Warnings are the other presets' concern: clang has others than GCC.
  target_compile_options(epione_settings INTERFACE -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
                         -fno-omit-frame-pointer -w)
  target_link_options(epione_settings INTERFACE -fsanitize=address,undefined)
endif()

# epione_together(TARGET [FILE...]): a few files of a target are compiled as one, so that headers and the templates of actors are not
# compiled again for each of them: a third of the time. Names in anonymous namespaces must then differ within a folder. The files
# given are compiled apart: those that use names of their own for what has another meaning elsewhere. The preset debug compiles all
# apart, for who changes one file after the other.
function(epione_together target)
  if(NOT EPIONE_UNITY)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
  # GCC takes the files of one for headers.
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-subobject-linkage>)
  foreach(file ${ARGN})
    set_source_files_properties(${file} TARGET_DIRECTORY ${target} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endforeach()
endfunction()

function(epione_folder folder)
  cmake_parse_arguments(ARG "" "PRECOMPILED" "LINK;APART" ${ARGN})
  string(REPLACE "/" "_" name "epione_${folder}")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp ${CMAKE_SOURCE_DIR}/${folder}/*.c)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(sources)
    add_library(${name} STATIC ${sources})
    epione_together(${name} ${ARG_APART})
    target_link_libraries(${name} PUBLIC epione_settings ${ARG_LINK} PRIVATE epione::warnings)
    if(EXISTS ${CMAKE_SOURCE_DIR}/${folder}/precompiled.hpp)
      # In angle brackets, so that no path of this machine is in it and ccache finds it again from another directory.
      target_precompile_headers(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:<${folder}/precompiled.hpp$<ANGLE-R>>)
    elseif(ARG_PRECOMPILED)
      set(c_sources ${sources})
      list(FILTER c_sources INCLUDE REGEX "\\.c$")
      set_source_files_properties(${c_sources} PROPERTIES SKIP_PRECOMPILE_HEADERS ON SKIP_UNITY_BUILD_INCLUSION ON)
      target_precompile_headers(${name} REUSE_FROM epione_${ARG_PRECOMPILED})
    endif()
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE epione_settings ${ARG_LINK})
  endif()
endfunction()

# Tests wait for what they test, not for themselves: half of the optimiser's time would go into them.
set(epione_test_options $<$<CONFIG:RelWithDebInfo>:-Og$<SEMICOLON>-g0>)
if(EPIONE_ASAN OR EPIONE_TSAN)
  set(epione_test_options $<$<CONFIG:RelWithDebInfo>:-O0>) # with the lines that a report names
endif()

# epione_test(NAME SOURCES ... LINK ... [PRECOMPILED caf]): one Boost.Test program, known to ctest under its name. Those with actors
# in them say PRECOMPILED caf. APART: see epione_together. ALONE: suites that are tests of their own, NAME_SUITE, so that ctest -j
# runs them side by side.
function(epione_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT;LABEL;PRECOMPILED" "SOURCES;LINK;ALONE;APART" ${ARGN})
  if(NOT ARG_SOURCES)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} Boost::unit_test_framework epione::warnings)
  target_compile_definitions(${name} PRIVATE BOOST_TEST_DYN_LINK EPIONE_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                             EPIONE_BINARY_DIR="${CMAKE_BINARY_DIR}")
  target_compile_options(${name} PRIVATE ${epione_test_options})
  if(NOT ARG_PRECOMPILED)
    set(ARG_PRECOMPILED plain)
  endif()
  target_precompile_headers(${name} REUSE_FROM epione_tests_precompiled_${ARG_PRECOMPILED})
  foreach(source ${ARG_SOURCES})
    get_filename_component(source ${source} ABSOLUTE)
    file(STRINGS ${source} module REGEX "define BOOST_TEST_MODULE") # must stand before Boost.Test is included
    if(module)
      set_source_files_properties(${source} PROPERTIES SKIP_PRECOMPILE_HEADERS ON SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
  endforeach()
  epione_together(${name} ${ARG_APART})
  set(tests ${name})
  foreach(suite ${ARG_ALONE})
    add_test(NAME ${name}_${suite} COMMAND ${name} --run_test=${suite})
    list(APPEND tests ${name}_${suite})
  endforeach()
  set(selection)
  if(ARG_ALONE)
    list(TRANSFORM ARG_ALONE PREPEND "!")
    list(JOIN ARG_ALONE ":" others)
    set(selection --run_test=${others})
  endif()
  add_test(NAME ${name} COMMAND ${name} ${selection})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 900)
  endif()
  set_tests_properties(${tests} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
  if(ARG_LABEL)
    set_tests_properties(${tests} PROPERTIES LABELS ${ARG_LABEL})
    # tests_unit, tests_integration, ...: builds all programs of a label and nothing else.
    if(NOT TARGET tests_${ARG_LABEL})
      add_custom_target(tests_${ARG_LABEL})
    endif()
    add_dependencies(tests_${ARG_LABEL} ${name})
  endif()
endfunction()
