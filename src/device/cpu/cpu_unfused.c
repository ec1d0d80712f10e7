/* Linear layers with fusions switched off: what `den bench --ablate` compares with.
 *
 * An operation is taken apart into those that an engine without the fusion would run, each a pass
 * over memory and a job of the team of its own: f(input) of all rows into a buffer in f32, the
 * products of the stacked tensors one by one (each preparing the input for itself), the product
 * into a buffer and then its addition. The arithmetic is the same, so results differ by rounding
 * at most. A residual that is scattered over rows (the live rows of the last layer, experts) stays
 * fused: its buffer would have to be as large as what it is scattered over.
 *
 * The switch is one pointer of the device that is NULL in all other use; this memory exists only
 * while something is switched off. */
#include <stdlib.h>

#include "base/checked.h"
#include "device/cpu/cpu_device.h"
#include "device/fusion.h"

enum { CLAIMED_ROWS = 4, SERIAL_ELEMENTS = 8192 };

struct den_unfused {
    unsigned fusions;          /* those that are off */
    float *inputs;             /* (rows, width_max): f(input) */
    float *products;           /* (rows, width_max): what is then added to the residual */
    size_t floats;             /* in each of both */
    struct den_matrix *single; /* room for a matrix of one part */
};

static void free_unfused(struct den_unfused *unfused)
{
    if (!unfused)
        return;
    free(unfused->inputs);
    free(unfused->products);
    free(unfused->single);
    free(unfused);
}

enum den_status den_device_unfuse(struct den_device *device, unsigned fusions,
                                  struct den_error *err)
{
    struct den_unfused *unfused;
    size_t bytes;

    free_unfused(device->unfused);
    device->unfused = NULL;
    if (fusions == 0)
        return DEN_OK;
    unfused = calloc(1, sizeof *unfused);
    if (!unfused ||
        !den_checked_multiply(device->workspace.rows, device->workspace.width_max,
                              &unfused->floats) ||
        !den_checked_multiply(unfused->floats, sizeof(float), &bytes))
        goto fail;
    unfused->fusions = fusions;
    unfused->inputs = calloc(1, bytes ? bytes : 1);
    unfused->products = calloc(1, bytes ? bytes : 1);
    unfused->single = calloc(1, sizeof *unfused->single + sizeof unfused->single->parts[0]);
    if (!unfused->inputs || !unfused->products || !unfused->single)
        goto fail;
    device->unfused = unfused;
    return DEN_OK;
fail:
    free_unfused(unfused);
    return den_fail(err, DEN_NO_MEMORY, "device: no memory to run without fusions");
}

struct rows_job {
    struct den_device *device;
    const struct den_linear *op;
    size_t width;
    float *buffer; /* (rows, width) */
    void (*run)(const struct rows_job *job, size_t row);
};

static void write_function(const struct rows_job *job, size_t row)
{
    const struct den_linear *op = job->op;
    size_t source = op->input_rows ? (size_t)op->input_rows[row] : row;

    den_cpu_function(job->device, op, op->input + source * op->input_stride, job->width,
                     job->buffer + row * job->width);
}

static void add_product(const struct rows_job *job, size_t row)
{
    job->device->kernels.vector.add_scaled(job->buffer + row * job->width, 1, job->width,
                                           job->op->output + row * job->op->output_stride);
}

static void run_claimed(void *context, struct den_team *team, int member)
{
    const struct rows_job *job = context;
    size_t row, i;

    (void)member;
    while ((row = den_team_claim(team, CLAIMED_ROWS)) < job->op->rows)
        for (i = row; i < row + CLAIMED_ROWS && i < job->op->rows; i++)
            job->run(job, i);
}

/* As den_device_norm() does it: a few rows are not worth waking the team. */
static void run_rows(struct rows_job *job)
{
    size_t row;

    if (job->op->rows * job->width > SERIAL_ELEMENTS && job->device->threads > 1) {
        den_team_share(job->device->team, run_claimed, job);
        return;
    }
    for (row = 0; row < job->op->rows; row++)
        job->run(job, row);
}

/* `op` reads f(input) from now on. */
static void split_function(struct den_device *device, struct den_linear *op)
{
    struct rows_job job = { device, op, op->matrix->in, device->unfused->inputs, write_function };

    assert(op->rows * op->matrix->in <= device->unfused->floats);
    run_rows(&job);
    op->input = job.buffer;
    op->input_stride = job.width;
    op->input_rows = NULL;
    op->norm = (struct den_norm){ 0 };
    op->gate = DEN_ACTIVATION_NONE;
    op->activation = DEN_ACTIVATION_NONE;
}

/* Each stacked tensor by itself. */
static void multiply_parts(struct den_device *device, const struct den_linear *op)
{
    struct den_matrix *single = device->unfused->single;
    int i;

    for (i = 0; i < op->matrix->count; i++) {
        const struct den_matrix_part *part = &op->matrix->parts[i];
        struct den_linear now = *op;

        *single = *op->matrix;
        single->parts[0] = *part;
        single->parts[0].output = 0;
        single->parts[0].panel = 0;
        single->out = part->packed.out;
        single->panels = part->packed.panels;
        single->count = 1;
        now.matrix = single;
        now.bias = op->bias ? op->bias + part->output : NULL;
        now.output = op->output + part->output;
        den_cpu_linear(device, &now);
    }
}

void den_cpu_linear_unfused(struct den_device *device, const struct den_linear *op)
{
    const struct den_unfused *unfused = device->unfused;
    struct rows_job add = { device, op, op->matrix->out, unfused->products, add_product };
    struct den_linear now = *op;
    bool has_norm = op->norm.weight != NULL;
    bool has_gate = op->gate != DEN_ACTIVATION_NONE || op->activation != DEN_ACTIVATION_NONE;
    bool adds = op->accumulate && !op->output_rows && (unfused->fusions & DEN_FUSION_RESIDUAL) &&
                op->rows * op->matrix->out <= unfused->floats;

    if ((has_norm && (unfused->fusions & DEN_FUSION_NORM)) ||
        (has_gate && (unfused->fusions & DEN_FUSION_GATE)))
        split_function(device, &now);
    if (adds) {
        now.output = add.buffer;
        now.output_stride = add.width;
        now.accumulate = false;
    }
    if (op->matrix->count > 1 && (unfused->fusions & DEN_FUSION_STACK))
        multiply_parts(device, &now);
    else
        den_cpu_linear(device, &now);
    if (adds)
        run_rows(&add);
}
