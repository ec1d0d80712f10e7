# Builds models/catalogue.json into the program: a C file with its bytes, for desk/catalogue.c.
function(den_embed_catalogue target)
    set(source ${CMAKE_SOURCE_DIR}/models/catalogue.json)
    set(generated ${CMAKE_BINARY_DIR}/generated/catalogue_data.c)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    file(READ ${source} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE "((0x[0-9a-f][0-9a-f],){16})" "\\1\n" bytes "${bytes}")
    file(CONFIGURE OUTPUT ${generated} CONTENT
"/* Made from models/catalogue.json by cmake/catalogue.cmake. */
#include \"desk/catalogue_data.h\"

const unsigned char den_catalogue_data[] = {
@bytes@};
const size_t den_catalogue_bytes = sizeof den_catalogue_data;
" @ONLY)
    target_sources(${target} PRIVATE ${generated})
endfunction()
