/* See cpu.h. What the instruction set itself can tell (CPUID) is asked there, because it needs no
 * file: the sandboxed worker, which sees no file system, gets the same answers. */
#include "hardware/cpu.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "hardware/cgroup.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#endif

struct feature {
    const char *text;
    uint32_t bit;
    uint32_t brings;
};

static const struct feature features_known[] = {
#define FEATURE_ROW(name, bit, text, brings) { text, 1u << bit, brings },
    DEN_CPU_TABLE(FEATURE_ROW)
#undef FEATURE_ROW
};
enum { FEATURES = sizeof features_known / sizeof features_known[0] };

/* --- features --- */

#if defined(__x86_64__)

/* Which register files the operating system saves: bits of XCR0. */
static uint64_t saved_state(void)
{
    uint32_t low;
    uint32_t high;

    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

struct leaf {
    unsigned a, b, c, d;
};

static struct leaf cpuid(unsigned number, unsigned sub)
{
    struct leaf leaf = { 0 };

    __get_cpuid_count(number, sub, &leaf.a, &leaf.b, &leaf.c, &leaf.d); /* zeros if unknown */
    return leaf;
}

static bool has(unsigned reg, unsigned bit)
{
    return reg >> bit & 1;
}

/* The tiles of AMX are 8 KiB of registers for every thread. Linux saves them only for a process
 * that has asked, once for all its threads, those to come as well; until then a tile instruction
 * ends the process. Asking again changes nothing. Inside a sandbox the filter must let this call
 * through (guard/sandbox_seccomp.c does). Linux, Documentation/arch/x86/xstate.rst. */
static bool may_use_tiles(void)
{
    const long request_permission = 0x1023, tile_data = 18;

    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

/* Bit numbers: Intel's manual, volume 2A, CPUID, leaves 1 and 7. */
uint32_t den_cpu_features(void)
{
    const uint64_t avx_state = 0x6, avx512_state = 0xe6, amx_state = 0x60000;
    struct leaf one = cpuid(1, 0), seven = cpuid(7, 0), seven_one = { 0 };
    uint64_t state = has(one.c, 27) ? saved_state() : 0;
    uint32_t found = 0;

    if (seven.a >= 1)
        seven_one = cpuid(7, 1);
    found |= has(one.c, 19) && has(one.c, 20) ? DEN_CPU_SSE4 : 0u;
    if ((state & avx_state) != avx_state || !has(one.c, 28))
        return found;
    found |= DEN_CPU_AVX;
    found |= has(one.c, 29) ? DEN_CPU_F16C : 0u;
    found |= has(one.c, 12) ? DEN_CPU_FMA : 0u;
    found |= has(seven.b, 5) ? DEN_CPU_AVX2 : 0u;
    found |= has(seven_one.a, 4) ? DEN_CPU_AVXVNNI : 0u;
    if ((state & avx512_state) != avx512_state || !has(seven.b, 16) || !has(seven.b, 17) ||
        !has(seven.b, 30) || !has(seven.b, 31))
        return found;
    found |= DEN_CPU_AVX512;
    found |= has(seven.c, 11) ? DEN_CPU_VNNI : 0u;
    found |= has(seven_one.a, 5) ? DEN_CPU_BF16 : 0u;
    found |= has(seven.d, 23) ? DEN_CPU_FP16 : 0u;
    if ((state & amx_state) == amx_state && has(seven.d, 22) && has(seven.d, 24) &&
        has(seven.d, 25) && may_use_tiles())
        found |= DEN_CPU_AMX;
    return found;
}

static void read_model(char out[DEN_CPU_MODEL_BYTES])
{
    unsigned i;

    _Static_assert(DEN_CPU_MODEL_BYTES > 3 * sizeof(struct leaf), "a brand string fits");
    memset(out, 0, DEN_CPU_MODEL_BYTES);
    if (cpuid(0x80000000, 0).a >= 0x80000004)
        for (i = 0; i < 3; i++) {
            struct leaf leaf = cpuid(0x80000002 + i, 0);

            memcpy(out + i * sizeof leaf, &leaf, sizeof leaf);
        }
}

#else

uint32_t den_cpu_features(void)
{
#if defined(__aarch64__)
    return DEN_CPU_NEON; /* part of the architecture */
#else
    return 0;
#endif
}

static void read_model(char out[DEN_CPU_MODEL_BYTES])
{
    out[0] = '\0';
}

#endif

void den_cpu_features_text(uint32_t features, char out[DEN_CPU_FEATURES_BYTES])
{
    size_t used = 0;
    size_t i;

    snprintf(out, DEN_CPU_FEATURES_BYTES, "scalar");
    for (i = 0; i < FEATURES; i++)
        if (features & features_known[i].bit)
            used += (size_t)snprintf(out + used, DEN_CPU_FEATURES_BYTES - used, "%s%s",
                                     used ? "," : "", features_known[i].text);
}

static const struct feature *find_feature(const char *name, size_t length)
{
    size_t i;

    for (i = 0; i < FEATURES; i++)
        if (strlen(features_known[i].text) == length &&
            memcmp(features_known[i].text, name, length) == 0)
            return &features_known[i];
    return NULL;
}

enum den_status den_cpu_features_parse(const char *list, uint32_t present, uint32_t *out_features,
                                       struct den_error *err)
{
    char text[DEN_CPU_FEATURES_BYTES];
    uint32_t wanted = 0;
    const char *name;
    size_t length;

    if (!list) {
        *out_features = present;
        return DEN_OK;
    }
    for (name = list;; name += length + 1) {
        const struct feature *feature;

        length = strcspn(name, ",");
        feature = find_feature(name, length);
        if (feature)
            wanted |= feature->bit | feature->brings;
        else if (length != strlen("scalar") || memcmp(name, "scalar", length) != 0) {
            den_cpu_features_text(UINT32_MAX, text);
            return den_fail(err, DEN_INVALID, "cpu features: '%.*s' is none; known are scalar,%s",
                            length > 32 ? 32 : (int)length, name, text);
        }
        if (name[length] == '\0')
            break;
    }
    if (wanted & ~present) {
        char had[DEN_CPU_FEATURES_BYTES];

        den_cpu_features_text(wanted & ~present, text);
        den_cpu_features_text(present, had);
        return den_fail(err, DEN_UNSUPPORTED, "cpu features: this processor lacks %s; it has %s",
                        text, had);
    }
    *out_features = wanted;
    return DEN_OK;
}

/* --- the rest of the machine --- */

static int count_cores(void)
{
    struct den_cgroup group;
    cpu_set_t set;
    int cores = 1;

    if (sched_getaffinity(0, sizeof set, &set) == 0)
        cores = CPU_COUNT(&set);
    else if (sysconf(_SC_NPROCESSORS_ONLN) > 0)
        cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
    den_cgroup_read("", &group);
    /* a quota of 1.5 cores is worth two threads: the second works half the time */
    if (group.cores > 0 && group.cores + 0.5 < cores)
        cores = (int)(group.cores + 0.5);
    return cores > 0 ? cores : 1;
}

static size_t cache_bytes(int name)
{
    long bytes = sysconf(name);

    return bytes > 0 ? (size_t)bytes : 0;
}

/* The maker pads with spaces, at the front on older processors. */
static void trim(char *text)
{
    size_t start = strspn(text, " ");
    size_t length = strlen(text + start);

    memmove(text, text + start, length + 1);
    while (length > 0 && text[length - 1] == ' ')
        text[--length] = '\0';
    if (length == 0)
        snprintf(text, DEN_CPU_MODEL_BYTES, "unknown");
}

void den_cpu_read(struct den_cpu *out)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);

    *out = (struct den_cpu){
        .features = den_cpu_features(),
        .cores = count_cores(),
        .cores_online = online > 0 ? (int)online : 1,
        .l1_bytes = cache_bytes(_SC_LEVEL1_DCACHE_SIZE),
        .l2_bytes = cache_bytes(_SC_LEVEL2_CACHE_SIZE),
        .l3_bytes = cache_bytes(_SC_LEVEL3_CACHE_SIZE),
    };
    read_model(out->model);
    trim(out->model);
}

/* MemAvailable counts page cache that would be dropped; sysinfo() does not know it. */
static uint64_t read_available(void)
{
    FILE *file = fopen("/proc/meminfo", "re");
    unsigned long long kib;
    uint64_t bytes = 0;
    char line[128];

    if (!file)
        return 0;
    while (bytes == 0 && fgets(line, sizeof line, file))
        if (sscanf(line, "MemAvailable: %llu", &kib) == 1)
            bytes = (uint64_t)kib * 1024;
    fclose(file);
    return bytes;
}

void den_memory_read(struct den_memory *out)
{
    struct den_cgroup group;
    struct sysinfo info;

    *out = (struct den_memory){ 0 };
    if (sysinfo(&info) == 0) {
        out->total_bytes = (uint64_t)info.totalram * info.mem_unit;
        out->available_bytes = (uint64_t)info.freeram * info.mem_unit;
    }
    if (read_available() > 0)
        out->available_bytes = read_available();
    den_cgroup_read("", &group);
    if (group.memory_bytes == 0 || group.memory_bytes >= out->total_bytes)
        return;
    out->total_bytes = group.memory_bytes;
    if (group.memory_used_bytes >= group.memory_bytes)
        out->available_bytes = 0;
    else if (group.memory_bytes - group.memory_used_bytes < out->available_bytes)
        out->available_bytes = group.memory_bytes - group.memory_used_bytes;
}
