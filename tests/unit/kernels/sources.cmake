# Kernels of sets that the testing processor may lack, in forms that it can run: see kernels/stand_ins.h.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set(stand_ins kernels/stand_in_amx.c kernels/stand_in_avxvnni.c kernels/stand_in_avxvnni_wide.c)
    target_sources(test_kernels PRIVATE ${stand_ins} kernels/tiles_trap.c)
    set_source_files_properties(${stand_ins} PROPERTIES COMPILE_OPTIONS "${DEN_ISA_avx512vnni}")
endif()
