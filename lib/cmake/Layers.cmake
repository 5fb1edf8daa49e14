# docmap_library(<name> DEPENDS <floors below> EXTERNAL <third-party targets>)
#
# One library per folder under lib/. A folder is linked only to the floors it may see, so a call that runs upward
# does not link; tests/tools/check_includes.py refuses the include as well.
function(docmap_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPENDS;EXTERNAL")
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp" "${CMAKE_CURRENT_SOURCE_DIR}/*.hpp")
    if(NOT sources)
        file(TOUCH "${CMAKE_CURRENT_BINARY_DIR}/empty.cpp")
        set(sources "${CMAKE_CURRENT_BINARY_DIR}/empty.cpp")
    endif()
    list(TRANSFORM arg_DEPENDS PREPEND docmap_)
    add_library(docmap_${name} STATIC ${sources})
    set_target_properties(docmap_${name} PROPERTIES LINKER_LANGUAGE CXX)
    target_include_directories(docmap_${name} PUBLIC "${PROJECT_SOURCE_DIR}/lib")
    target_link_libraries(docmap_${name} PUBLIC ${arg_DEPENDS} ${arg_EXTERNAL} PRIVATE docmap_options)
endfunction()
