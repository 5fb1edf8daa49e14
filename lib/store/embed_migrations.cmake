# Writes OUTPUT: the files NNNN_name.sql of FOLDER as C++ string literals. Run with cmake -P.
file(GLOB files "${FOLDER}/*.sql")
list(SORT files)
set(entries "")
set(number 0)
foreach(file IN LISTS files)
    math(EXPR number "${number} + 1")
    get_filename_component(name "${file}" NAME)
    if(NOT name MATCHES "^([0-9][0-9][0-9][0-9])_[a-z0-9_]+\\.sql$")
        message(FATAL_ERROR "${name}: a migration is called NNNN_what_it_does.sql")
    endif()
    math(EXPR found "1${CMAKE_MATCH_1} - 10000")
    if(NOT found EQUAL number)
        message(FATAL_ERROR "${name}: migrations are numbered without gaps; expected number ${number}")
    endif()
    file(READ "${file}" text)
    string(APPEND entries "    {${number}, \"${name}\", R\"migration(${text})migration\"},\n")
endforeach()

file(WRITE "${OUTPUT}" "// Made by embed_migrations.cmake from schemas/migrations. Not to be edited.
#include \"store/embedded_migrations.hpp\"

namespace docmap::store {

namespace {

const Migration migrations[] = {
${entries}};

} // namespace

std::span<const Migration> embedded_migrations() { return migrations; }

} // namespace docmap::store
")
