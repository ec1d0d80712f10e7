/* See embed_texts.h. */
#include "api/embed_texts.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/checked.h"

/* What a worker wants beside the vectors: pointers, lengths, and a place for token counts. */
struct inputs {
    const char **texts;
    size_t *lengths, *tokens;
};

static bool make_inputs(const json_t *texts, struct inputs *out)
{
    const size_t count = json_array_size(texts);
    size_t i;

    out->texts = calloc(count, sizeof *out->texts);
    out->lengths = calloc(count, sizeof *out->lengths);
    out->tokens = calloc(count, sizeof *out->tokens);
    if (!out->texts || !out->lengths || !out->tokens)
        return false;
    for (i = 0; i < count; i++) {
        out->texts[i] = json_string_value(json_array_get(texts, i));
        out->lengths[i] = json_string_length(json_array_get(texts, i));
    }
    return true;
}

enum den_status den_embed_texts(struct den_worker *worker, const struct den_embed_options *options,
                                struct den_embedded *out, struct den_error *err)
{
    const size_t width = den_worker_info(worker)->width, count = json_array_size(options->texts);
    struct den_worker_embed_request request = { .count = count, .truncate = options->truncate };
    struct inputs inputs = { 0 };
    size_t numbers, i;

    if (options->dimensions < 0 || (size_t)options->dimensions > width)
        return den_fail(err, DEN_INVALID, "'dimensions' is %lld; this model has %zu",
                        (long long)options->dimensions, width);
    if (!den_checked_multiply(count, width, &numbers))
        return den_fail(err, DEN_TOO_LARGE, "'input' has too many texts");
    *out =
        (struct den_embedded){ .vectors = calloc(numbers + 1, sizeof(float)),
                               .count = count,
                               .width = options->dimensions ? (size_t)options->dimensions : width };
    if (!make_inputs(options->texts, &inputs) || !out->vectors) {
        den_fail(err, DEN_NO_MEMORY, "embeddings: out of memory");
        goto done;
    }
    request.texts = inputs.texts;
    request.lengths = inputs.lengths;
    request.dimensions = (size_t)options->dimensions;
    if (den_worker_embed(worker, &request, out->vectors, inputs.tokens, err) == DEN_OK)
        for (i = 0; i < count; i++)
            out->tokens += inputs.tokens[i];
    else if (err->status == DEN_CONTEXT_FULL)
        den_fail_at(err, "'input'");
done:
    free((void *)inputs.texts);
    free(inputs.lengths);
    free(inputs.tokens);
    if (err->status != DEN_OK)
        den_embedded_deinit(out);
    return err->status;
}

void den_embedded_deinit(struct den_embedded *embedded)
{
    free(embedded->vectors);
    embedded->vectors = NULL;
}

/* A float's nine digits say all of it; as the double that it becomes it would print seventeen. */
static json_t *number_json(float value)
{
    char text[32];

    snprintf(text, sizeof text, "%.9g", (double)value);
    return json_real(strtod(text, NULL));
}

json_t *den_embedded_json(const struct den_embedded *embedded, size_t index)
{
    const float *vector = embedded->vectors + index * embedded->width;
    json_t *numbers = json_array();
    size_t i;

    for (i = 0; i < embedded->width; i++)
        json_array_append_new(numbers, number_json(vector[i]));
    return numbers;
}
