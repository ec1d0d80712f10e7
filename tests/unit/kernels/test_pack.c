/* Packing: every type, to the format of its kernels and to f32, comes back bit for bit as
 * den_type_to_f32() has it; sizes; refusals. */
#include "test.h"

#include "kernels_fixture.h"

/* Widths that are whole blocks of the type; odd ones for plain types. */
static size_t width_of(enum den_type type, int i)
{
    static const size_t plain[] = { 1, 7, 33, 300 };
    size_t elements = den_type_info(type)->elements;

    return elements == 1 ? plain[i] : elements * (size_t)(2 * i + 1);
}

static void check_round_trip(const struct weight_type *type, bool int8, size_t in, size_t out)
{
    unsigned char *rows = random_weights(type, in * out);
    struct den_packed packed = pack_weights(type->type, rows, int8, in, out);
    float *expected = malloc(in * sizeof *expected);
    float *found = malloc(in * sizeof *found);
    size_t row_bytes, r;

    assert_true(den_type_row_bytes(type->type, in, &row_bytes));
    for (r = 0; r < out; r++) {
        den_type_to_f32(type->type, rows + r * row_bytes, expected, in);
        den_packed_row_to_f32(&packed, r, found);
        if (memcmp(expected, found, in * sizeof *found) != 0)
            fail_msg("%s as %s, %zu x %zu: row %zu differs", den_type_info(type->type)->text,
                     den_pack_format_text(packed.format), in, out, r);
    }
    free(packed.data);
    free(rows);
    free(expected);
    free(found);
}

static void keeps_every_bit(void **state)
{
    static const size_t outs[] = { 1, 15, 16, 17, 65 };
    size_t t, o;
    int i;

    for (t = 0; t < WEIGHT_TYPES; t++)
        for (i = 0; i < 4; i++)
            for (o = 0; o < sizeof outs / sizeof outs[0]; o++) {
                check_round_trip(&weight_types[t], true, width_of(weight_types[t].type, i),
                                 outs[o]);
                check_round_trip(&weight_types[t], false, width_of(weight_types[t].type, i),
                                 outs[o]);
            }
}

static void packs_panels_apart_as_together(void **state)
{
    const struct weight_type *type = &weight_types[4]; /* Q4_1 */
    unsigned char *rows = random_weights(type, 96 * 40);
    struct den_packed whole = pack_weights(type->type, rows, true, 96, 40), parts = whole;
    struct den_pack_source source = { type->type, rows, 60 };

    parts.data = aligned(parts.panels * parts.panel_bytes);
    memset(parts.data, 0xA5, parts.panels * parts.panel_bytes);
    den_pack_panels(&parts, &source, 1, 3);
    den_pack_panels(&parts, &source, 0, 1);
    assert_memory_equal(whole.data, parts.data, whole.panels * whole.panel_bytes);
    free(rows);
    free(whole.data);
    free(parts.data);
}

static void plans_sizes(void **state)
{
    struct den_error err = { 0 };
    struct den_packed plan;

    assert_int_equal(den_pack_plan(DEN_PACK_Q4_MIN, 576, 1536, &plan, &err), DEN_OK);
    assert_int_equal(plan.panels, 96);
    assert_int_equal(plan.panel_bytes, 18 * 320); /* 5 bits a weight: as in the file */
    assert_int_equal(den_pack_plan(DEN_PACK_Q4, 32, 1, &plan, &err), DEN_OK);
    assert_int_equal(plan.panel_bytes, 320); /* 288, aligned */
    assert_int_equal(den_pack_plan(DEN_PACK_F32, 7, 17, &plan, &err), DEN_OK);
    assert_int_equal(plan.panels * plan.panel_bytes, 2 * 7 * 64);
}

static void refuses(void **state)
{
    struct den_packed plan = { .in = 99 };
    enum den_pack_format format;
    struct den_error err = { 0 };

    assert_int_equal(den_pack_plan(DEN_PACK_Q4, 33, 16, &plan, &err), DEN_INVALID);
    assert_non_null(strstr(err.message, "multiple of 32"));
    assert_int_equal(den_pack_plan(DEN_PACK_Q4_K, 128, 16, &plan, &err), DEN_INVALID);
    assert_int_equal(den_pack_plan(DEN_PACK_F32, 0, 16, &plan, &err), DEN_INVALID);
    assert_int_equal(den_pack_plan(DEN_PACK_F32, SIZE_MAX / 8, 16, &plan, &err), DEN_TOO_LARGE);
    assert_int_equal(den_pack_plan(DEN_PACK_F32, 1 << 20, SIZE_MAX / 4, &plan, &err),
                     DEN_TOO_LARGE);
    assert_int_equal(plan.in, 99);
    assert_int_equal(den_pack_choose(DEN_TYPE_I64, true, &format, &err), DEN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "I64"));
    assert_int_equal(den_pack_choose((enum den_type)39 - 1, false, &format, &err), DEN_UNSUPPORTED);
}

int kernels_test_pack(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_every_bit),
        cmocka_unit_test(packs_panels_apart_as_together),
        cmocka_unit_test(plans_sizes),
        cmocka_unit_test(refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
