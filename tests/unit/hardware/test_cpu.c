/* Processor features against what the kernel reports in /proc/cpuinfo, which asks independently;
 * lists of features; counts that must hold on any machine. */
#include "test.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hardware/cpu.h"

/* The "flags" line of the first processor, with a space behind every flag. */
static bool read_flags(char *out, size_t capacity)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    bool found = false;

    if (!file)
        return false;
    while (!found && fgets(out, (int)capacity - 1, file))
        found = strncmp(out, "flags", 5) == 0;
    fclose(file);
    if (found)
        out[strcspn(out, "\n")] = ' ';
    return found;
}

static void agrees_with_the_kernel(void **state)
{
#if defined(__x86_64__)
    static const struct {
        enum den_cpu_feature feature;
        const char *flag;
    } cases[] = { { DEN_CPU_SSE4, " sse4_2 " },      { DEN_CPU_AVX, " avx " },
                  { DEN_CPU_F16C, " f16c " },        { DEN_CPU_FMA, " fma " },
                  { DEN_CPU_AVX2, " avx2 " },        { DEN_CPU_AVX512, " avx512bw " },
                  { DEN_CPU_BF16, " avx512_bf16 " }, { DEN_CPU_VNNI, " avx512_vnni " },
                  { DEN_CPU_AVXVNNI, " avx_vnni " }, { DEN_CPU_AMX, " amx_int8 " },
                  { DEN_CPU_FP16, " avx512_fp16 " } };
    static char flags[16384];
    uint32_t features = den_cpu_features();
    size_t i;

    if (!read_flags(flags, sizeof flags))
        skip();
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (((features & cases[i].feature) != 0) != (strstr(flags, cases[i].flag) != NULL))
            fail_msg("%s: ours %d", cases[i].flag, (features & cases[i].feature) != 0);
#else
    skip();
#endif
}

static void writes_features(void **state)
{
    char text[DEN_CPU_FEATURES_BYTES];

    den_cpu_features_text(0, text);
    assert_string_equal(text, "scalar");
    den_cpu_features_text(DEN_CPU_AVX2 | DEN_CPU_F16C | DEN_CPU_SSE4, text);
    assert_string_equal(text, "sse4,f16c,avx2");
    den_cpu_features_text(UINT32_MAX, text); /* the longest fits */
    assert_non_null(strstr(text, "dotprod"));
}

static void parses_lists(void **state)
{
    const uint32_t avx2 = DEN_CPU_AVX2 | DEN_CPU_FMA | DEN_CPU_F16C | DEN_CPU_AVX | DEN_CPU_SSE4;
    struct den_error err = { 0 };
    uint32_t features;

    assert_int_equal(den_cpu_features_parse(NULL, 77, &features, &err), DEN_OK);
    assert_int_equal(features, 77);
    assert_int_equal(den_cpu_features_parse("scalar", avx2, &features, &err), DEN_OK);
    assert_int_equal(features, 0);
    assert_int_equal(den_cpu_features_parse("avx2,fma", avx2, &features, &err), DEN_OK);
    assert_int_equal(features, avx2);
    assert_int_equal(den_cpu_features_parse("vnni", UINT32_MAX, &features, &err), DEN_OK);
    assert_int_equal(features, avx2 | DEN_CPU_AVX512 | DEN_CPU_VNNI);
    assert_int_equal(den_cpu_features_parse("sse4,scalar", avx2, &features, &err), DEN_OK);
    assert_int_equal(features, DEN_CPU_SSE4);
}

static void refuses_lists(void **state)
{
    static const char *const bad[] = { "", "avx2,", ",", "avx3", "avx2 ,fma", "scalar2", "AVX2" };
    uint32_t features = 5;
    size_t i;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct den_error err = { 0 };

        assert_int_equal(den_cpu_features_parse(bad[i], UINT32_MAX, &features, &err), DEN_INVALID);
        assert_non_null(strstr(err.message, "scalar,sse4,avx,"));
    }
    for (i = 0; i < 2; i++) {
        struct den_error err = { 0 };

        assert_int_equal(den_cpu_features_parse(i ? "avx2" : "amx", DEN_CPU_SSE4, &features, &err),
                         DEN_UNSUPPORTED);
        assert_non_null(strstr(err.message, i ? "avx2" : "amx"));
        assert_non_null(strstr(err.message, "it has sse4"));
    }
    assert_int_equal(features, 5);
}

static void reads_the_machine(void **state)
{
    struct den_memory memory;
    struct den_cpu cpu;
    cpu_set_t old;
    cpu_set_t one;
    int i;

    den_cpu_read(&cpu);
    assert_in_range(cpu.cores, 1, cpu.cores_online);
    assert_true(strlen(cpu.model) > 0 && cpu.model[0] != ' ');
    assert_int_equal(cpu.features, den_cpu_features());
    den_memory_read(&memory);
    assert_true(memory.available_bytes > 0 && memory.available_bytes <= memory.total_bytes);
    assert_true(memory.total_bytes <=
                (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE));

    /* a process bound to one core has one core */
    assert_int_equal(sched_getaffinity(0, sizeof old, &old), 0);
    CPU_ZERO(&one);
    for (i = 0; !CPU_ISSET(i, &old); i++)
        ;
    CPU_SET(i, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    den_cpu_read(&cpu);
    assert_int_equal(sched_setaffinity(0, sizeof old, &old), 0);
    assert_int_equal(cpu.cores, 1);
}

int hardware_test_cpu(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_kernel), cmocka_unit_test(writes_features),
        cmocka_unit_test(parses_lists),           cmocka_unit_test(refuses_lists),
        cmocka_unit_test(reads_the_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
