/* Rotation and the cache: each kind of RoPE and head norm against its formula, what lands where in
 * a page, reuse of angles from layer to layer, copies of pages, impossible layouts. */
#include "device_case.h"

enum { HEADS = 4, KV_HEADS = 2, WIDTH = 24, VALUE_WIDTH = 20, PAGE = 32, ROWS = 45, PAGES = 6 };
enum { STRIDE = (HEADS + KV_HEADS) * WIDTH + KV_HEADS * VALUE_WIDTH + 1 };

struct rope_case {
    size_t rotary_width;
    bool interleaved;
    bool norms;
    float magnitude;
    enum den_type type;
    int threads;
};

/* Two sequences: rows 0 to 39 are positions 25 to 64 of the first, the rest 100000 on. */
static int32_t position[ROWS], sequence[ROWS], far_pages[4000];
static const int32_t near_pages[] = { 4, 1, 3 };
static const int32_t *const tables[] = { near_pages, far_pages };
static const struct den_rows where = { ROWS, position, sequence, tables };

static void make_rows(void)
{
    size_t i;

    for (i = 0; i < ROWS; i++) {
        sequence[i] = i >= 40;
        position[i] = (int32_t)(i < 40 ? 25 + i : 100000 + i - 40);
    }
    far_pages[100000 / PAGE] = 5;
}

static void reference_head(const struct rope_case *c, const float *in, const float *norm,
                           const float *frequency, int32_t at, double *out)
{
    size_t half = c->rotary_width / 2, i;
    double squares = 0;

    for (i = 0; i < WIDTH; i++)
        squares += (double)in[i] * in[i];
    for (i = 0; i < WIDTH; i++)
        out[i] = in[i] * (c->norms ? norm[i] / sqrt(squares / WIDTH + 1e-6) : 1);
    for (i = 0; i < half; i++) {
        size_t a = c->interleaved ? 2 * i : i, b = c->interleaved ? 2 * i + 1 : i + half;
        double angle = (float)at * frequency[i], x = out[a], y = out[b];

        out[a] = c->magnitude * (x * cos(angle) - y * sin(angle));
        out[b] = c->magnitude * (x * sin(angle) + y * cos(angle));
    }
}

/* Element `index` of keys or values; `scale` counts where they are int8. */
static double cached(const struct den_kv_pool *pool, const unsigned char *at, size_t index,
                     float scale)
{
    if (den_kv_pool_layout(pool)->type == DEN_TYPE_Q8_0)
        return ((const int8_t *)(const void *)at)[index] * (double)scale;
    if (den_kv_pool_layout(pool)->type == DEN_TYPE_F32)
        return ((const float *)(const void *)at)[index];
    return den_f16_to_f32(((const uint16_t *)(const void *)at)[index]);
}

static void check_row(const struct rope_case *c, const float *before, const float *after,
                      const float *norms, const float *frequency, const struct den_kv_pool *pool,
                      size_t row)
{
    double want[WIDTH], exact = c->type == DEN_TYPE_F32 ? 4e-6 : 2e-3;
    int32_t page = tables[sequence[row]][position[row] / PAGE];
    size_t slot = (size_t)position[row] % PAGE, head, i;
    const float *scales;

    for (head = 0; head < HEADS + KV_HEADS; head++) {
        reference_head(c, before + head * WIDTH, norms + (head < HEADS ? 0 : WIDTH), frequency,
                       position[row], want);
        for (i = 0; i < WIDTH && head < HEADS; i++)
            assert_true(fabs(after[head * WIDTH + i] - want[i]) < 4e-6);
        if (head < HEADS)
            continue;
        scales = den_kv_scales(pool, page, 2, head - HEADS);
        if (c->type == DEN_TYPE_Q8_0)
            exact = (double)scales[slot] / 2 + 1e-5;
        for (i = 0; i < WIDTH; i++)
            assert_true(fabs(cached(pool, den_kv_keys(pool, page, 2, head - HEADS), i * PAGE + slot,
                                    scales[slot]) -
                             want[i]) < exact);
    }
    for (head = 0; head < KV_HEADS; head++) {
        scales = den_kv_scales(pool, page, 2, head) + PAGE;
        if (c->type == DEN_TYPE_Q8_0) {
            assert_true(scales[slot] > 0 && scales[slot] <= 1.0f / 127);
            exact = (double)scales[slot] / 2 + 1e-6;
        }
        for (i = 0; i < VALUE_WIDTH; i++)
            assert_true(fabs(cached(pool, den_kv_values(pool, page, 2, head),
                                    slot * VALUE_WIDTH + i, scales[slot]) -
                             before[(HEADS + KV_HEADS) * WIDTH + head * VALUE_WIDTH + i]) < exact);
    }
}

static struct den_kv_pool *make_pool(struct den_device *device, enum den_type type)
{
    struct den_kv_layout layout = { .layers = 3,
                                    .kv_heads = KV_HEADS,
                                    .head_width = WIDTH,
                                    .value_width = VALUE_WIDTH,
                                    .page_tokens = PAGE,
                                    .type = type };
    struct den_kv_pool *pool = NULL;
    struct den_error err = { 0 };

    assert_int_equal(den_kv_pool_create(device, &layout, PAGES, &pool, &err), DEN_OK);
    if (type == DEN_TYPE_Q8_0)
        assert_int_equal(den_kv_pool_page_bytes(pool),
                         3 * KV_HEADS * (WIDTH + VALUE_WIDTH + 2 * 4) * PAGE);
    else
        assert_int_equal(den_kv_pool_page_bytes(pool), 3 * KV_HEADS * (WIDTH + VALUE_WIDTH) * PAGE *
                                                           (type == DEN_TYPE_F32 ? 4 : 2));
    return pool;
}

static void run_case(const struct rope_case *c)
{
    struct den_device *device = device_of(c->threads, NULL);
    struct den_kv_pool *pool = make_pool(device, c->type);
    float *before = random_floats(ROWS * STRIDE, -1, 1), *norms = random_floats(2 * WIDTH, 0, 2);
    float *frequency = random_floats(WIDTH / 2, 0, 1), *qkv = malloc(ROWS * STRIDE * sizeof *qkv);
    struct den_rope op = { .where = &where,
                           .qkv = qkv,
                           .stride = STRIDE,
                           .heads = HEADS,
                           .kv_heads = KV_HEADS,
                           .head_width = WIDTH,
                           .value_width = VALUE_WIDTH,
                           .query_norm = c->norms ? norms : NULL,
                           .key_norm = c->norms ? norms + WIDTH : NULL,
                           .norm_epsilon = 1e-6f,
                           .rotary_width = c->rotary_width,
                           .interleaved = c->interleaved,
                           .inverse_frequency = frequency,
                           .magnitude = c->magnitude,
                           .pool = pool,
                           .layer = 2 };
    size_t row, round;

    workspace_of(device, ROWS, 8, HEADS, WIDTH);
    for (round = 0; round < 8; round++) { /* some with angles kept, some with others */
        if (round % 3 == 2)
            frequency[c->rotary_width / 3] += 0.25f;
        if (round == 5)
            position[3]++, position[3]--, position[ROWS - 1]++;
        memcpy(qkv, before, ROWS * STRIDE * sizeof *qkv);
        den_device_rope(device, &op);
        for (row = 0; row < ROWS; row++)
            check_row(c, before + row * STRIDE, qkv + row * STRIDE, norms, frequency, pool, row);
    }
    position[ROWS - 1]--;
    free(before);
    free(norms);
    free(frequency);
    free(qkv);
    den_kv_pool_destroy(pool);
    den_device_destroy(device);
}

static void rotates_and_caches(void **state)
{
    static const struct rope_case cases[] = {
        { 0, false, false, 1, DEN_TYPE_F32, 1 },     { WIDTH, false, false, 1, DEN_TYPE_F32, 2 },
        { WIDTH, true, false, 1, DEN_TYPE_F16, 1 },  { WIDTH, false, true, 1, DEN_TYPE_F16, 3 },
        { 10, false, false, 1.3f, DEN_TYPE_F32, 1 }, { 10, true, true, 0.9f, DEN_TYPE_F16, 2 },
        { 0, false, true, 1, DEN_TYPE_F16, 2 },      { WIDTH, false, true, 1, DEN_TYPE_Q8_0, 2 },
    };
    size_t i;

    make_rows();
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        run_case(&cases[i]);
}

static void copies_a_page(void **state)
{
    struct den_device *device = device_of(1, NULL);
    struct den_kv_pool *pool = make_pool(device, DEN_TYPE_F16);
    size_t bytes = den_kv_pool_page_bytes(pool), i;
    unsigned char *from = den_kv_keys(pool, 1, 0, 0), *to = den_kv_keys(pool, 4, 0, 0);

    for (i = 0; i < bytes; i++)
        from[i] = (unsigned char)(i * 7);
    den_kv_pool_copy_page(pool, 1, 4);
    assert_memory_equal(from, to, bytes);
    for (i = 0; i < bytes; i++) /* the neighbours are as they were: zero */
        assert_true(to[i - bytes] == 0 && to[i + bytes] == 0);
    den_kv_pool_destroy(pool);
    den_kv_pool_destroy(NULL);
    den_device_destroy(device);
}

static void refuses_layouts(void **state)
{
    const struct den_kv_layout good = { 1, 1, 16, 16, 64, DEN_TYPE_F16 };
    struct den_device *device = device_of(1, NULL);
    struct den_kv_layout layout = good;
    struct den_kv_pool *pool = NULL;
    struct den_error err = { 0 };

    layout.page_tokens = 24;
    assert_int_equal(den_kv_pool_create(device, &layout, 1, &pool, &err), DEN_INVALID);
    layout = good;
    layout.type = DEN_TYPE_BF16;
    assert_int_equal(den_kv_pool_create(device, &layout, 1, &pool, &err), DEN_INVALID);
    layout = good;
    layout.layers = 0;
    assert_int_equal(den_kv_pool_create(device, &layout, 1, &pool, &err), DEN_INVALID);
    layout = good;
    assert_int_equal(den_kv_pool_create(device, &layout, 0, &pool, &err), DEN_INVALID);
    layout.head_width = SIZE_MAX / 8;
    assert_int_equal(den_kv_pool_create(device, &layout, 1, &pool, &err), DEN_TOO_LARGE);
    layout.head_width = (size_t)1 << 50;
    assert_int_equal(den_kv_pool_create(device, &layout, 1, &pool, &err), DEN_NO_MEMORY);
    assert_null(pool);
    den_device_destroy(device);
}

int device_test_cpu_cache(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rotates_and_caches),
        cmocka_unit_test(copies_a_page),
        cmocka_unit_test(refuses_layouts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
