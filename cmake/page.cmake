# den_embed_page(target): the page (web/, with its npm modules) as gzipped arrays inside `target`.
# web/embed.py says what happens to the files; src/api/assets.h is how the server finds them.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

function(den_embed_page target)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "INTERFACE_LIBRARY") # the room has no source yet
        return()
    endif()
    if(NOT EXISTS ${CMAKE_SOURCE_DIR}/web/node_modules/preact)
        message(FATAL_ERROR "The page's modules are missing (web/node_modules). "
            "Run: npm ci --prefix web --omit=dev   (./run does it for you)")
    endif()
    set(web ${CMAKE_SOURCE_DIR}/web)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${web}/src/*.js ${web}/strings/*.js ${web}/css/*.css)
    file(GLOB pages CONFIGURE_DEPENDS ${web}/*.html ${web}/*.svg ${web}/*.webmanifest ${web}/*.png ${web}/sw.js)
    set(output ${CMAKE_BINARY_DIR}/page/page_assets.c)
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/page)
    add_custom_command(OUTPUT ${output}
        COMMAND Python3::Interpreter ${web}/embed.py --c ${output}
        DEPENDS ${sources} ${pages} ${web}/embed.py ${web}/package-lock.json
        COMMENT "Embedding the page" VERBATIM)
    target_sources(${target} PRIVATE ${output})
endfunction()
