/* Every set of this processor proves itself; a set that is wrong in one place is left out, and the
 * sets behind it are still taken. */
#include "test.h"

#include <math.h>
#include <time.h>

#include "kernels/self_check.h"
#include "kernels_fixture.h"

static void all_sets_prove_themselves(void **state)
{
    struct den_kernels ref;
    size_t set;

    den_kernels_select(0, &ref);
    for (set = 0; set < set_count(); set++) {
        struct den_kernels table;
        const char *name;

        if (select_set(set, &table, &name) && !den_kernels_agree(&ref, &table))
            fail_msg("%s is not proven", name);
    }
}

static void selects_what_is_proven(void **state)
{
    struct den_kernels plain, proven;
    struct timespec begin, end;

    den_kernels_select(present_features(), &plain);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    den_kernels_select_proven(present_features(), &proven);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    assert_memory_equal(&plain, &proven, sizeof plain);
    print_message("proven in %.2f ms\n", (double)(end.tv_sec - begin.tv_sec) * 1e3 +
                                             (double)(end.tv_nsec - begin.tv_nsec) / 1e6);
}

/* --- kernels that are wrong in one place --- */

static struct den_kernels sound; /* what the wrong ones call */
static size_t wrong_row, wrong_column;
static float wrong_by;

static void wrong_product(const struct den_matmul *op, size_t panel_begin, size_t panel_end)
{
    float *place = op->output + wrong_row * op->output_stride + wrong_column;

    sound.matmul[op->weights->format](op, panel_begin, panel_end);
    if (wrong_row >= op->row_begin && wrong_row < op->row_end)
        *place += *place * wrong_by;
}

static void wrong_quantization(const float *input, size_t width, const struct den_activations *out,
                               size_t row)
{
    sound.quantize.row(input, width, out, row);
    if (row == wrong_row)
        out->biases[0] += 8;
}

static void finds_a_wrong_product(void **state)
{
    static const struct {
        size_t row, column;
        float by;
    } wrongs[] = { { 0, 0, 0.5f }, { 8, 15, -0.5f }, { 15, 16, 1 }, { 16, 17, NAN }, { 8, 3, 2 } };
    size_t f, i;

    den_kernels_select(present_features(), &sound);
    for (f = 0; f < DEN_PACK_FORMATS; f++)
        for (i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
            struct den_kernels candidate = sound;

            candidate.matmul[f] = wrong_product;
            wrong_row = wrongs[i].row;
            wrong_column = wrongs[i].column;
            wrong_by = 0;
            assert_true(den_kernels_agree(&sound, &candidate));
            wrong_by = wrongs[i].by;
            if (den_kernels_agree(&sound, &candidate))
                fail_msg("%s: wrong at (%zu, %zu), believed",
                         den_pack_format_text((enum den_pack_format)f), wrong_row, wrong_column);
        }
}

static void finds_a_wrong_quantization(void **state)
{
    struct den_kernels candidate;

    den_kernels_select(present_features(), &sound);
    candidate = sound;
    candidate.quantize.row = wrong_quantization;
    wrong_row = 99;
    assert_true(den_kernels_agree(&sound, &candidate));
    wrong_row = 5;
    assert_false(den_kernels_agree(&sound, &candidate));
}

static void fill_sound(struct den_kernels *table)
{
    uint32_t features = table->features;

    *table = sound;
    table->features = features;
}

static void fill_wrong(struct den_kernels *table)
{
    table->matmul[DEN_PACK_Q8_K] = wrong_product;
}

static void leaves_a_wrong_set_out(void **state)
{
    static const struct den_kernel_set sets[] = { { "first", 0, fill_sound },
                                                  { "wrong", 1, fill_wrong },
                                                  { "last", 2, fill_sound } };
    struct den_kernels table;

    den_kernels_select(present_features(), &sound);
    wrong_row = 16;
    wrong_column = 2;
    wrong_by = 1;
    den_kernels_prove_sets(sets, 3, 3, &table);
    assert_int_equal(table.left_out, 1u << 1);
    assert_int_equal(table.features, 2);
    assert_true(table.matmul[DEN_PACK_Q8_K] == sound.matmul[DEN_PACK_Q8_K]);
    den_kernels_prove_sets(sets, 3, 2, &table); /* not allowed: not judged */
    assert_int_equal(table.left_out, 0);
}

int kernels_test_self_check(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_sets_prove_themselves), cmocka_unit_test(selects_what_is_proven),
        cmocka_unit_test(finds_a_wrong_product),     cmocka_unit_test(finds_a_wrong_quantization),
        cmocka_unit_test(leaves_a_wrong_set_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
