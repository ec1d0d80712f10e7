/* See bert_head.h. The head is a millionth of the work, so it is plain C in double; nothing of it
 * is rounded to codes. */
#include "model/bert_head.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/layout.h"

struct den_bert_head {
    size_t width;
    float *dense;      /* (width, width), row by row of the output; NULL: there is none */
    float *dense_bias; /* (width); NULL: zeros */
    float *output;     /* (width) */
    float output_bias;
};

/* What the two layers are called: pairs that are told apart by the first that is there. A dense
 * layer alone is none of them: "cls" without "cls.output" is a converter's name for a classifier
 * with one layer. */
static const struct {
    const char *output, *dense;
} names[] = {
    { "cls.output", "cls" },
    { "cls", "" },
    { "classifier.out_proj", "classifier.dense" },
    { "classifier", "bert.pooler.dense" },
};

static const struct den_tensor *find(const struct den_weights *weights, const char *name,
                                     const char *last)
{
    char whole[64];

    snprintf(whole, sizeof whole, "%s.%s", name, last);
    return *name ? den_weights_find(weights, whole) : NULL;
}

/* The tensor as f32; *out stays NULL where there is no tensor. */
static enum den_status copy(const struct den_tensor *tensor, size_t in, size_t rows, float **out,
                            struct den_error *err)
{
    float *values;

    if (!tensor)
        return DEN_OK;
    if (den_layout_check(tensor, in, rows, err) != DEN_OK)
        return err->status;
    values = malloc(in * rows * sizeof *values); /* bounded: DEN_WIDTH_MAX squared */
    if (!values)
        return den_fail(err, DEN_NO_MEMORY, "out of memory while loading");
    den_type_to_f32(tensor->type, tensor->data, values, in * rows);
    *out = values;
    return DEN_OK;
}

static enum den_status load(struct den_bert_head *head, const struct den_weights *weights,
                            struct den_error *err)
{
    const size_t width = head->width, count = sizeof names / sizeof names[0];
    float *bias = NULL;
    size_t i = 0;

    while (i < count && !find(weights, names[i].output, "weight"))
        i++;
    if (i == count)
        return den_fail(err, DEN_BAD_FILE,
                        "the head of a reranker is missing: none of 'cls.output.weight', "
                        "'classifier.out_proj.weight' and 'classifier.weight' is there");
    if (copy(find(weights, names[i].output, "weight"), width, 1, &head->output, err) != DEN_OK ||
        copy(find(weights, names[i].output, "bias"), 1, 1, &bias, err) != DEN_OK ||
        copy(find(weights, names[i].dense, "weight"), width, width, &head->dense, err) != DEN_OK ||
        copy(find(weights, names[i].dense, "bias"), width, 1, &head->dense_bias, err) != DEN_OK)
        goto done;
    head->output_bias = bias ? *bias : 0;
done:
    free(bias);
    return err->status;
}

enum den_status den_bert_head_create(const struct den_weights *weights,
                                     const struct den_bert_description *description,
                                     struct den_bert_head **out, struct den_error *err)
{
    struct den_bert_head *head = calloc(1, sizeof *head);

    if (!head)
        return den_fail(err, DEN_NO_MEMORY, "model: out of memory");
    head->width = description->width;
    if (load(head, weights, err) != DEN_OK) {
        den_bert_head_destroy(head);
        return den_fail_at(err, "model: %s", den_weights_path(weights));
    }
    *out = head;
    return DEN_OK;
}

void den_bert_head_destroy(struct den_bert_head *head)
{
    if (!head)
        return;
    free(head->dense);
    free(head->dense_bias);
    free(head->output);
    free(head);
}

static double product(const float *a, const float *b, size_t count)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

double den_bert_head_score(const struct den_bert_head *head, const float *first)
{
    const size_t width = head->width;
    double score = (double)head->output_bias;
    size_t i;

    if (!head->dense)
        return score + product(head->output, first, width);
    for (i = 0; i < width; i++) {
        double bias = head->dense_bias ? (double)head->dense_bias[i] : 0;

        score +=
            (double)head->output[i] * tanh(product(head->dense + i * width, first, width) + bias);
    }
    return score;
}
