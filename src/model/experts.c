/* Mixture of experts: a router scores all experts for each row, the best few run on it, and their
 * answers are added, weighted by the router's softmax.
 *
 * Rows are grouped by expert, so that each expert's matrices are read once for all rows that chose
 * it. First every expert's gate and up, then every expert's down: the down products may add to the
 * very rows that the others still have to read. Experts run in rising order, so sums come out the
 * same for the same batch. */
#include "model/parts.h"

#include <math.h>
#include <string.h>

void den_experts_choose(const float *logits, size_t experts, size_t used, bool renormalise,
                        int32_t *out_chosen, float *out_scales)
{
    float largest;
    float total = 0;
    size_t count = 0;
    size_t i;

    for (i = 0; i < experts; i++) { /* insertion into the few best so far; ties: the first wins */
        size_t at = count < used ? count : used;

        while (at > 0 && logits[i] > logits[out_chosen[at - 1]])
            at--;
        if (at >= used)
            continue;
        if (count < used)
            count++;
        memmove(out_chosen + at + 1, out_chosen + at, (count - 1 - at) * sizeof *out_chosen);
        out_chosen[at] = (int32_t)i;
    }
    largest = logits[out_chosen[0]];
    for (i = 0; i < used; i++) {
        out_scales[i] = expf(logits[out_chosen[i]] - largest);
        total += out_scales[i];
    }
    if (!renormalise)
        for (total = 0, i = 0; i < experts; i++)
            total += expf(logits[i] - largest);
    for (i = 0; i < used; i++)
        out_scales[i] /= total;
}

/* A counting sort of (row, choice) by expert. */
static void group_by_expert(struct den_forward *forward, size_t rows, size_t experts, size_t used)
{
    int32_t *first = forward->expert_first;
    size_t total = rows * used;
    size_t i;

    memset(first, 0, (experts + 1) * sizeof *first);
    for (i = 0; i < total; i++)
        first[forward->chosen[i] + 1]++;
    for (i = 0; i < experts; i++)
        first[i + 1] += first[i];
    for (i = 0; i < total; i++) {
        int32_t at = first[forward->chosen[i]]++;

        forward->routed_rows[at] = (int32_t)(i / used);
        forward->routed_scales[at] = forward->chosen_scales[i];
    }
    /* each start has moved to its end, which is the next one's start */
    memmove(first + 1, first, experts * sizeof *first);
    first[0] = 0;
}

static void run_expert(const struct den_model *model, struct den_forward *forward,
                       const struct den_layer *layer, const struct den_norm *norm, size_t expert,
                       float *output)
{
    const struct den_description *d = &model->description;
    size_t at = (size_t)forward->expert_first[expert];
    size_t count = (size_t)forward->expert_first[expert + 1] - at;
    float *up = forward->up + at * 2 * d->expert_width;

    if (count == 0)
        return;
    if (!output)
        den_device_linear(model->device, &(struct den_linear){
                                             .matrix = layer->expert_gate_up[expert],
                                             .rows = count,
                                             .input = forward->hidden,
                                             .input_stride = d->width,
                                             .norm = *norm,
                                             .output = up,
                                             .output_stride = 2 * d->expert_width,
                                             .input_rows = forward->routed_rows + at,
                                         });
    else
        den_device_linear(model->device, &(struct den_linear){
                                             .matrix = layer->expert_down[expert],
                                             .rows = count,
                                             .input = up,
                                             .input_stride = 2 * d->expert_width,
                                             .gate = d->activation,
                                             .output = output,
                                             .output_stride = d->width,
                                             .accumulate = true,
                                             .output_rows = forward->routed_rows + at,
                                             .scales = forward->routed_scales + at,
                                         });
}

void den_experts_run(const struct den_model *model, struct den_forward *forward,
                     const struct den_layer *layer, const struct den_norm *norm, size_t rows,
                     float *output)
{
    const struct den_description *d = &model->description;
    size_t used = d->experts_used;
    size_t row;
    size_t expert;

    den_device_linear(model->device, &(struct den_linear){
                                         .matrix = layer->router,
                                         .rows = rows,
                                         .input = forward->hidden,
                                         .input_stride = d->width,
                                         .norm = *norm,
                                         .output = forward->router,
                                         .output_stride = d->experts,
                                     });
    for (row = 0; row < rows; row++)
        den_experts_choose(forward->router + row * d->experts, d->experts, used,
                           d->expert_renormalise, forward->chosen + row * used,
                           forward->chosen_scales + row * used);
    group_by_expert(forward, rows, d->experts, used);
    for (expert = 0; expert < d->experts; expert++)
        run_expert(model, forward, layer, norm, expert, NULL);
    for (expert = 0; expert < d->experts; expert++)
        run_expert(model, forward, layer, norm, expert, output);
}
