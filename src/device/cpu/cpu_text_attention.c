/* Attention of encoders on the CPU: every row of a text sees all of it.
 *
 * Texts are packed without padding and of any length, so the unit of work is one head of one text;
 * a long text's heads are as much work as several short texts, and units are claimed from the
 * longest text on by whoever is free. A unit transposes its keys once into scratch, (head_width,
 * rows), so that both products are row-major times row-major (kernels/attention.h) and read queries
 * and values where they lie. Queries pass in blocks whose scores, over the whole text, stay in the
 * second-level cache: there is no online softmax, a row's scores are complete when it is taken.
 *
 * A row's result depends on its own text only: not on the number of threads nor on neighbours. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "device/cpu/cpu_device.h"
#include "device/cpu/cpu_text.h"

enum {
    QUERIES = 48,        /* of a block: 48 x 512 scores are 96 KiB */
    STRIDE_EXTRA = 16,   /* floats between rows of scratch beyond the text's: rows 1 KiB apart would
                            all fall on the same few sets of the nearest cache */
    SERIAL_WORK = 100000 /* multiplications done in the time of a wake */
};

struct job {
    struct den_device *device;
    const struct den_text_attention *op;
};

enum den_status den_device_text_workspace(struct den_device *device, size_t rows, size_t head_width,
                                          struct den_error *err)
{
    struct den_text_scratch scratch = device->text;
    size_t bytes;

    if (head_width > DEN_HEAD_WIDTH_MAX)
        return den_fail(err, DEN_TOO_LARGE, "device: heads of %zu, at most %d are possible",
                        head_width, DEN_HEAD_WIDTH_MAX);
    if (scratch.memory && rows <= scratch.rows_max && head_width <= scratch.head_width)
        return DEN_OK;
    if (scratch.head_width < head_width)
        scratch.head_width = head_width;
    if (scratch.rows_max < rows)
        scratch.rows_max = rows;
    if (!den_checked_align(scratch.rows_max, 16, &scratch.rows_max) ||
        !den_checked_multiply(scratch.rows_max + STRIDE_EXTRA, 2 * scratch.head_width + QUERIES,
                              &scratch.member_floats) ||
        !den_checked_multiply(scratch.member_floats, sizeof(float) * (size_t)device->threads,
                              &bytes) ||
        !den_checked_align(bytes, 64, &bytes))
        return den_fail(err, DEN_TOO_LARGE, "device: texts of %zu tokens are too long", rows);
    scratch.memory = aligned_alloc(64, bytes);
    if (!scratch.memory)
        return den_fail(err, DEN_NO_MEMORY, "device: no memory for texts of %zu tokens (%zu MiB)",
                        rows, bytes >> 20);
    free(device->text.memory);
    device->text = scratch;
    return DEN_OK;
}

/* Floats from one row of keys or scores to the next. */
static size_t stride_of(size_t rows)
{
    return (rows + 15) / 16 * 16 + STRIDE_EXTRA;
}

/* Values of one head as (rows, head_width): where they lie, each is on a page of its own, and every
 * block of queries reads all of them. */
static void gather_values(const struct den_text_attention *op, const float *values, size_t rows,
                          float *out)
{
    size_t r;

    for (r = 0; r < rows; r++)
        memcpy(out + r * op->head_width, values + r * op->stride, op->head_width * sizeof *out);
}

/* Keys of one head as (head_width, stride): 16 rows at a time, a cache line of each output row. */
static void transpose_keys(const struct den_text_attention *op, const float *keys, size_t rows,
                           size_t stride, float *out)
{
    size_t begin, r, k;

    for (begin = 0; begin < rows; begin += 16) {
        size_t end = begin + 16 < rows ? begin + 16 : rows;

        for (k = 0; k < op->head_width; k++)
            for (r = begin; r < end; r++)
                out[k * stride + r] = keys[r * op->stride + k];
    }
}

/* `queries` rows from `row` of the text at `first`, whose `rows` keys are transposed. */
static void attend_block(const struct job *job, size_t first, size_t rows, size_t head,
                         size_t query, size_t queries, float *scratch)
{
    const struct den_attention_kernels *attention = &job->device->kernels.attention;
    const struct den_text_attention *op = job->op;
    size_t stride = stride_of(rows), width = op->head_width, q;
    float *values = scratch + width * stride, *scores = values + width * stride;
    const float *text = op->qkv + first * op->stride + head * width;
    float *output = op->output + ((first + query) * op->heads + head) * width;
    struct den_small_product score = {
        .left = text + query * op->stride,
        .left_stride = op->stride,
        .queries = queries,
        .depth = width,
        .right = scratch,
        .right_stride = stride,
        .columns = rows,
        .output = scores,
        .output_stride = stride,
    };
    struct den_small_product weighted = {
        .left = scores,
        .left_stride = stride,
        .queries = queries,
        .depth = rows,
        .right = values,
        .right_stride = width,
        .columns = width,
        .output = output,
        .output_stride = op->heads * width,
    };
    struct den_softmax states[QUERIES];

    attention->multiply_f32(&score);
    for (q = 0; q < queries; q++) {
        states[q] = (struct den_softmax){ .maximum = -INFINITY };
        attention->softmax(scores + q * stride, rows, op->scale, 0, &states[q]);
    }
    attention->multiply_f32(&weighted);
    for (q = 0; q < queries; q++) {
        float *row = output + q * op->heads * width;

        job->device->kernels.vector.scale(row, 1 / states[q].sum, width, row);
    }
}

void den_cpu_attend_unit(struct den_device *device, const struct den_text_attention *op,
                         size_t unit, int member)
{
    size_t text = unit / op->heads, head = unit % op->heads, query;
    size_t first = op->begin[text], rows = op->begin[text + 1] - first, stride = stride_of(rows);
    struct job job = { .device = device, .op = op };
    const float *keys = op->qkv + first * op->stride + (op->heads + head) * op->head_width;
    float *scratch = (float *)device->text.memory + (size_t)member * device->text.member_floats;

    transpose_keys(op, keys, rows, stride, scratch);
    gather_values(op, keys + op->heads * op->head_width, rows, scratch + op->head_width * stride);
    for (query = 0; query < rows; query += QUERIES)
        attend_block(&job, first, rows, head, query,
                     rows - query < QUERIES ? rows - query : (size_t)QUERIES, scratch);
}

static void attend(void *context, struct den_team *team, int member)
{
    const struct job *job = context;
    size_t units = job->op->texts * job->op->heads, unit;

    while ((unit = den_team_claim(team, 1)) < units)
        den_cpu_attend_unit(job->device, job->op, unit, member);
}

void den_device_text_attention(struct den_device *device, const struct den_text_attention *op)
{
    struct job job = { .device = device, .op = op };
    size_t work = 0, text, unit;

    for (text = 0; text < op->texts; text++) {
        size_t rows = op->begin[text + 1] - op->begin[text];

        assert(rows <= device->text.rows_max && op->head_width <= device->text.head_width);
        work += rows * rows * op->heads * op->head_width * 2;
    }
    if (device->threads > 1 && work > SERIAL_WORK) {
        den_team_share(device->team, attend, &job);
        return;
    }
    for (unit = 0; unit < op->texts * op->heads; unit++)
        den_cpu_attend_unit(device, op, unit, 0);
}
