# One interface target carries what every file of Den is compiled with.
add_library(den_flags INTERFACE)
target_compile_definitions(den_flags INTERFACE _GNU_SOURCE DEN_VERSION="${PROJECT_VERSION}")
target_compile_options(den_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
    -fno-common -ffp-contract=off)
target_include_directories(den_flags INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
if(DEN_SANITIZE)
    target_compile_options(den_flags INTERFACE -fsanitize=${DEN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(den_flags INTERFACE -fsanitize=${DEN_SANITIZE})
endif()
if(DEN_COVERAGE)
    target_compile_options(den_flags INTERFACE --coverage)
    target_link_options(den_flags INTERFACE --coverage)
endif()
if(DEN_FUZZ)
    target_compile_options(den_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
