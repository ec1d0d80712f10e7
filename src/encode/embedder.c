/* See embedder.h. A run has three passes. Every text becomes tokens; the order of work is found by
 * sorting them by length, longest first; then as many texts as fit a batch go through the model,
 * are pooled and normalised, and land in their place of the output.
 *
 * Batches hold no padding, so sorting saves no arithmetic by itself. What it buys is that the texts
 * of a batch are alike in length, so that the heads of their attention, the pieces that threads
 * claim, are alike in work. A batch is ROWS tokens, enough for the products to run at full speed
 * and few enough for a cancelled request to end within a tenth of a second. */
#include "encode/embedder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "model/bert.h"

enum { ROWS = 1024 };

struct den_embedder {
    struct den_weights *weights;
    struct den_tokenizer *tokenizer;
    struct den_device *device;
    struct den_bert *bert;
};

/* One text of a request. */
struct entry {
    size_t index; /* in the request */
    size_t first; /* its first token in job.tokens */
    size_t count; /* after truncation; at least 1 */
};

struct job {
    struct den_embedder *embedder;
    const struct den_embed_request *request;
    struct den_tokens tokens; /* of all texts, one behind the other */
    struct entry *entries;    /* (count) */
    int32_t *rows;            /* tokens of the batch in hand */
    size_t *begin;            /* (count + 1): of its texts */
    size_t width;             /* of an output vector */
    float *vectors;
};

/* --- opening --- */

static enum den_status check_tokenizer(const struct den_embedder *embedder, struct den_error *err)
{
    size_t have = den_tokenizer_size(embedder->tokenizer);
    size_t words = den_bert_description(embedder->bert)->vocabulary;

    if (have > words)
        return den_fail(err, DEN_BAD_FILE,
                        "model: %s: the tokenizer has %zu tokens and the model knows %zu; they "
                        "belong to different models",
                        den_weights_path(embedder->weights), have, words);
    return DEN_OK;
}

enum den_status den_embedder_open(const struct den_embedder_options *options,
                                  struct den_embedder **out, struct den_error *err)
{
    struct den_embedder *embedder = calloc(1, sizeof *embedder);
    struct den_device_options device = { .threads = options->threads,
                                         .cpu_features = options->cpu_features,
                                         .packed = options->packed };
    struct den_bert_description description;

    if (!embedder)
        return den_fail(err, DEN_NO_MEMORY, "embedder: out of memory");
    if (den_weights_open(options->path, &embedder->weights, err) != DEN_OK ||
        den_bert_description_read(embedder->weights, &description, err) != DEN_OK ||
        den_tokenizer_create(embedder->weights, &embedder->tokenizer, err) != DEN_OK ||
        den_device_create(&device, &embedder->device, err) != DEN_OK ||
        den_bert_create(embedder->weights, embedder->device, options->precision, ROWS,
                        &embedder->bert, err) != DEN_OK ||
        check_tokenizer(embedder, err) != DEN_OK)
        goto fail;
    *out = embedder;
    return DEN_OK;
fail:
    den_embedder_close(embedder);
    return err->status;
}

void den_embedder_close(struct den_embedder *embedder)
{
    if (!embedder)
        return;
    den_bert_destroy(embedder->bert);
    den_device_destroy(embedder->device);
    den_tokenizer_destroy(embedder->tokenizer);
    den_weights_close(embedder->weights);
    free(embedder);
}

size_t den_embedder_width(const struct den_embedder *embedder)
{
    return den_bert_description(embedder->bert)->width;
}

size_t den_embedder_context(const struct den_embedder *embedder)
{
    return den_bert_description(embedder->bert)->context_tokens;
}

size_t den_embedder_parameters(const struct den_embedder *embedder)
{
    return den_bert_description(embedder->bert)->parameters;
}

const char *den_embedder_name(const struct den_embedder *embedder)
{
    return den_bert_description(embedder->bert)->name;
}

const char *den_embedder_architecture(const struct den_embedder *embedder)
{
    return den_bert_description(embedder->bert)->architecture;
}

const struct den_tokenizer *den_embedder_tokenizer(const struct den_embedder *embedder)
{
    return embedder->tokenizer;
}

const struct den_device *den_embedder_device(const struct den_embedder *embedder)
{
    return embedder->device;
}

/* --- tokens --- */

/* Cuts the text that ends job->tokens to `most` tokens. The special token at its end, where the
 * model has one there, stays at the end, as when only the text itself had been cut. */
static void truncate_tokens(struct job *job, size_t first, size_t most)
{
    const struct den_tokenizer *tokenizer = job->embedder->tokenizer;
    den_token last = job->tokens.items[job->tokens.count - 1];

    if (den_tokenizer_is_special(tokenizer, last))
        job->tokens.items[first + most - 1] = last;
    job->tokens.count = first + most;
}

static enum den_status tokenize(struct job *job, size_t index, struct den_error *err)
{
    const struct den_embed_request *request = job->request;
    size_t first = job->tokens.count, most = den_embedder_context(job->embedder), count;
    struct entry *entry = &job->entries[index];

    /* "[MASK]" in a text is the token of that name, as sentence-transformers has it */
    if (den_tokenizer_encode(
            job->embedder->tokenizer, request->texts[index], request->lengths[index],
            DEN_ENCODE_ADD_SPECIAL | DEN_ENCODE_PARSE_SPECIAL, &job->tokens, err) != DEN_OK)
        return den_fail_at(err, "text %zu", index);
    count = job->tokens.count - first;
    if (count == 0)
        return den_fail(err, DEN_INVALID,
                        "text %zu: is empty, and this model adds no tokens of "
                        "its own; a text of at least one letter was expected",
                        index);
    if (count > most && !request->truncate)
        return den_fail(err, DEN_CONTEXT_FULL,
                        "text %zu: has %zu tokens; the model reads %zu at most", index, count,
                        most);
    if (count > most)
        truncate_tokens(job, first, most);
    *entry = (struct entry){ .index = index, .first = first, .count = job->tokens.count - first };
    return DEN_OK;
}

/* Longest first; equals in the order given, so that a request always makes the same batches. */
static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return x->index < y->index ? -1 : 1;
}

/* --- vectors --- */

static void pool(enum den_pooling pooling, const float *rows, size_t count, size_t width,
                 double *out)
{
    const float *from = pooling == DEN_POOLING_LAST ? rows + (count - 1) * width : rows;
    size_t r, i;

    for (i = 0; i < width; i++)
        out[i] = from[i];
    if (pooling == DEN_POOLING_FIRST || pooling == DEN_POOLING_LAST)
        return;
    for (r = 1; r < count; r++)
        for (i = 0; i < width; i++) {
            double value = rows[r * width + i];

            if (pooling == DEN_POOLING_MEAN)
                out[i] += value;
            else if (value > out[i])
                out[i] = value;
        }
}

/* Pools one text's rows into its place of the output, at unit length: a mean's divisor and the sum
 * are the same there. */
static enum den_status finish(struct job *job, const struct entry *entry, const float *rows,
                              double *sums, struct den_error *err)
{
    const struct den_bert_description *d = den_bert_description(job->embedder->bert);
    float *vector = job->vectors + entry->index * job->width;
    double squares = 0, scale;
    size_t i;

    pool(d->pooling, rows, entry->count, d->width, sums);
    for (i = 0; i < job->width; i++)
        squares += sums[i] * sums[i];
    if (!isfinite(squares))
        return den_fail(err, DEN_BAD_FILE,
                        "text %zu: its vector is not finite; the model's weights are damaged",
                        entry->index);
    scale = squares > 0 ? 1 / sqrt(squares) : 0;
    for (i = 0; i < job->width; i++)
        vector[i] = (float)(sums[i] * scale);
    return DEN_OK;
}

/* Entries [first, end) as one batch. */
static enum den_status run_batch(struct job *job, size_t first, size_t end, double *sums,
                                 struct den_error *err)
{
    struct den_bert_batch batch = { .tokens = job->rows,
                                    .begin = job->begin,
                                    .texts = end - first };
    size_t width = den_embedder_width(job->embedder), i;
    const float *hidden;

    job->begin[0] = 0;
    for (i = first; i < end; i++) {
        const struct entry *entry = &job->entries[i];
        size_t at = job->begin[i - first];

        memcpy(job->rows + at, job->tokens.items + entry->first, entry->count * sizeof *job->rows);
        job->begin[i - first + 1] = at + entry->count;
    }
    hidden = den_bert_run(job->embedder->bert, &batch);
    for (i = first; i < end; i++)
        if (finish(job, &job->entries[i], hidden + job->begin[i - first] * width, sums, err) !=
            DEN_OK)
            return err->status;
    return DEN_OK;
}

static enum den_status run_all(struct job *job, double *sums, struct den_error *err)
{
    const struct den_embed_request *request = job->request;
    size_t first, end;

    for (first = 0; first < request->count; first = end) {
        size_t rows = job->entries[first].count;

        if (request->cancel && atomic_load(request->cancel))
            return den_fail(err, DEN_CANCELLED, "embedding was cancelled");
        for (end = first + 1; end < request->count && rows + job->entries[end].count <= ROWS; end++)
            rows += job->entries[end].count;
        if (run_batch(job, first, end, sums, err) != DEN_OK)
            return err->status;
    }
    return DEN_OK;
}

static enum den_status prepare(struct job *job, size_t *out_tokens, struct den_error *err)
{
    const struct den_embed_request *request = job->request;
    size_t rows = den_embedder_context(job->embedder), i;

    job->rows = calloc(rows > ROWS ? rows : ROWS, sizeof *job->rows);
    job->entries = calloc(request->count, sizeof *job->entries);
    job->begin = calloc(request->count + 1, sizeof *job->begin);
    if (!job->rows || !job->entries || !job->begin)
        return den_fail(err, DEN_NO_MEMORY, "embedding: out of memory");
    for (i = 0; i < request->count; i++) {
        if (tokenize(job, i, err) != DEN_OK)
            return err->status;
        if (out_tokens)
            out_tokens[i] = job->entries[i].count;
    }
    qsort(job->entries, request->count, sizeof *job->entries, compare_entries);
    return DEN_OK;
}

enum den_status den_embedder_run(struct den_embedder *embedder,
                                 const struct den_embed_request *request, float *out_vectors,
                                 size_t *out_tokens, struct den_error *err)
{
    struct job job = { .embedder = embedder, .request = request, .vectors = out_vectors };
    size_t width = den_embedder_width(embedder);
    enum den_status status = DEN_OK;
    double *sums;

    if (request->dimensions > width)
        return den_fail(err, DEN_INVALID, "%zu dimensions were asked for; the model has %zu",
                        request->dimensions, width);
    if (request->count == 0)
        return DEN_OK;
    job.width = request->dimensions ? request->dimensions : width;
    sums = calloc(width, sizeof *sums);
    if (!sums)
        status = den_fail(err, DEN_NO_MEMORY, "embedding: out of memory");
    else if ((status = prepare(&job, out_tokens, err)) == DEN_OK)
        status = run_all(&job, sums, err);
    free(sums);
    free(job.rows);
    free(job.entries);
    free(job.begin);
    den_tokens_deinit(&job.tokens);
    return status;
}
