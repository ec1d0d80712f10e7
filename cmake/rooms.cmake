# den_room(NAME [ROOMS r...] [LIBRARIES l...]): src/NAME/**/*.c as the static library den_NAME.
# Files named *_avx2.c, *_avxvnni.c, *_avx512.c, *_avx512vnni.c, *_amx.c get the flags of that instruction set and no others do:
# the program runs on any x86-64 and kernels/dispatch.c chooses at run time.
set(DEN_ISA_avx2 -mavx2 -mfma -mf16c)
set(DEN_ISA_avxvnni ${DEN_ISA_avx2} -mavxvnni)
set(DEN_ISA_avx512 ${DEN_ISA_avx2} -mavx512f -mavx512bw -mavx512vl -mavx512dq)
set(DEN_ISA_avx512vnni ${DEN_ISA_avx512} -mavx512vnni)
set(DEN_ISA_amx ${DEN_ISA_avx512vnni} -mamx-tile -mamx-int8)
# Kernels are unrolled over hundreds of accesses. Checks of each pointer for null, alignment (which vectors don't need) and object
# size double the time they compile in; whether an access is in bounds is the address sanitizer's to say, and it does.
if(DEN_SANITIZE MATCHES "undefined")
    foreach(isa avx2 avxvnni avx512 avx512vnni amx)
        list(APPEND DEN_ISA_${isa} -fno-sanitize=null,alignment,object-size,pointer-overflow)
    endforeach()
endif()

function(den_room name)
    cmake_parse_arguments(ROOM "" "" "ROOMS;LIBRARIES" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.c)
    list(TRANSFORM ROOM_ROOMS PREPEND den_)
    if(NOT sources) # a room planned but not yet built
        add_library(den_${name} INTERFACE)
        target_link_libraries(den_${name} INTERFACE den_flags ${ROOM_ROOMS} ${ROOM_LIBRARIES})
        return()
    endif()
    add_library(den_${name} STATIC ${sources})
    target_link_libraries(den_${name} PUBLIC den_flags ${ROOM_ROOMS} ${ROOM_LIBRARIES})
    foreach(source ${sources})
        if(source MATCHES "_(avx2|avxvnni|avx512|avx512vnni|amx)\\.c$")
            set(isa ${CMAKE_MATCH_1}) # the next match overwrites it
            if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
                set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${DEN_ISA_${isa}}")
            else()
                set_source_files_properties(${source} PROPERTIES HEADER_FILE_ONLY ON)
            endif()
        endif()
    endforeach()
endfunction()
