# Compiler options shared by every target of the project.

option(DOCMAP_COVERAGE "Count executed lines (gcov)" OFF)
set(DOCMAP_SANITIZE "" CACHE STRING "Sanitizers, as given to -fsanitize= (address,undefined or thread)")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # Paths count relative to the source folder, so that clones and worktrees share what was compiled.
    set(ccache_with_base "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" CCACHE_NOHASHDIR=1
        "${CCACHE_PROGRAM}")
    set(CMAKE_CXX_COMPILER_LAUNCHER "${ccache_with_base}")
    set(CMAKE_C_COMPILER_LAUNCHER "${ccache_with_base}")
endif()

add_library(docmap_options INTERFACE)
target_compile_options(docmap_options INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fstack-protector-strong)
target_compile_definitions(docmap_options INTERFACE
    $<$<CONFIG:Release,RelWithDebInfo>:_FORTIFY_SOURCE=2>)
# g++ 12 reports std::string's operator+ falsely once it is optimized.
target_compile_options(docmap_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
target_link_options(docmap_options INTERFACE -Wl,-z,relro,-z,now)

if(DOCMAP_SANITIZE)
    target_compile_options(docmap_options INTERFACE -fsanitize=${DOCMAP_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(docmap_options INTERFACE -fsanitize=${DOCMAP_SANITIZE})
    # g++ 12 reports false positives of this one once sanitizers change its inlining.
    target_compile_options(docmap_options INTERFACE -Wno-maybe-uninitialized)
    if(DOCMAP_SANITIZE MATCHES "thread")
        # Boost.Asio and libstdc++ order some accesses by fences, which TSan cannot see.
        target_compile_options(docmap_options INTERFACE -Wno-tsan)
    endif()
endif()

if(DOCMAP_COVERAGE)
    target_compile_options(docmap_options INTERFACE --coverage -O0)
    target_link_options(docmap_options INTERFACE --coverage)
endif()
