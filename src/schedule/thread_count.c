/* See thread_count.h. */
#include "schedule/thread_count.h"

#include "hardware/cpu.h"

int den_schedule_threads(int wanted)
{
    struct den_cpu cpu;

    if (wanted > 0)
        return wanted;
    den_cpu_read(&cpu);
    return cpu.cores < DEN_THREADS_MAX ? cpu.cores : DEN_THREADS_MAX;
}
