# Every library the project stands on, each from Debian's packages, minimum versions, never exact ones.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS unit_test_framework)
find_path(MSGPACK_INCLUDE msgpack.hpp REQUIRED) # header-only; its CMake package changed its name between releases
find_package(simdjson REQUIRED) # its package accepts its own minor version only, so the minimum is compared here
if(simdjson_VERSION VERSION_LESS 3.0)
  message(FATAL_ERROR "simdjson 3.0 or newer is needed, found ${simdjson_VERSION}")
endif()
find_package(nlohmann_json 3.11 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(tomlplusplus 3.3 REQUIRED)
find_package(SQLiteCpp 3.2 REQUIRED)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.88) # mail and web services
find_library(CCTZ cctz REQUIRED) # zone rules: quiet hours are times of day; its package has neither CMake nor pkg-config files
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET openssl>=3.0) # TLS between nodes, and their certificates
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
# What others write as patterns takes time linear in the text. Debian 12's calls itself version 0.0.0: no minimum can be asked for.
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.40)
# Versions below 0.22 count replicas of entries from earlier terms as committed (Raft paper, figure 8).
pkg_check_modules(RAFT REQUIRED IMPORTED_TARGET raft>=0.22.1)
find_library(CAF_CORE caf_core REQUIRED)
pkg_check_modules(EDIT REQUIRED IMPORTED_TARGET libedit>=3.1)
# Allocator of the program: what one actor allocates another one frees, on another thread, where glibc's arenas have two threads
# wait for each other. The sanitizers bring their own.
find_library(MIMALLOC mimalloc REQUIRED)

add_library(epione_warnings INTERFACE)
# What GCC takes for uninitialized depends on its version and on the inlining: newer ones warn where nothing is wrong, and a
# fresh machine's compiler must not end the build. From 13 on it takes any reference that is returned for one into an argument.
target_compile_options(epione_warnings INTERFACE -Wall -Wextra -Wpedantic -Werror -Wno-error=maybe-uninitialized
                       $<$<COMPILE_LANGUAGE:CXX>:-Wconversion>
                       $<$<AND:$<COMPILE_LANG_AND_ID:CXX,GNU>,$<VERSION_GREATER_EQUAL:$<CXX_COMPILER_VERSION>,13>>:-Wno-dangling-reference>)
add_library(epione::warnings ALIAS epione_warnings)

add_library(epione_third_party_values INTERFACE)
target_link_libraries(epione_third_party_values INTERFACE PkgConfig::SODIUM PkgConfig::XXHASH PkgConfig::RE2
                      nlohmann_json::nlohmann_json tomlplusplus::tomlplusplus)
target_compile_definitions(epione_third_party_values INTERFACE MSGPACK_NO_BOOST MSGPACK_USE_STD_VARIANT_ADAPTOR)
add_library(epione::third_party_values ALIAS epione_third_party_values)

add_library(epione_caf INTERFACE)
target_link_libraries(epione_caf INTERFACE ${CAF_CORE} Threads::Threads)
add_library(epione::caf ALIAS epione_caf)

add_library(epione_third_party_runtime INTERFACE)
target_link_libraries(epione_third_party_runtime INTERFACE spdlog::spdlog prometheus-cpp::core ${CCTZ})
add_library(epione::third_party_runtime ALIAS epione_third_party_runtime)

add_library(epione_curl INTERFACE)
target_link_libraries(epione_curl INTERFACE PkgConfig::CURL)
add_library(epione::curl ALIAS epione_curl)

add_library(epione_sqlite INTERFACE)
target_link_libraries(epione_sqlite INTERFACE SQLiteCpp PkgConfig::SQLITE)
add_library(epione::sqlite ALIAS epione_sqlite)

add_library(epione_beast INTERFACE)
target_link_libraries(epione_beast INTERFACE Boost::headers simdjson::simdjson Threads::Threads)
add_library(epione::beast ALIAS epione_beast)

add_library(epione_tls INTERFACE)
target_link_libraries(epione_tls INTERFACE PkgConfig::OPENSSL Boost::headers Threads::Threads)
add_library(epione::tls ALIAS epione_tls)

add_library(epione_edit INTERFACE)
target_link_libraries(epione_edit INTERFACE PkgConfig::EDIT)
add_library(epione::edit ALIAS epione_edit)

add_library(epione_raft INTERFACE)
target_link_libraries(epione_raft INTERFACE PkgConfig::RAFT)
add_library(epione::raft ALIAS epione_raft)
