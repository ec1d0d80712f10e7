# Builds src/store/migrations/NNNN_*.sql into the program, in the order of their numbers; store/migrations.h says what they are.
function(den_embed_migrations target)
    set(folder ${CMAKE_SOURCE_DIR}/src/store/migrations)
    set(generated ${CMAKE_BINARY_DIR}/generated/migrations_data.c)
    file(GLOB files CONFIGURE_DEPENDS ${folder}/*.sql)
    list(SORT files)
    set(number 0)
    set(rows "")
    foreach(file ${files})
        math(EXPR number "${number} + 1")
        get_filename_component(name ${file} NAME)
        if(NOT name MATCHES "^0*${number}_")
            message(FATAL_ERROR "src/store/migrations/${name}: its number must be ${number}")
        endif()
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
        file(READ ${file} hex HEX)
        string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
        string(REGEX REPLACE "((0x[0-9a-f][0-9a-f],){16})" "\\1\n" bytes "${bytes}")
        string(APPEND arrays "static const char step_${number}[] = {\n${bytes}0\n};\n")
        string(APPEND rows "    { \"${name}\", step_${number} },\n")
    endforeach()
    file(CONFIGURE OUTPUT ${generated} CONTENT
"/* Made from src/store/migrations/ by cmake/migrations.cmake. */
#include \"store/migrations.h\"

@arrays@
const struct den_migration den_migrations[] = {
@rows@};
const size_t den_migration_count = @number@;
" @ONLY)
    target_sources(${target} PRIVATE ${generated})
endfunction()
