/* Attention against softmax sums in double, over scrambled page tables: prompts and single tokens
 * of several sequences in one batch, grouped heads, windows, soft caps, all cache types. The same
 * bits whatever the number of threads, and for a row alone as for a row in company. */
#include "device_case.h"

enum { SEQUENCES_MAX = 4 };

struct attention_case {
    const char *name;
    size_t heads, kv_heads, head_width, value_width, page_tokens;
    enum den_type type;
    size_t window;
    float softcap;
    int sequences;
    size_t cached[SEQUENCES_MAX]; /* tokens before the batch */
    size_t rows[SEQUENCES_MAX];   /* tokens in it */
};

static const struct attention_case cases[] = {
    { "first token", 9, 3, 64, 64, 64, DEN_TYPE_F16, 0, 0, 1, { 0 }, { 1 } },
    { "decode at depth", 9, 3, 64, 64, 64, DEN_TYPE_F16, 0, 0, 1, { 700 }, { 1 } },
    { "long, so that chunks double", 2, 1, 16, 16, 64, DEN_TYPE_F16, 0, 0, 1, { 8300 }, { 1 } },
    { "chunks double within", 2, 1, 16, 16, 64, DEN_TYPE_F16, 0, 0, 1, { 8185 }, { 14 } },
    { "prompt", 9, 3, 64, 64, 64, DEN_TYPE_F16, 0, 0, 1, { 0 }, { 150 } },
    { "prompt in f32", 4, 2, 32, 32, 32, DEN_TYPE_F32, 0, 0, 1, { 77 }, { 90 } },
    { "mixed", 4, 1, 48, 40, 16, DEN_TYPE_F16, 0, 0, 4, { 0, 300, 5, 130 }, { 40, 1, 17, 1 } },
    { "windows", 6, 2, 32, 32, 64, DEN_TYPE_F32, 40, 0, 3, { 0, 500, 100 }, { 200, 1, 60 } },
    { "window and cap", 8, 8, 24, 24, 48, DEN_TYPE_F16, 100, 3, 2, { 250, 333 }, { 70, 1 } },
    { "decode in int8", 9, 3, 64, 64, 64, DEN_TYPE_Q8_0, 0, 0, 1, { 700 }, { 1 } },
    { "mixed in int8",
      4,
      1,
      48,
      40,
      16,
      DEN_TYPE_Q8_0,
      0,
      0,
      4,
      { 0, 300, 5, 130 },
      { 40, 1, 17, 1 } },
    { "window in int8", 8, 8, 24, 24, 48, DEN_TYPE_Q8_0, 100, 3, 2, { 250, 333 }, { 70, 1 } },
    { "many heads", 64, 1, 16, 16, 64, DEN_TYPE_F32, 0, 2, 2, { 150, 0 }, { 3, 5 } },
};

struct data {
    size_t rows, stride;
    float *qkv[SEQUENCES_MAX]; /* (cached + rows, stride) of each sequence */
    int32_t *pages[SEQUENCES_MAX];
    float *batch; /* the rows of the batch */
    int32_t *position, *sequence;
    double *want; /* (rows, heads * value_width) */
};

/* What the cache makes of a key or value of `width`. */
static void cached(const struct attention_case *c, const float *row, size_t width, double *out)
{
    float largest = 0;
    size_t i;

    for (i = 0; i < width; i++)
        largest = fabsf(row[i]) > largest ? fabsf(row[i]) : largest;
    for (i = 0; i < width; i++) {
        out[i] = row[i];
        if (c->type == DEN_TYPE_F16)
            out[i] = den_f16_to_f32(den_f32_to_f16(row[i]));
        if (c->type == DEN_TYPE_Q8_0)
            out[i] = nearbyintf(row[i] * (127 / largest)) * (double)(largest / 127);
    }
}

static void reference_row(const struct attention_case *c, const struct data *data, size_t row,
                          size_t head)
{
    const float *all = data->qkv[data->sequence[row]];
    size_t position = (size_t)data->position[row], kv = head / (c->heads / c->kv_heads), t, i;
    const float *query = all + position * data->stride + head * c->head_width;
    double *want = data->want + (row * c->heads + head) * c->value_width, sum = 0;
    size_t first = c->window && position + 1 > c->window ? position + 1 - c->window : 0;
    double *weights = malloc((position + 1) * sizeof *weights), most = -INFINITY, held[64];

    for (t = first; t <= position; t++) {
        const float *key = all + t * data->stride + (c->heads + kv) * c->head_width;

        weights[t] = 0;
        cached(c, key, c->head_width, held);
        for (i = 0; i < c->head_width; i++)
            weights[t] += query[i] * held[i];
        weights[t] *= 0.3f;
        if (c->softcap > 0)
            weights[t] = c->softcap * tanh(weights[t] / c->softcap);
        most = weights[t] > most ? weights[t] : most;
    }
    for (t = first; t <= position; t++)
        sum += weights[t] = exp(weights[t] - most);
    for (i = 0; i < c->value_width; i++)
        want[i] = 0;
    for (t = first; t <= position; t++) {
        const float *value =
            all + t * data->stride + (c->heads + c->kv_heads) * c->head_width + kv * c->value_width;

        cached(c, value, c->value_width, held);
        for (i = 0; i < c->value_width; i++)
            want[i] += weights[t] / sum * held[i];
    }
    free(weights);
}

/* Pages of the sequences are dealt in turn from the top, so that no table is in order. */
static size_t deal_pages(const struct attention_case *c, struct data *data)
{
    size_t total = 0, next, i;
    int s;

    for (s = 0; s < c->sequences; s++)
        total += (c->cached[s] + c->rows[s] + c->page_tokens - 1) / c->page_tokens;
    next = total;
    for (s = 0; s < c->sequences; s++) {
        size_t pages = (c->cached[s] + c->rows[s] + c->page_tokens - 1) / c->page_tokens;

        data->pages[s] = malloc(pages * sizeof **data->pages);
        for (i = 0; i < pages; i++)
            data->pages[s][i] = (int32_t)--next;
        for (i = 1; i < pages; i++) {
            size_t j = random_bits() % (i + 1);
            int32_t page = data->pages[s][i];

            data->pages[s][i] = data->pages[s][j];
            data->pages[s][j] = page;
        }
    }
    return total;
}

static size_t make(const struct attention_case *c, struct data *data)
{
    size_t row = 0, head, i;
    int s;

    *data = (struct data){ 0 };
    data->stride = (c->heads + c->kv_heads) * c->head_width + c->kv_heads * c->value_width + 3;
    for (s = 0; s < c->sequences; s++)
        data->rows += c->rows[s];
    data->batch = malloc(data->rows * data->stride * sizeof *data->batch);
    data->position = malloc(data->rows * sizeof *data->position);
    data->sequence = malloc(data->rows * sizeof *data->sequence);
    data->want = malloc(data->rows * c->heads * c->value_width * sizeof *data->want);
    for (s = 0; s < c->sequences; s++) {
        data->qkv[s] = random_floats((c->cached[s] + c->rows[s]) * data->stride, -1, 1);
        for (i = 0; i < c->rows[s]; i++, row++) {
            data->position[row] = (int32_t)(c->cached[s] + i);
            data->sequence[row] = s;
            memcpy(data->batch + row * data->stride,
                   data->qkv[s] + (c->cached[s] + i) * data->stride,
                   data->stride * sizeof *data->batch);
        }
    }
    for (row = 0; row < data->rows; row++)
        for (head = 0; head < c->heads; head++)
            reference_row(c, data, row, head);
    return deal_pages(c, data);
}

static void discard(struct data *data)
{
    int s;

    for (s = 0; s < SEQUENCES_MAX; s++) {
        free(data->qkv[s]);
        free(data->pages[s]);
    }
    free(data->batch);
    free(data->position);
    free(data->sequence);
    free(data->want);
}

static void cache(const struct attention_case *c, const struct data *data,
                  struct den_device *device, const struct den_rows *where, float *qkv,
                  struct den_kv_pool *pool)
{
    struct den_rope rope = { .where = where,
                             .qkv = qkv,
                             .stride = data->stride,
                             .heads = c->heads,
                             .kv_heads = c->kv_heads,
                             .head_width = c->head_width,
                             .value_width = c->value_width,
                             .pool = pool,
                             .layer = 1 };

    den_device_rope(device, &rope);
}

/* Caches everything through the device, 50 tokens at a time. */
static void fill_cache(const struct attention_case *c, const struct data *data,
                       struct den_device *device, struct den_kv_pool *pool)
{
    const int32_t *const *pages = (const int32_t *const *)data->pages;
    int32_t position[50], sequence[50];
    size_t token, i;
    int s;

    for (s = 0; s < c->sequences; s++)
        for (token = 0; token < c->cached[s] + c->rows[s]; token += 50) {
            struct den_rows where = { 0, position, sequence, pages };

            for (i = token; i < token + 50 && i < c->cached[s] + c->rows[s]; i++) {
                position[where.rows] = (int32_t)i;
                sequence[where.rows++] = s;
            }
            cache(c, data, device, &where, data->qkv[s] + token * data->stride, pool);
        }
}

static struct den_kv_pool *pool_of(const struct attention_case *c, struct den_device *device,
                                   size_t pages)
{
    struct den_kv_layout layout = { .layers = 2,
                                    .kv_heads = c->kv_heads,
                                    .head_width = c->head_width,
                                    .value_width = c->value_width,
                                    .page_tokens = c->page_tokens,
                                    .type = c->type };
    struct den_kv_pool *pool = NULL;
    struct den_error err = { 0 };

    if (den_kv_pool_create(device, &layout, pages, &pool, &err) != DEN_OK)
        fail_msg("%s: %s", c->name, err.message);
    return pool;
}

/* Rows [row, row + rows) of the batch as a batch of their own. */
static void attend(const struct attention_case *c, const struct data *data,
                   struct den_device *device, const struct den_kv_pool *pool, size_t row,
                   size_t rows, float *output)
{
    struct den_rows where = { rows, data->position + row, data->sequence + row,
                              (const int32_t *const *)data->pages };
    struct den_attention op = { .where = &where,
                                .queries = data->batch + row * data->stride,
                                .stride = data->stride,
                                .heads = c->heads,
                                .scale = 0.3f,
                                .softcap = c->softcap,
                                .window = c->window,
                                .pool = pool,
                                .layer = 1,
                                .output = output + row * c->heads * c->value_width };

    den_device_attention(device, &op);
}

static void run(const struct attention_case *c, const struct data *data, size_t pages, int threads,
                const char *features, int alone, float *output)
{
    struct den_device *device = device_of(threads, features);
    struct den_kv_pool *pool = pool_of(c, device, pages);
    size_t row;

    workspace_of(device, data->rows > 50 ? data->rows : 50, 64, c->heads, c->head_width);
    fill_cache(c, data, device, pool);
    if (alone)
        for (row = 0; row < data->rows; row++)
            attend(c, data, device, pool, row, 1, output);
    else
        attend(c, data, device, pool, 0, data->rows, output);
    den_kv_pool_destroy(pool);
    den_device_destroy(device);
}

static void cases_agree_on(const char *features)
{
    size_t n, i;
    int threads, alone;

    for (n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        const struct attention_case *c = &cases[n];
        float *first, *output;
        struct data data;
        size_t pages = make(c, &data), count = data.rows * c->heads * c->value_width;

        first = malloc(count * sizeof *first);
        output = malloc(count * sizeof *output);
        run(c, &data, pages, 1, features, 0, first);
        for (i = 0; i < count; i++)
            if (!(fabs(first[i] - data.want[i]) < 1e-5))
                fail_msg("%s: row %zu, element %zu is %.8g, not %.8g", c->name,
                         i / (c->heads * c->value_width), i % (c->heads * c->value_width), first[i],
                         data.want[i]);
        for (threads = 1; threads <= 3; threads++)
            for (alone = 0; alone < 2; alone++) {
                run(c, &data, pages, threads, features, alone, output);
                if (memcmp(first, output, count * sizeof *output) != 0)
                    fail_msg("%s: %d threads compute something else%s", c->name, threads,
                             alone ? " for rows alone" : "");
            }
        free(first);
        free(output);
        discard(&data);
    }
}

static void agrees_with_double(void **state)
{
    cases_agree_on(NULL);
}

static void agrees_with_double_scalar(void **state)
{
    cases_agree_on("scalar");
}

int device_test_cpu_attention(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_double),
        cmocka_unit_test(agrees_with_double_scalar),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
