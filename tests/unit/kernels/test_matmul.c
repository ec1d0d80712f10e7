/* Matrix products: ref against f64 arithmetic on the unpacked weights, every set against ref, on
 * every type, many shapes and the extremes of the integers. */
#include "test.h"

#include <math.h>

#include "kernels_fixture.h"

/* One product and what it needs; output rows are wider than `out`, and the rest must stay. */
struct product {
    struct den_matmul op;
    struct den_packed packed;
    struct den_activations x;
    struct den_wide_activations wide;
    float *input;    /* (rows, in) */
    float *bounds;   /* (rows, out): sum of |w| |x| */
    double *exact;   /* (rows, out) */
    float *output;   /* (rows, out + 3) */
    float *expected; /* of ref */
    size_t rows;
};

static const float UNTOUCHED = -12345.5f;

/* Whether products are made with fine activations: tests run with and without. */
static bool fine_activations;

static int use_fine(void **state)
{
    (void)state;
    fine_activations = true;
    return 0;
}

static int use_coarse(void **state)
{
    (void)state;
    fine_activations = false;
    return 0;
}

static size_t stride_of(const struct product *p)
{
    return p->packed.out + 3;
}

/* The value that the kernels see of input (r, k). */
static double seen(const struct product *p, size_t r, size_t k)
{
    size_t at = k / DEN_GROUP * p->rows + r;

    if (p->packed.format == DEN_PACK_S16)
        return (double)p->wide.scales[r] *
               p->wide.values[(r / 12 * (p->wide.in_padded / 32) + k / 32) * 12 * 32 + r % 12 * 32 +
                              k % 32];
    if (!den_pack_is_quantized(p->packed.format))
        return p->input[r * p->packed.in + k];
    if (p->x.fine)
        return (double)p->x.scales[at] * (256 * p->x.values[at * DEN_GROUP + k % DEN_GROUP] +
                                          p->x.fine[at * DEN_GROUP + k % DEN_GROUP]);
    return (double)p->x.scales[at] * p->x.values[at * DEN_GROUP + k % DEN_GROUP];
}

static void compute_exact(struct product *p)
{
    size_t in = p->packed.in, out = p->packed.out, r, o, k;
    float *weights = malloc(in * sizeof *weights);
    double *inputs = malloc(p->rows * in * sizeof *inputs); /* (rows, in) */

    for (r = 0; r < p->rows; r++)
        for (k = 0; k < in; k++)
            inputs[r * in + k] = seen(p, r, k);
    for (o = 0; o < out; o++) {
        den_packed_row_to_f32(&p->packed, o, weights);
        for (r = 0; r < p->rows; r++) {
            double sum = 0, bound = 0;

            for (k = 0; k < in; k++) {
                double term = (double)weights[k] * inputs[r * in + k];

                sum += term;
                bound += fabs(term);
            }
            p->exact[r * out + o] = sum;
            p->bounds[r * out + o] = (float)bound;
        }
    }
    free(weights);
    free(inputs);
}

static void make_product(struct product *p, const struct weight_type *type, enum packing packing,
                         size_t rows, size_t in, size_t out)
{
    unsigned char *weights = random_weights(type, in * out);
    struct den_kernels ref;
    size_t r;

    *p = (struct product){ .packed = pack_weights(type->type, weights, packing, in, out),
                           .x = make_activations(rows, in),
                           .wide = make_wide_activations(rows, in),
                           .input = malloc(rows * in * sizeof(float)),
                           .bounds = malloc(rows * out * sizeof(float)),
                           .exact = malloc(rows * out * sizeof(double)),
                           .output = malloc(rows * (out + 3) * sizeof(float)),
                           .expected = malloc(rows * (out + 3) * sizeof(float)),
                           .rows = rows };
    free(weights);
    if (fine_activations)
        den_activations_place_fine(&p->x, p->x.values, rows, p->x.in_padded);
    fill_random(p->input, rows * in);
    for (r = 0; r < rows * in; r++) /* the louder groups of a row have fine codes */
        p->input[r] *= fine_activations && (r % in / DEN_GROUP + r / in) % 4 == 0 ? 16 : 1;
    den_kernels_select(0, &ref);
    for (r = 0; r < rows; r++)
        ref.quantize.row(p->input + r * in, in, &p->x, r);
    for (r = 0; r < rows; r++)
        ref.quantize.wide_row(p->input + r * in, in, &p->wide, r);
    p->op = (struct den_matmul){ .weights = &p->packed,
                                 .quantized = &p->x,
                                 .wide = &p->wide,
                                 .input = p->input,
                                 .input_stride = in,
                                 .row_end = rows,
                                 .output = p->output,
                                 .output_stride = out + 3 };
}

static void free_product(struct product *p)
{
    free(p->packed.data);
    free(p->x.values);
    free(p->wide.values);
    free(p->input);
    free(p->bounds);
    free(p->exact);
    free(p->output);
    free(p->expected);
}

static void run(struct product *p, const struct den_kernels *table)
{
    size_t i;

    for (i = 0; i < p->rows * stride_of(p); i++)
        p->output[i] = UNTOUCHED;
    p->op.weights = &p->packed;
    p->op.quantized = &p->x;
    p->op.wide = &p->wide;
    table->matmul[p->packed.format](&p->op, 0, p->packed.panels);
}

/* Output against exact values: a chain of in f32 additions is off by a few units of the last place
 * of the sum of magnitudes. */
static void check_exact(const struct product *p, const char *set)
{
    size_t out = p->packed.out, r, c;

    for (r = 0; r < p->rows; r++)
        for (c = 0; c < stride_of(p); c++) {
            float found = p->output[r * stride_of(p) + c];

            if (c >= out) {
                assert_true(found == UNTOUCHED);
                continue;
            }
            if (!(fabs(found - p->exact[r * out + c]) <= 2e-6 * p->bounds[r * out + c] + 1e-30))
                fail_msg("%s, %s, %zu rows, %zu x %zu: (%zu, %zu) is %g, should be %g", set,
                         den_pack_format_text(p->packed.format), p->rows, p->packed.in, out, r, c,
                         (double)found, p->exact[r * out + c]);
        }
}

/* Which kernels of which set were run: [set][format]. */
static bool exercised[16][DEN_PACK_FORMATS];

static void check_all_sets(struct product *p)
{
    size_t set;

    compute_exact(p);
    for (set = 0; set < set_count(); set++) {
        struct den_kernels table;
        const char *name;

        if (!select_set(set, &table, &name))
            continue;
        run(p, &table);
        check_exact(p, name);
        exercised[set][p->packed.format] = true;
    }
}

/* The last of the types, MXFP4, stands for what is packed wide. */
static enum packing packing_of(size_t type)
{
    return type == WEIGHT_TYPES - 1 ? PACK_WIDE : PACK_INT8;
}

static void every_type_and_shape(void **state)
{
    static const size_t outs[] = { 1, 8, 16, 23, 33, 65 };
    size_t t, rows, i = 0;
    enum packing packing;

    for (t = 0; t < WEIGHT_TYPES; t++)
        for (packing = 0; packing < PACKINGS; packing++)
            for (rows = 1; rows <= 17; rows++, i++) {
                size_t elements = den_type_info(weight_types[t].type)->elements;
                size_t in = elements == 1    ? 1 + random_u32() % 70
                            : elements == 32 ? 32 * (1 + random_u32() % 7)
                                             : 256 * (1 + random_u32() % 2);
                struct product p;

                if (packing == PACK_WIDE) /* takes inputs in pairs */
                    in += in % 2;
                make_product(&p, &weight_types[t], packing, rows, in, outs[i % 6]);
                check_all_sets(&p);
                free_product(&p);
            }
}

static void widths_of_real_models(void **state)
{
    static const size_t widths[] = { 576, 1536, 2048 };
    size_t t, w;

    for (t = 0; t < WEIGHT_TYPES; t++)
        for (w = 0; w < 3; w++) {
            struct product p;

            if (widths[w] % den_type_info(weight_types[t].type)->elements != 0)
                continue;
            make_product(&p, &weight_types[t], packing_of(t), 29, widths[w], 40);
            check_all_sets(&p);
            free_product(&p);
        }
}

/* Largest codes against largest activations of either sign: where 16-bit sums would saturate. */
static void extremes_of_the_integers(void **state)
{
    static const unsigned char fills[] = { 0x00, 0xFF, 0x80, 0x7F };
    static const enum den_type types[] = { DEN_TYPE_Q4_0, DEN_TYPE_Q4_1, DEN_TYPE_Q4_K,
                                           DEN_TYPE_Q8_0, DEN_TYPE_Q6_K };
    size_t t, f, k;
    int sign;

    for (t = 0; t < 5; t++)
        for (f = 0; f < 4; f++)
            for (sign = 0; sign < 4; sign++) {
                const struct weight_type *type = weight_types;
                struct product p;
                size_t g;

                while (type->type != types[t])
                    type++;
                make_product(&p, type, PACK_INT8, 5, 256, 17);
                for (g = 0; g < p.packed.panels * p.packed.panel_bytes / 64; g++)
                    if (p.packed.format == DEN_PACK_Q8       ? g * 64 % 544 <= 448
                        : p.packed.format == DEN_PACK_Q4_MIN ? g % 5 < 4
                                                             : false)
                        memset(p.packed.data + g * 64, fills[f], 64);
                for (k = 0; k < 5 * 256; k++)
                    p.input[k] = sign == 0   ? 1
                                 : sign == 1 ? -1
                                 : sign == 2 ? (k & 1 ? 1 : -1)
                                             : (k & 2 ? 1 : -1);
                for (k = 0; fine_activations && k < 5 * 256; k++) /* codes 126 and 127 */
                    p.input[k] *= k % 32 ? 126.499f / 127 : 1;
                struct den_kernels ref;
                den_kernels_select(0, &ref);
                for (k = 0; k < 5; k++) /* a piece has fine codes in every group */
                    ref.quantize.piece(p.input + k * 256, 256, &p.x, k, 0);
                check_all_sets(&p);
                free_product(&p);
            }
}

/* The largest codes in every place: the sum of a run stays below 2^31. */
static void extremes_of_wide_integers(void **state)
{
    float weights[2][384];
    struct product p;
    size_t i;
    int sign;

    for (sign = 0; sign < 4; sign++) {
        make_product(&p, weight_types, PACK_WIDE, 3, 384, 2);
        for (i = 0; i < 12 * 384; i++)
            p.wide.values[i] = sign & 1 ? -DEN_WIDE_MAX : DEN_WIDE_MAX;
        for (i = 0; i < 2 * 384; i++)
            weights[i / 384][i % 384] = sign & 2 ? -1.5f : 1.5f;
        free(p.packed.data);
        p.packed = pack_weights(DEN_TYPE_F32, weights, PACK_WIDE, 384, 2);
        check_all_sets(&p);
        free_product(&p);
    }
}

/* Scales of zero give zeros, not NaN. */
static void zero_weights_and_activations(void **state)
{
    size_t t, i, set;

    for (t = 0; t < WEIGHT_TYPES; t++) {
        struct product p;

        make_product(&p, &weight_types[t], packing_of(t), 6, 256, 16);
        memset(p.x.values, 0, 6 * 256);
        memset(p.x.scales, 0, 6 * 8 * sizeof(float));
        memset(p.x.scaled_sums, 0, 6 * 8 * sizeof(float));
        memset(p.x.biases, 0, 6 * 16 * sizeof(int32_t));
        memset(p.input, 0, 6 * 256 * sizeof(float));
        memset(p.wide.values, 0, 12 * 256 * sizeof(int16_t));
        memset(p.wide.scales, 0, 6 * sizeof(float));
        for (set = 0; set < set_count(); set++) {
            struct den_kernels table;
            const char *name;

            if (!select_set(set, &table, &name))
                continue;
            run(&p, &table);
            for (i = 0; i < 6 * 16; i++)
                assert_true(p.output[i / 16 * 19 + i % 16] == 0);
        }
        free_product(&p);
    }
}

/* Bias, scales, scattered rows and accumulation, against the plain product of the same set. */
static void options(void **state)
{
    static const int32_t to[7] = { 6, 0, 5, 1, 4, 2, 3 };
    float bias[37], scales[7];
    size_t t, set, r, o;

    fill_random(bias, 37);
    fill_random(scales, 7);
    for (t = 0; t < WEIGHT_TYPES; t++)
        for (set = 0; set < set_count(); set++) {
            struct den_kernels table;
            struct product p;
            const char *name;

            if (!select_set(set, &table, &name))
                continue;
            make_product(&p, &weight_types[t], packing_of(t), 7, 256, 37);
            run(&p, &table);
            memcpy(p.expected, p.output, 7 * 40 * sizeof(float));
            p.op.bias = bias;
            p.op.scales = scales;
            p.op.output_rows = to;
            p.op.accumulate = true;
            p.op.row_begin = 1;
            run(&p, &table);
            for (r = 0; r < 7; r++)
                for (o = 0; o < 40; o++) {
                    float plain = p.expected[r * 40 + o];
                    float found = p.output[(size_t)to[r] * 40 + o];

                    if (r == 0 || o >= 37)
                        assert_true(found == UNTOUCHED);
                    else
                        assert_true(fabsf(found - (UNTOUCHED + scales[r] * (plain + bias[o]))) <
                                    0.01f);
                }
            free_product(&p);
        }
}

/* A row's bits depend neither on its neighbours nor on how panels are shared out. */
static void rows_and_panels_stand_alone(void **state)
{
    size_t t, set, r, panel;

    for (t = 0; t < WEIGHT_TYPES; t++)
        for (set = 0; set < set_count(); set++) {
            struct den_kernels table;
            struct product p;
            const char *name;

            if (!select_set(set, &table, &name))
                continue;
            make_product(&p, &weight_types[t], packing_of(t), 27, 256, 70);
            run(&p, &table);
            memcpy(p.expected, p.output, 27 * 73 * sizeof(float));
            memset(p.output, 0, 27 * 73 * sizeof(float));
            for (r = 0; r < 27; r += 1 + r % 3)
                for (panel = 0; panel < 5; panel++) {
                    p.op.row_begin = r;
                    p.op.row_end = r + 1 + r % 3 < 27 ? r + 1 + r % 3 : 27;
                    table.matmul[p.packed.format](&p.op, panel, panel + 1);
                }
            for (r = 0; r < 27; r++)
                if (memcmp(p.output + r * 73, p.expected + r * 73, 70 * sizeof(float)) != 0)
                    fail_msg("%s, %s: row %zu alone differs", name,
                             den_pack_format_text(p.packed.format), r);
            free_product(&p);
        }
}

/* Which of the x86 sets computes a quantized product does not show, not in one bit: each adds the
 * same integers, scaled by the same instructions, in the same order. So a choice by measurement
 * can't change an answer. ref multiplies and adds where they fuse. */
static void sets_agree_bit_for_bit(void **state)
{
    static const size_t rows[] = { 1, 7, 31, 273 }, widths[] = { 256, 1280, 2304, 256 };
    size_t t, i, set, compared = 0;

    for (t = 0; t < WEIGHT_TYPES; t++)
        for (i = 0; i < 4; i++) {
            bool first = true;
            struct product p;

            make_product(&p, &weight_types[t], packing_of(t), rows[i], widths[i], 21);
            for (set = 1; set < set_count(); set++) {
                struct den_kernels table;
                const char *name;

                if (!select_set(set, &table, &name))
                    continue;
                run(&p, &table);
                if (first)
                    memcpy(p.expected, p.output, rows[i] * 24 * sizeof(float));
                else if (memcmp(p.output, p.expected, rows[i] * 24 * sizeof(float)) != 0)
                    fail_msg("%s, %s, %zu rows: not the bits of the other sets", name,
                             den_pack_format_text(p.packed.format), rows[i]);
                compared += !first;
                first = false;
            }
            free_product(&p);
        }
    print_message("%zu products compared\n", compared);
}

/* Leaving out what has no fine codes changes nothing: with all flags set, the bits are the same. */
static void leaving_out_zeros_does_not_show(void **state)
{
    size_t t, set, i;

    for (t = 0; t < WEIGHT_TYPES; t++)
        for (set = 0; set < set_count(); set++) {
            struct den_kernels table;
            struct product p;
            const char *name;

            if (!select_set(set, &table, &name))
                continue;
            make_product(&p, &weight_types[t], PACK_INT8, 21, 512, 21);
            run(&p, &table);
            memcpy(p.expected, p.output, 21 * 24 * sizeof(float));
            for (i = 0; i < 21 * 16; i++)
                assert_int_equal(p.x.has_fine[i], (i % 21 + i / 21) % 4 == 0);
            memset(p.x.has_fine, 1, 21 * 16);
            run(&p, &table);
            assert_memory_equal(p.output, p.expected, 21 * 24 * sizeof(float));
            free_product(&p);
        }
}

/* Runs last: no kernel of a table that this processor can run went untested. */
static void every_kernel_was_exercised(void **state)
{
    size_t set, f;

    for (set = 0; set < set_count(); set++) {
        struct den_kernels table;
        const char *name;

        if (!select_set(set, &table, &name)) {
            print_message("%s: not on this processor\n", name);
            continue;
        }
        for (f = 0; f < DEN_PACK_FORMATS; f++)
            if (!table.matmul[f] || !exercised[set][f])
                fail_msg("%s: %s was not run", name, den_pack_format_text(f));
    }
}

#define WITH_FINE(test) cmocka_unit_test_setup_teardown(test, use_fine, use_coarse)

int kernels_test_matmul(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_and_shape),
        WITH_FINE(every_type_and_shape),
        cmocka_unit_test(widths_of_real_models),
        WITH_FINE(widths_of_real_models),
        cmocka_unit_test(extremes_of_the_integers),
        WITH_FINE(extremes_of_the_integers),
        cmocka_unit_test(extremes_of_wide_integers),
        cmocka_unit_test(zero_weights_and_activations),
        WITH_FINE(zero_weights_and_activations),
        cmocka_unit_test(options),
        cmocka_unit_test(rows_and_panels_stand_alone),
        WITH_FINE(rows_and_panels_stand_alone),
        cmocka_unit_test(sets_agree_bit_for_bit),
        WITH_FINE(sets_agree_bit_for_bit),
        WITH_FINE(leaving_out_zeros_does_not_show),
        cmocka_unit_test(every_kernel_was_exercised),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
