/* Processor: what it is, what it can do, how much of it this process may use.
 *
 * Features are those that the processor has and the operating system saves registers for; without
 * the second, using the first is a fault. Cores are counted as this process may use them: its
 * affinity mask, then the CPU quota of its control group. A program in a container of two cores on
 * a machine of sixty-four must not start sixty-four threads. Sizes are 0 where the system does not
 * tell. */
#ifndef DEN_HARDWARE_CPU_H
#define DEN_HARDWARE_CPU_H

#include <stddef.h>
#include <stdint.h>

#include "base/cpu_features.h"
#include "base/status.h"

enum { DEN_CPU_MODEL_BYTES = 64, DEN_CPU_FEATURES_BYTES = 128 };

struct den_cpu {
    char model[DEN_CPU_MODEL_BYTES]; /* as the maker names it; "unknown" where nothing says */
    uint32_t features;               /* enum den_cpu_feature */
    int cores;                       /* threads that this process can run at once, at least 1 */
    int cores_online;                /* of the whole machine */
    size_t l1_bytes;                 /* data, of one core */
    size_t l2_bytes;                 /* of one core, or of the cluster that shares it */
    size_t l3_bytes;                 /* as seen by this core */
};

struct den_memory {
    uint64_t total_bytes;     /* of the machine, or the control group's limit if that is less */
    uint64_t available_bytes; /* what can be allocated without swapping */
};

/* Asks the machine; nothing is cached. Where there is AMX, asks the system for its registers. */
void den_cpu_read(struct den_cpu *out);
void den_memory_read(struct den_memory *out);
uint32_t den_cpu_features(void);

/* Writes "avx2,fma,f16c" and so on, or "scalar" for none. */
void den_cpu_features_text(uint32_t features, char out[DEN_CPU_FEATURES_BYTES]);

/* The features that `list` names, among those that are `present`: comma-separated names, "scalar"
 * for none, NULL for all that are present. DEN_INVALID for a name that is no feature (the message
 * lists those that are), DEN_UNSUPPORTED for one that is not present. */
enum den_status den_cpu_features_parse(const char *list, uint32_t present, uint32_t *out_features,
                                       struct den_error *err);

#endif
