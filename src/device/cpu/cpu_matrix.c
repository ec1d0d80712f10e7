/* Matrices on the CPU: packed panels (kernels/pack.h), one part for each stacked tensor.
 *
 * Parts keep their own format, so that a file whose V is Q6_K and whose Q and K are Q4_K still has
 * one QKV product. The team packs, each member touching first the pages it packs. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "device/cpu/cpu_device.h"
#include "kernels/pack.h"

enum { CLAIMED_PANELS = 8, CLAIMED_ROWS = 8, SERIAL_ROWS = 8 };

struct pack_job {
    const struct den_packed *packed;
    struct den_pack_source source;
};

static void pack(void *context, struct den_team *team, int member)
{
    const struct pack_job *job = context;
    size_t first;

    (void)member;
    while ((first = den_team_claim(team, CLAIMED_PANELS)) < job->packed->panels) {
        size_t end = first + CLAIMED_PANELS;

        den_pack_panels(job->packed, &job->source, first,
                        end < job->packed->panels ? end : job->packed->panels);
    }
}

/* Adds `tensor` as the next part. */
static enum den_status add_part(struct den_device *device, struct den_matrix *matrix,
                                const struct den_tensor *tensor, enum den_precision precision,
                                struct den_error *err)
{
    struct den_matrix_part *part = &matrix->parts[matrix->count];
    struct pack_job job = {
        .packed = &part->packed,
        .source = { .type = tensor->type, .rows = tensor->data, .row_bytes = tensor->row_bytes }
    };
    enum den_pack_format format;
    bool is_packed = false;
    size_t bytes;

    if (tensor->size[0] != matrix->in)
        return den_fail(err, DEN_BAD_FILE, "has %zu inputs where the matrix has %zu",
                        tensor->size[0], matrix->in);
    if (den_pack_choose(tensor->type, precision == DEN_PRECISION_INT8, &format, err) != DEN_OK)
        return err->status;
    matrix->is_wide = precision == DEN_PRECISION_INT16 && matrix->in % 2 == 0;
    if (matrix->is_wide)
        format = DEN_PACK_S16;
    if (den_pack_plan(format, matrix->in, den_tensor_rows(tensor), &part->packed, err) != DEN_OK)
        return err->status;
    if (!den_checked_multiply(part->packed.panels, part->packed.panel_bytes, &bytes))
        return den_fail(err, DEN_TOO_LARGE, "too large");
    part->packed.data = den_kept_take(device, &part->packed, tensor->name, &is_packed);
    part->is_kept = part->packed.data != NULL;
    if (!part->is_kept)
        part->packed.data = den_pages_map(bytes);
    if (!part->packed.data)
        return den_fail(err, DEN_NO_MEMORY, "no memory for %zu MiB of packed weights", bytes >> 20);
    part->output = matrix->out;
    part->panel = matrix->panels;
    matrix->count++;
    matrix->out += part->packed.out;
    matrix->panels += part->packed.panels;
    matrix->bytes += bytes;
    if (matrix->is_wide)
        matrix->in_padded = (matrix->in + DEN_GROUP - 1) / DEN_GROUP * DEN_GROUP;
    else if (!den_pack_is_quantized(format))
        matrix->has_float = true;
    else if (matrix->in_padded < part->packed.in_padded)
        matrix->in_padded = part->packed.in_padded;
    if (!is_packed)
        den_team_share(device->team, pack, &job);
    if (!is_packed && part->is_kept)
        den_kept_filled(device, &part->packed);
    return DEN_OK;
}

enum den_status den_matrix_create(struct den_device *device,
                                  const struct den_tensor *const *tensors, int count,
                                  enum den_precision precision, struct den_matrix **out,
                                  struct den_error *err)
{
    struct den_matrix *matrix;
    int i;

    if (count < 1 || count > DEN_TENSORS_MAX)
        return den_fail(err, DEN_INVALID, "matrix: %d tensors, 1 to %d possible", count,
                        DEN_TENSORS_MAX);
    matrix = calloc(1, sizeof *matrix + (size_t)count * sizeof matrix->parts[0]);
    if (!matrix)
        return den_fail(err, DEN_NO_MEMORY, "matrix: out of memory");
    matrix->in = tensors[0]->size[0];
    for (i = 0; i < count; i++) {
        if (add_part(device, matrix, tensors[i], precision, err) == DEN_OK)
            continue;
        den_fail_at(err, "tensor '%s'", tensors[i]->name ? tensors[i]->name : "(unnamed)");
        goto fail;
    }
    *out = matrix;
    return DEN_OK;
fail:
    den_matrix_destroy(matrix);
    return err->status;
}

void den_matrix_destroy(struct den_matrix *matrix)
{
    int i;

    if (!matrix)
        return;
    for (i = 0; i < matrix->count; i++)
        if (!matrix->parts[i].is_kept)
            den_pages_unmap(matrix->parts[i].packed.data,
                            matrix->parts[i].packed.panels * matrix->parts[i].packed.panel_bytes);
    free(matrix);
}

size_t den_matrix_in(const struct den_matrix *matrix)
{
    return matrix->in;
}

size_t den_matrix_out(const struct den_matrix *matrix)
{
    return matrix->out;
}

size_t den_matrix_bytes(const struct den_matrix *matrix)
{
    return matrix->bytes;
}

/* --- embedding --- */

struct embed_job {
    const struct den_device *device;
    const struct den_embed *op;
};

static void embed_row(const struct embed_job *job, size_t row)
{
    const struct den_embed *op = job->op;
    const struct den_matrix_part *part = op->matrix->parts;
    float *output = op->output + row * op->output_stride;
    size_t token = (size_t)op->tokens[row];

    assert(op->tokens[row] >= 0 && token < op->matrix->out);
    while (token >= part->output + part->packed.out)
        part++;
    den_packed_row_to_f32(&part->packed, token - part->output, output);
    if (op->scale != 1)
        job->device->kernels.vector.scale(output, op->scale, op->matrix->in, output);
}

static void embed(void *context, struct den_team *team, int member)
{
    const struct embed_job *job = context;
    size_t row, i;

    (void)member;
    while ((row = den_team_claim(team, CLAIMED_ROWS)) < job->op->rows)
        for (i = row; i < row + CLAIMED_ROWS && i < job->op->rows; i++)
            embed_row(job, i);
}

void den_device_embed(struct den_device *device, const struct den_embed *op)
{
    struct embed_job job = { .device = device, .op = op };
    size_t row;

    if (op->rows > SERIAL_ROWS && device->threads > 1) {
        den_team_share(device->team, embed, &job);
        return;
    }
    for (row = 0; row < op->rows; row++)
        embed_row(&job, row);
}
