# den_embed_openapi(target): the description of the HTTP interface (src/api/openapi/*.json, joined by
# src/api/openapi_merge.py) as bytes inside `target`; src/api/openapi_data.h declares them.
function(den_embed_openapi target)
    set(folder ${CMAKE_SOURCE_DIR}/src/api)
    file(GLOB fragments CONFIGURE_DEPENDS ${folder}/openapi/*.json)
    set(output ${CMAKE_BINARY_DIR}/generated/openapi_data.c)
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/generated)
    add_custom_command(OUTPUT ${output}
        COMMAND Python3::Interpreter ${folder}/openapi_merge.py ${folder}/openapi ${PROJECT_VERSION} ${output}
        DEPENDS ${fragments} ${folder}/openapi_merge.py
        COMMENT "Embedding the OpenAPI description" VERBATIM)
    target_sources(${target} PRIVATE ${output})
endfunction()
