/* Linear layers on the CPU.
 *
 * A product has two phases. First each input row becomes what the kernels want: normalised or gated
 * and quantized to int8 (or left in f32), in the workspace, rows being shared out; then panels of
 * weights are. With a single row the first phase is a microsecond of work, less than waiting for
 * each other costs, and so every member does it for itself and there is one phase.
 *
 * In the second phase a work item is a run of panels times a block of rows: small enough that the
 * last item does not keep the team waiting, large enough that a panel's bytes, once in the nearest
 * cache, meet many rows. Blocks of rows keep their activations within the second-level cache.
 * Where rows are scattered (experts adding to the same output row), items are cut along the outputs
 * only: one member then adds all rows of its columns, in order, and the sum is the same each time.
 */
#include <string.h>

#include "device/cpu/cpu_device.h"

enum {
    SERIAL_WORK = 1 << 17,       /* multiplications that one thread does in the time of a wake */
    ROW_BLOCK_BYTES = 512 << 10, /* of activations: half of a common second-level cache */
    ROW_BLOCK_MIN = 96,          /* whole tiles of 6, 8 and 12 rows */
    ITEMS_PER_THREAD = 8,
    ITEM_PANELS_MAX = 32,           /* of a single row */
    ITEM_MULTIPLICATIONS = 1 << 20, /* of many rows: tens of microseconds */
    CLAIMED_ROWS = 4
};

struct job {
    struct den_device *device;
    const struct den_linear *op;
    const struct den_matrix *matrix;
    bool prepare; /* the input is not read as it stands */
    bool own;     /* each member prepares the only row for itself */
    size_t item_panels;
    size_t item_rows;
    size_t panel_items; /* items along the outputs */
    size_t items;
};

/* f(input) for the kernels, in the workspace: of all rows, or one member's own of the only row. */
struct prepared {
    float *normed;                    /* (rows, in) */
    float *own;                       /* (in): a row on its way to i16, always the same memory */
    struct den_activations quantized; /* (rows) */
    struct den_wide_activations wide; /* (rows), for matrices that take i16 */
};

static den_gate_kernel gate_kernel(const struct den_vector_kernels *vector,
                                   enum den_activation activation)
{
    switch (activation) {
    case DEN_ACTIVATION_SILU:
        return vector->gate_silu;
    case DEN_ACTIVATION_GELU_TANH:
        return vector->gate_gelu_tanh;
    case DEN_ACTIVATION_GELU_ERF:
        return vector->gate_gelu_erf;
    case DEN_ACTIVATION_NONE:
        break;
    }
    return NULL;
}

static void activate(const struct den_vector_kernels *vector, enum den_activation activation,
                     const float *input, size_t width, float *output)
{
    if (activation == DEN_ACTIVATION_GELU_ERF)
        vector->gelu_erf(input, width, output);
    else
        vector->gelu_tanh(input, width, output);
}

void den_cpu_function(const struct den_device *device, const struct den_linear *op,
                      const float *input, size_t in, float *output)
{
    const struct den_vector_kernels *vector = &device->kernels.vector;
    const struct den_norm *norm = &op->norm;

    if (op->gate != DEN_ACTIVATION_NONE)
        gate_kernel(vector, op->gate)(input, input + in, in, output);
    else if (op->activation != DEN_ACTIVATION_NONE)
        activate(vector, op->activation, input, in, output);
    else if (norm->weight && norm->bias)
        vector->layer_norm(input, norm->weight, norm->bias, norm->epsilon, in, output);
    else if (norm->weight)
        vector->rms_norm(input, norm->weight, norm->epsilon, in, output);
    else
        memcpy(output, input, in * sizeof *output);
}

/* f(input) in f32; where f is nothing, the input itself unless a copy is wanted. */
static const float *prepare_float(const struct job *job, const float *input, float *normed)
{
    const struct den_linear *op = job->op;

    if (!op->gate && !op->activation && !op->norm.weight && !job->matrix->has_float)
        return input;
    den_cpu_function(job->device, op, input, job->matrix->in, normed);
    return normed;
}

static void prepare_row(const struct job *job, size_t row, const struct prepared *prepared)
{
    const struct den_kernels *kernels = &job->device->kernels;
    const struct den_linear *op = job->op;
    const struct den_norm *norm = &op->norm;
    size_t in = job->matrix->in, source = op->input_rows ? (size_t)op->input_rows[row] : row;
    const float *input = op->input + source * op->input_stride;
    float *normed = prepared->normed + row * in;

    if (job->matrix->is_wide) {
        kernels->quantize.wide_row(prepare_float(job, input, prepared->own), in, &prepared->wide,
                                   row);
    } else if (job->matrix->has_float || norm->bias || op->activation) {
        const float *ready = prepare_float(job, input, normed);

        if (job->matrix->in_padded)
            kernels->quantize.row(ready, in, &prepared->quantized, row);
    } else if (op->gate != DEN_ACTIVATION_NONE) {
        den_gate_quantize_row(kernels, gate_kernel(&kernels->vector, op->gate), input, in,
                              &prepared->quantized, row);
    } else if (norm->weight) {
        kernels->quantize.norm_row(input, norm->weight, norm->epsilon, in, &prepared->quantized,
                                   row);
    } else {
        kernels->quantize.row(input, in, &prepared->quantized, row);
    }
}

static struct prepared place(const struct job *job, size_t rows, size_t slot, int member)
{
    struct den_workspace *workspace = &job->device->workspace;
    struct prepared prepared = { .normed = workspace->normed + slot * workspace->width_max,
                                 .own = workspace->normed + (size_t)member * workspace->width_max };

    if (job->matrix->is_wide)
        den_wide_activations_place(&prepared.wide,
                                   workspace->quantized + slot * workspace->quantized_row_bytes,
                                   rows, job->matrix->in_padded);
    else if (job->matrix->in_padded)
        (job->op->fine ? den_activations_place_fine : den_activations_place)(
            &prepared.quantized, workspace->quantized + slot * workspace->quantized_row_bytes,
            den_activations_rows(rows), job->matrix->in_padded);
    return prepared;
}

/* Panels [panel, panel_end) of the whole matrix times rows [row, row_end). */
static void multiply(const struct job *job, const struct prepared *prepared, size_t panel,
                     size_t panel_end, size_t row, size_t row_end)
{
    const struct den_linear *op = job->op;
    const struct den_matrix *matrix = job->matrix;
    struct den_matmul product = { .quantized = &prepared->quantized,
                                  .wide = &prepared->wide,
                                  .input = op->input,
                                  .input_stride = op->input_stride,
                                  .row_begin = row,
                                  .row_end = row_end,
                                  .scales = op->scales,
                                  .output_rows = op->output_rows,
                                  .output_stride = op->output_stride,
                                  .accumulate = op->accumulate };
    int i;

    if (job->prepare && matrix->has_float) {
        product.input = prepared->normed;
        product.input_stride = matrix->in;
    }
    for (i = 0; i < matrix->count && panel < panel_end; i++) {
        const struct den_matrix_part *part = &matrix->parts[i];
        size_t part_end = part->panel + part->packed.panels;
        size_t end = panel_end < part_end ? panel_end : part_end;

        if (panel >= part_end)
            continue;
        product.weights = &part->packed;
        product.bias = op->bias ? op->bias + part->output : NULL;
        product.output = op->output + part->output;
        job->device->kernels.matmul[part->packed.format](&product, panel - part->panel,
                                                         end - part->panel);
        panel = end;
    }
}

static void multiply_item(const struct job *job, const struct prepared *prepared, size_t item)
{
    size_t panel = item % job->panel_items * job->item_panels;
    size_t panel_end = panel + job->item_panels, rows = job->op->rows;
    size_t row = item / job->panel_items * job->item_rows, row_end = row + job->item_rows;

    multiply(job, prepared, panel,
             panel_end < job->matrix->panels ? panel_end : job->matrix->panels, row,
             row_end < rows ? row_end : rows);
}

static void prepare_rows(void *context, struct den_team *team, int member)
{
    const struct job *job = context;
    struct prepared prepared = place(job, job->op->rows, 0, member);
    size_t row, i;

    while ((row = den_team_claim(team, CLAIMED_ROWS)) < job->op->rows)
        for (i = row; i < row + CLAIMED_ROWS && i < job->op->rows; i++)
            prepare_row(job, i, &prepared);
}

static void multiply_items(void *context, struct den_team *team, int member)
{
    const struct job *job = context;
    struct prepared prepared = place(job, job->op->rows, job->own ? (size_t)member : 0, member);
    size_t item = den_team_claim(team, 1);

    if (job->own && item < job->items)
        prepare_row(job, 0, &prepared);
    for (; item < job->items; item = den_team_claim(team, 1))
        multiply_item(job, &prepared, item);
}

/* Cuts the product into items. */
static void plan(struct job *job)
{
    size_t rows = job->op->rows, panels = job->matrix->panels, in = job->matrix->in;
    size_t wanted = ITEMS_PER_THREAD * (size_t)job->device->threads;
    size_t element = job->matrix->has_float ? sizeof(float) : job->matrix->is_wide ? 2 : 1;
    size_t most = ITEM_PANELS_MAX;

    job->item_rows = ROW_BLOCK_BYTES / (in * element) / ROW_BLOCK_MIN * ROW_BLOCK_MIN;
    if (job->item_rows < ROW_BLOCK_MIN)
        job->item_rows = ROW_BLOCK_MIN;
    if (job->op->output_rows || job->item_rows > rows)
        job->item_rows = rows;
    if (rows > 1)
        most = ITEM_MULTIPLICATIONS / (in * DEN_PANEL * job->item_rows) + 1;
    job->item_panels = panels / wanted;
    if (job->item_panels > most)
        job->item_panels = most;
    if (job->item_panels == 0)
        job->item_panels = 1;
    if (rows > 1 && (job->matrix->is_wide || job->matrix->has_float))
        job->item_panels += job->item_panels % 2; /* a tile is two panels with AVX-512 */
    job->panel_items = (panels + job->item_panels - 1) / job->item_panels;
    job->items = job->panel_items * ((rows + job->item_rows - 1) / job->item_rows);
}

void den_cpu_linear(struct den_device *device, const struct den_linear *op)
{
    const struct den_matrix *matrix = op->matrix;
    struct job job = { .device = device, .op = op, .matrix = matrix };
    struct prepared prepared;
    size_t i;

    assert(op->rows <= device->workspace.rows && matrix->in <= device->workspace.width_max);
    if (op->rows == 0)
        return;
    assert(op->activation == DEN_ACTIVATION_NONE || op->activation >= DEN_ACTIVATION_GELU_TANH);
    job.prepare =
        matrix->in_padded || op->norm.weight || op->gate || op->activation || op->input_rows;
    if (device->threads > 1 && op->rows * matrix->in * matrix->out > SERIAL_WORK) {
        job.own = job.prepare && op->rows == 1;
        plan(&job);
        if (job.prepare && !job.own)
            den_team_share(device->team, prepare_rows, &job);
        den_team_share(device->team, multiply_items, &job);
        return;
    }
    prepared = place(&job, op->rows, 0, 0);
    for (i = 0; job.prepare && i < op->rows; i++)
        prepare_row(&job, i, &prepared);
    multiply(&job, &prepared, 0, matrix->panels, 0, op->rows);
}

void den_device_linear(struct den_device *device, const struct den_linear *op)
{
    if (device->unfused)
        den_cpu_linear_unfused(device, op);
    else
        den_cpu_linear(device, op);
}
