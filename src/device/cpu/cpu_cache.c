/* The key/value cache on the CPU, and the rotation that fills it.
 *
 * A pool is one mapping of zeroed pages; the system gives memory as pages are first written. Page
 * layout: device.h. A key is scattered down a column of its page, 2 bytes every page_tokens
 * elements; sixteen neighbouring tokens fill whole cache lines, so rows are shared out in
 * sixteens. That is work once a token, for which every later token reads scores by the vector.
 *
 * Angles depend on positions and frequencies only, and a batch runs through all layers with the
 * same positions: cosines and sines are computed in the first layer and kept. The angle is the f32
 * product that other implementations use, since at position 100,000 its rounding is what a model
 * was trained with; its cosine and sine are then computed in double. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "device/cpu/cpu_device.h"

enum { CLAIMED_ROWS = 16, SERIAL_ROWS = 4 };

static size_t element_bytes(enum den_type type)
{
    switch (type) {
    case DEN_TYPE_F32:
        return 4;
    case DEN_TYPE_F16:
        return 2;
    case DEN_TYPE_Q8_0:
        return 1;
    default:
        return 0;
    }
}

enum den_status den_kv_pool_create(struct den_device *device, const struct den_kv_layout *layout,
                                   size_t pages, struct den_kv_pool **out, struct den_error *err)
{
    struct den_kv_pool *pool;
    size_t head_elements, token_bytes, scales, heads;

    (void)device;
    if (layout->layers == 0 || layout->kv_heads == 0 || layout->head_width == 0 ||
        layout->value_width == 0 || layout->page_tokens == 0 || layout->page_tokens % 16 != 0 ||
        element_bytes(layout->type) == 0 || pages == 0 || pages > INT32_MAX)
        return den_fail(err, DEN_INVALID,
                        "cache: %zu pages of %zu tokens, %zu layers, %zu heads of %zu and %zu; a "
                        "page has a multiple of 16 tokens, f16, f32 or int8",
                        pages, layout->page_tokens, layout->layers, layout->kv_heads,
                        layout->head_width, layout->value_width);
    pool = calloc(1, sizeof *pool);
    if (!pool)
        return den_fail(err, DEN_NO_MEMORY, "cache: out of memory");
    pool->layout = *layout;
    pool->pages = pages;
    pool->element_bytes = element_bytes(layout->type);
    scales = layout->type == DEN_TYPE_Q8_0 ? 2 * sizeof(float) : 0;
    if (!den_checked_add(layout->head_width, layout->value_width, &head_elements) ||
        !den_checked_multiply(head_elements, pool->element_bytes, &token_bytes) ||
        !den_checked_add(token_bytes, scales, &token_bytes) ||
        !den_checked_multiply(token_bytes, layout->page_tokens, &pool->head_bytes) ||
        !den_checked_multiply(layout->layers, layout->kv_heads, &heads) ||
        !den_checked_multiply(heads, pool->head_bytes, &pool->page_bytes) ||
        !den_checked_multiply(pool->page_bytes, pages, &pool->memory_bytes)) {
        den_fail(err, DEN_TOO_LARGE, "cache: %zu pages exceed the address space", pages);
        goto fail;
    }
    pool->memory = den_pages_map(pool->memory_bytes);
    if (!pool->memory) {
        den_fail(err, DEN_NO_MEMORY,
                 "cache: no memory for %zu pages of %zu KiB; a shorter context "
                 "or fewer sequences need less",
                 pages, pool->page_bytes >> 10);
        goto fail;
    }
    *out = pool;
    return DEN_OK;
fail:
    den_kv_pool_destroy(pool);
    return err->status;
}

void den_kv_pool_destroy(struct den_kv_pool *pool)
{
    if (!pool)
        return;
    den_pages_unmap(pool->memory, pool->memory_bytes);
    free(pool);
}

const struct den_kv_layout *den_kv_pool_layout(const struct den_kv_pool *pool)
{
    return &pool->layout;
}

size_t den_kv_pool_page_bytes(const struct den_kv_pool *pool)
{
    return pool->page_bytes;
}

void den_kv_pool_copy_page(struct den_kv_pool *pool, int32_t from, int32_t to)
{
    assert(from != to);
    memcpy(den_kv_keys(pool, to, 0, 0), den_kv_keys(pool, from, 0, 0), pool->page_bytes);
}

unsigned char *den_kv_pool_page(struct den_kv_pool *pool, int32_t page)
{
    return den_kv_keys(pool, page, 0, 0);
}

/* --- rotation and writing --- */

struct job {
    struct den_device *device;
    const struct den_rope *op;
    struct den_rope_table *table; /* NULL: no RoPE */
    bool fill;                    /* the table is not yet computed */
};

/* Looks for a table made for these positions and frequencies; else takes the one used longest ago,
 * which run_row() fills row by row. */
static void find_table(struct job *job)
{
    struct den_workspace *workspace = &job->device->workspace;
    const struct den_rope *op = job->op;
    size_t pairs = op->rotary_width / 2, rows = op->where->rows, i;

    if (pairs == 0)
        return;
    for (i = 0; i < DEN_ROPE_TABLES; i++) {
        struct den_rope_table *table = &workspace->ropes[i];

        if (table->rows == rows && table->pairs == pairs && table->magnitude == op->magnitude &&
            memcmp(table->positions, op->where->position, rows * sizeof *table->positions) == 0 &&
            memcmp(table->inverse_frequency, op->inverse_frequency, pairs * sizeof(float)) == 0) {
            job->table = table;
            workspace->rope_next = (unsigned)(i + 1) % DEN_ROPE_TABLES;
            return;
        }
    }
    job->table = &workspace->ropes[workspace->rope_next];
    job->fill = true;
    workspace->rope_next = (workspace->rope_next + 1) % DEN_ROPE_TABLES;
    job->table->rows = rows;
    job->table->pairs = pairs;
    job->table->magnitude = op->magnitude;
    memcpy(job->table->positions, op->where->position, rows * sizeof *job->table->positions);
    memcpy(job->table->inverse_frequency, op->inverse_frequency, pairs * sizeof(float));
}

static void fill_row(const struct job *job, size_t row)
{
    struct den_rope_table *table = job->table;
    float position = (float)job->op->where->position[row];
    size_t pairs = table->pairs, i;

    for (i = 0; i < pairs; i++) {
        double angle = (double)(position * table->inverse_frequency[i]);

        table->cosine[row * pairs + i] = (float)(cos(angle) * (double)table->magnitude);
        table->sine[row * pairs + i] = (float)(sin(angle) * (double)table->magnitude);
    }
}

static void rotate_head(const struct job *job, size_t row, const float *norm, float *head)
{
    const struct den_vector_kernels *vector = &job->device->kernels.vector;
    const struct den_rope *op = job->op;
    const struct den_rope_table *table = job->table;

    if (norm)
        vector->rms_norm(head, norm, op->norm_epsilon, op->head_width, head);
    if (!table)
        return;
    (op->interleaved ? vector->rotate_interleaved : vector->rotate_split)(
        head, table->cosine + row * table->pairs, table->sine + row * table->pairs, table->pairs);
}

/* Key `key` becomes column `slot` of the page's keys. */
static void write_key(const struct job *job, const float *key, unsigned char *page, float *scale,
                      size_t slot)
{
    size_t stride = job->op->pool->layout.page_tokens, width = job->op->head_width, i;
    uint16_t half[DEN_HEAD_WIDTH_MAX];
    int8_t codes[DEN_HEAD_WIDTH_MAX];

    if (job->op->pool->layout.type == DEN_TYPE_Q8_0) {
        *scale = job->device->kernels.attention.quantize(key, width, codes);
        for (i = 0; i < width; i++)
            page[i * stride + slot] = (unsigned char)codes[i];
    } else if (job->op->pool->layout.type == DEN_TYPE_F32) {
        float *column = (float *)(void *)page + slot;

        for (i = 0; i < width; i++)
            column[i * stride] = key[i];
    } else {
        uint16_t *column = (uint16_t *)(void *)page + slot;

        job->device->kernels.vector.to_f16(key, width, half);
        for (i = 0; i < width; i++)
            column[i * stride] = half[i];
    }
}

static void write_value(const struct job *job, const float *value, unsigned char *page,
                        float *scale, size_t slot)
{
    size_t width = job->op->value_width;

    if (job->op->pool->layout.type == DEN_TYPE_Q8_0)
        *scale = job->device->kernels.attention.quantize(value, width,
                                                         (int8_t *)(void *)page + slot * width);
    else if (job->op->pool->layout.type == DEN_TYPE_F32)
        memcpy((float *)(void *)page + slot * width, value, width * sizeof *value);
    else
        job->device->kernels.vector.to_f16(value, width, (uint16_t *)(void *)page + slot * width);
}

static void run_row(const struct job *job, size_t row)
{
    const struct den_rope *op = job->op;
    const struct den_rows *where = op->where;
    size_t page_tokens = op->pool->layout.page_tokens, position = (size_t)where->position[row];
    size_t slot = position % page_tokens;
    int32_t page = where->pages[where->sequence[row]][position / page_tokens];
    float *query = op->qkv + row * op->stride, *key = query + op->heads * op->head_width;
    float *value = key + op->kv_heads * op->head_width;
    size_t head;

    if (job->fill)
        fill_row(job, row);
    for (head = 0; head < op->heads; head++)
        rotate_head(job, row, op->query_norm, query + head * op->head_width);
    for (head = 0; head < op->kv_heads; head++) {
        float *scales = den_kv_scales(op->pool, page, op->layer, head) + slot;

        rotate_head(job, row, op->key_norm, key + head * op->head_width);
        write_key(job, key + head * op->head_width, den_kv_keys(op->pool, page, op->layer, head),
                  scales, slot);
        write_value(job, value + head * op->value_width,
                    den_kv_values(op->pool, page, op->layer, head), scales + page_tokens, slot);
    }
}

static void run(void *context, struct den_team *team, int member)
{
    const struct job *job = context;
    size_t row, i;

    (void)member;
    while ((row = den_team_claim(team, CLAIMED_ROWS)) < job->op->where->rows)
        for (i = row; i < row + CLAIMED_ROWS && i < job->op->where->rows; i++)
            run_row(job, i);
}

void den_device_rope(struct den_device *device, const struct den_rope *op)
{
    struct job job = { .device = device, .op = op };
    size_t row;

    assert(op->where->rows <= device->workspace.rows);
    assert(op->head_width <= device->workspace.head_width);
    assert(op->rotary_width <= op->head_width);
    assert(op->kv_heads == op->pool->layout.kv_heads && op->layer < op->pool->layout.layers);
    find_table(&job);
    if (op->where->rows > SERIAL_ROWS && device->threads > 1) {
        den_team_share(device->team, run, &job);
        return;
    }
    for (row = 0; row < op->where->rows; row++)
        run_row(&job, row);
}
