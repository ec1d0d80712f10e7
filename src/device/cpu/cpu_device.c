/* The CPU device: a team of threads, a table of kernels, and the scratch memory of its operations.
 *
 * The workspace is one allocation, laid out by draw() twice: once to measure, once to place. It
 * grows when asked for more and never while an operation runs. The small operations that need no
 * file of their own (norm, soft cap) are here too. Operations too small to be worth waking the team
 * run on the calling thread: a wake and a barrier cost about two microseconds, which is
 * 20,000 multiplications. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/checked.h"
#include "device/cpu/cpu_device.h"
#include "device/fusion.h"
#include "hardware/cpu.h"
#include "kernels/self_check.h"

enum { HUGE_PAGE = 2 << 20, SERIAL_ELEMENTS = 8192, CLAIMED_ROWS = 4 };

void *den_pages_map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        return NULL;
    if (bytes >= HUGE_PAGE) /* a hint: failure changes nothing but speed */
        (void)madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
}

void den_pages_unmap(void *memory, size_t bytes)
{
    if (memory)
        munmap(memory, bytes);
}

enum den_status den_device_create(const struct den_device_options *options, struct den_device **out,
                                  struct den_error *err)
{
    struct den_device *device = calloc(1, sizeof *device);
    struct den_cpu cpu;
    uint32_t features;

    if (!device)
        return den_fail(err, DEN_NO_MEMORY, "device: out of memory");
    den_cpu_read(&cpu);
    if (den_cpu_features_parse(options->cpu_features, cpu.features, &features, err) != DEN_OK)
        goto fail;
    den_kernels_select_proven(features, &device->kernels);
    den_cpu_features_text(device->kernels.features, device->features);
    device->store = options->packed;
    device->threads = options->threads ? options->threads : cpu.cores;
    if (!options->threads && device->threads > DEN_THREADS_MAX)
        device->threads = DEN_THREADS_MAX;
    if (den_team_create(device->threads, &device->team, err) != DEN_OK)
        goto fail;
    *out = device;
    return DEN_OK;
fail:
    den_device_destroy(device);
    return err->status;
}

void den_device_destroy(struct den_device *device)
{
    struct den_error ignored = { 0 };

    if (!device)
        return;
    den_device_unfuse(device, 0, &ignored);
    den_team_destroy(device->team);
    den_pages_unmap(device->workspace.memory, device->workspace.memory_bytes);
    free(device->text.memory);
    free(device);
}

int den_device_threads(const struct den_device *device)
{
    return device->threads;
}

const char *den_device_features(const struct den_device *device)
{
    return device->features;
}

/* --- workspace --- */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

struct drawing {
    unsigned char *memory; /* NULL while measuring */
    size_t used;
    bool overflow;
};

/* The next (count, size) bytes, on a cache line of their own. */
static void *draw(struct drawing *drawing, size_t count, size_t size)
{
    size_t bytes = 0, start = drawing->used;

    if (!den_checked_multiply(count, size, &bytes) || !den_checked_align(bytes, 64, &bytes) ||
        !den_checked_add(start, bytes, &drawing->used))
        drawing->overflow = true;
    return drawing->memory ? drawing->memory + start : NULL;
}

static void draw_scratch(struct drawing *drawing, struct den_attention_scratch *own, size_t queries,
                         size_t head_width)
{
    struct den_attention_scratch scratch;

    scratch.queries = draw(drawing, queries, head_width * sizeof(float));
    scratch.scores = draw(drawing, queries, DEN_ATTENTION_TILE * sizeof(float));
    scratch.partial = draw(drawing, queries, head_width * sizeof(float));
    scratch.total = draw(drawing, queries, head_width * sizeof(float));
    scratch.partial_state = draw(drawing, queries, sizeof(struct den_softmax));
    scratch.total_state = draw(drawing, queries, sizeof(struct den_softmax));
    if (own)
        *own = scratch;
}

static void draw_workspace(struct drawing *drawing, struct den_workspace *workspace, int threads)
{
    size_t rows = workspace->rows, head_width = workspace->head_width, prepared, padded = 0;
    size_t queries = DEN_ATTENTION_QUERIES, activations = 0, wide = 0, wide_row = 0, i;

    prepared = rows > (size_t)threads ? rows : (size_t)threads;
    if (queries < workspace->heads)
        queries = workspace->heads;
    if (!den_checked_align(workspace->width_max, DEN_SUPER_GROUP, &padded) ||
        !den_activations_bytes(den_activations_rows(rows), padded, &activations) ||
        !den_activations_bytes(1, padded, &workspace->quantized_row_bytes) ||
        !den_wide_activations_bytes(rows, padded, &wide) ||
        !den_wide_activations_bytes(1, padded, &wide_row))
        drawing->overflow = true;
    activations = larger(activations, wide); /* a matrix takes the one or the other */
    workspace->quantized_row_bytes = larger(workspace->quantized_row_bytes, wide_row);
    if (activations / (size_t)threads < workspace->quantized_row_bytes)
        activations = (size_t)threads * workspace->quantized_row_bytes;
    workspace->quantized = draw(drawing, 1, activations);
    workspace->normed = draw(drawing, prepared, workspace->width_max * sizeof(float));
    workspace->blocks = draw(drawing, rows, sizeof *workspace->blocks);
    workspace->own = draw(drawing, (size_t)threads, sizeof *workspace->own);
    for (i = 0; i < (size_t)threads; i++)
        draw_scratch(drawing, workspace->own ? &workspace->own[i] : NULL, queries, head_width);
    workspace->partials_max =
        workspace->heads * DEN_ATTENTION_CHUNKS * (threads > 8 ? (size_t)threads / 2 : 4);
    workspace->partials = draw(drawing, workspace->partials_max, head_width * sizeof(float));
    workspace->partial_states =
        draw(drawing, workspace->partials_max, sizeof *workspace->partial_states);
    for (i = 0; i < DEN_ROPE_TABLES; i++) {
        struct den_rope_table *rope = &workspace->ropes[i];

        rope->rows = 0;
        rope->inverse_frequency = draw(drawing, head_width, sizeof(float));
        rope->positions = draw(drawing, rows, sizeof *rope->positions);
        rope->cosine = draw(drawing, rows, head_width / 2 * sizeof(float));
        rope->sine = draw(drawing, rows, head_width / 2 * sizeof(float));
    }
}

enum den_status den_device_workspace(struct den_device *device, size_t rows, size_t width_max,
                                     size_t heads, size_t head_width, struct den_error *err)
{
    struct den_workspace workspace = device->workspace;
    struct drawing drawing = { 0 };

    if (width_max > DEN_WIDTH_MAX || heads > DEN_HEADS_MAX || head_width > DEN_HEAD_WIDTH_MAX)
        return den_fail(err, DEN_TOO_LARGE,
                        "device: a workspace for width %zu and %zu heads of %zu; at most %d heads "
                        "of %d are possible",
                        width_max, heads, head_width, DEN_HEADS_MAX, DEN_HEAD_WIDTH_MAX);
    if (workspace.memory && rows <= workspace.rows && width_max <= workspace.width_max &&
        heads <= workspace.heads && head_width <= workspace.head_width)
        return DEN_OK;
    workspace.rows = larger(workspace.rows, larger(rows, 1));
    workspace.width_max = larger(workspace.width_max, width_max);
    workspace.heads = larger(workspace.heads, larger(heads, 1));
    workspace.head_width = larger(workspace.head_width, larger(head_width, 2));
    draw_workspace(&drawing, &workspace, device->threads);
    if (!drawing.overflow)
        drawing.memory = den_pages_map(drawing.used);
    if (!drawing.memory)
        return den_fail(err, DEN_NO_MEMORY,
                        "device: no memory for batches of %zu rows (%zu MiB); a smaller batch "
                        "needs less",
                        rows, drawing.used >> 20);
    drawing.used = 0;
    draw_workspace(&drawing, &workspace, device->threads);
    den_pages_unmap(device->workspace.memory, device->workspace.memory_bytes);
    workspace.memory = drawing.memory;
    workspace.memory_bytes = drawing.used;
    device->workspace = workspace;
    return DEN_OK;
}

/* --- small operations --- */

struct norm_job {
    const struct den_device *device;
    const struct den_normalize *op;
};

static void norm_row(const struct norm_job *job, size_t row, float *scratch)
{
    const struct den_vector_kernels *vector = &job->device->kernels.vector;
    const struct den_normalize *op = job->op;
    const struct den_norm *norm = &op->norm;
    const float *input = op->input + row * op->width;
    float *output = op->output + row * op->width;
    float *normed = op->accumulate ? scratch : output;

    if (norm->weight && norm->bias)
        vector->layer_norm(input, norm->weight, norm->bias, norm->epsilon, op->width, normed);
    else if (norm->weight)
        vector->rms_norm(input, norm->weight, norm->epsilon, op->width, normed);
    else
        memmove(normed, input, op->width * sizeof *normed);
    if (op->accumulate)
        vector->add_scaled(normed, 1, op->width, output);
}

static void norm_rows(void *context, struct den_team *team, int member)
{
    const struct norm_job *job = context;
    const struct den_workspace *workspace = &job->device->workspace;
    float *scratch = workspace->normed + (size_t)member * workspace->width_max;
    size_t row, i;

    while ((row = den_team_claim(team, CLAIMED_ROWS)) < job->op->rows)
        for (i = row; i < row + CLAIMED_ROWS && i < job->op->rows; i++)
            norm_row(job, i, scratch);
}

void den_device_norm(struct den_device *device, const struct den_normalize *op)
{
    struct norm_job job = { .device = device, .op = op };
    size_t row;

    assert(!op->accumulate || op->width <= device->workspace.width_max);
    if (op->rows * op->width > SERIAL_ELEMENTS && device->threads > 1) {
        den_team_share(device->team, norm_rows, &job);
        return;
    }
    for (row = 0; row < op->rows; row++)
        norm_row(&job, row, device->workspace.normed);
}

struct cap_job {
    const struct den_device *device;
    float *values;
    size_t count;
    float cap;
};

static void cap_values(void *context, struct den_team *team, int member)
{
    const struct cap_job *job = context;
    size_t block = SERIAL_ELEMENTS / 2, i;

    (void)member;
    while ((i = den_team_claim(team, block)) < job->count)
        job->device->kernels.vector.softcap(
            job->values + i, job->count - i < block ? job->count - i : block, job->cap);
}

void den_device_softcap(struct den_device *device, float *values, size_t rows, size_t width,
                        float cap)
{
    struct cap_job job = { .device = device, .values = values, .count = rows * width, .cap = cap };

    if (job.count > SERIAL_ELEMENTS && device->threads > 1)
        den_team_share(device->team, cap_values, &job);
    else
        device->kernels.vector.softcap(values, job.count, cap);
}
