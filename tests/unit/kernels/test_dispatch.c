/* The table: complete for any features, older where features are masked, never beyond them. */
#include "test.h"

#include "kernels_fixture.h"

static void check_complete(const struct den_kernels *table)
{
    size_t f;

    for (f = 0; f < DEN_PACK_FORMATS; f++)
        assert_non_null(table->matmul[f]);
    assert_non_null(table->quantize.row);
    assert_non_null(table->quantize.norm_row);
    assert_non_null(table->quantize.piece);
    assert_non_null(table->vector.rms_norm);
    assert_non_null(table->attention.softmax);
}

/* Only of what this processor has: a set's file is compiled with the set's flags, the function that
 * fills the table like any other. */
static void complete_for_any_features(void **state)
{
    struct den_kernels table;
    uint32_t features;

    for (features = 0; features < 1u << 13; features++) {
        if (features & ~present_features())
            continue;
        den_kernels_select(features, &table);
        assert_int_equal(table.features & ~features, 0);
        check_complete(&table);
    }
}

/* No set but the first does without another: its table, laid over those that its features bring
 * along, is none of theirs. */
static void sets_are_ordered_and_differ(void **state)
{
    struct den_kernels older, newer;
    size_t count, i, j;
    const struct den_kernel_set *sets = den_kernel_sets(&count);

    assert_string_equal(sets[0].name, "ref");
    assert_int_equal(sets[0].features, 0);
    for (i = 1; i < count; i++)
        for (j = 0; j < i; j++) {
            assert_int_not_equal(sets[i].features & ~sets[j].features, 0);
            if ((sets[i].features | sets[j].features) & ~present_features())
                continue;
            den_kernels_select(sets[j].features, &older);
            den_kernels_select(sets[i].features, &newer);
            assert_true(older.matmul[DEN_PACK_Q4] != newer.matmul[DEN_PACK_Q4]);
            assert_int_equal(newer.features, sets[i].features);
        }
}

static void masking_goes_back(void **state)
{
    struct den_kernels scalar, half;

    den_kernels_select(0, &scalar);
    den_kernels_select(DEN_CPU_AVX2 | DEN_CPU_F16C, &half); /* no FMA: nothing of AVX2 is called */
    assert_memory_equal(&scalar, &half, sizeof half);
}

int kernels_test_dispatch(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete_for_any_features),
        cmocka_unit_test(sets_are_ordered_and_differ),
        cmocka_unit_test(masking_goes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
