# Kernels of sets that the testing processor may lack, in forms that it can run: see kernels/stand_ins.h.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set(stand_ins kernels/stand_in_amx.c kernels/stand_in_avxvnni.c kernels/stand_in_avxvnni_wide.c)
    target_sources(test_kernels PRIVATE ${stand_ins} kernels/tiles_trap.c)
    # The address sanitizer's checks by calls instead of code at each place: slower to run, ten times faster to compile.
    if(DEN_SANITIZE MATCHES "address" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
        set(checks_by_call --param=asan-instrumentation-with-call-threshold=0)
    endif()
    set_source_files_properties(${stand_ins} PROPERTIES COMPILE_OPTIONS "${DEN_ISA_avx512vnni};${checks_by_call}")
endif()
