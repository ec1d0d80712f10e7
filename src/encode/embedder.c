/* See embedder.h. A run has three passes. Every text becomes tokens; the order of work is found by
 * sorting them by length, longest first; then texts go through the model, are pooled and
 * normalised, and land in their place of the output.
 *
 * There are two ways through the model, with the same bits at their end. Where there are many
 * texts, each thread takes a handful through all layers alone (den_bert_run_alone()): nobody waits
 * for anybody until the last texts, and those are the shortest. Where there are few, all threads
 * share each product of one batch of up to ROWS tokens: one query is answered by all of them.
 *
 * Batches hold no padding, so sorting saves no arithmetic by itself. What it buys is that the texts
 * of a batch are alike in length, so that the heads of their attention, the pieces that threads
 * claim, are alike in work, and that the end of a run is made of small pieces. A cancelled request
 * ends within a batch, a tenth of a second. */
#include "encode/embedder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "device/text_stack.h"
#include "model/bert.h"
#include "model/bert_head.h"

enum {
    ROWS = 1024,
    PIECES = 8,     /* of work for each thread, at least, where each works alone */
    PIECE_ROWS = 96 /* of a piece, so that products have rows enough to reuse weights */
};

struct den_embedder {
    struct den_weights *weights;
    struct den_tokenizer *tokenizer;
    struct den_device *device;
    struct den_bert *bert;
    struct den_bert_head *head; /* of a reranker, else NULL */
};

/* One text of a request. */
struct entry {
    size_t index;  /* in the request */
    size_t first;  /* its first token in job.tokens */
    size_t count;  /* after truncation; at least 1 */
    size_t second; /* where in it the text begins that follows the query; count: there is none */
};

struct job {
    struct den_embedder *embedder;
    const struct den_embed_request *request;
    struct den_tokens tokens; /* of all texts, one behind the other */
    struct den_tokens query;  /* with what stands between it and a text */
    struct entry *entries;    /* (count) */
    size_t width;             /* of an output vector */
    float *vectors;
    struct piece *pieces; /* (count) of work, where each thread works alone */
    struct worker *workers;
};

/* Entries [first, end): one batch of one thread. */
struct piece {
    size_t first;
    size_t end;
};

/* What a thread that works alone writes to. */
struct worker {
    int32_t *rows;  /* (alone rows) */
    size_t *begin;  /* (alone rows + 1) */
    size_t *second; /* (alone rows) */
    double *sums;   /* (width) */
    struct den_error err;
};

/* --- opening --- */

static enum den_status open_head(struct den_embedder *embedder, struct den_error *err)
{
    const struct den_bert_description *description = den_bert_description(embedder->bert);

    if (!description->ranks)
        return DEN_OK;
    return den_bert_head_create(embedder->weights, description, &embedder->head, err);
}

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
        open_head(embedder, err) != DEN_OK || check_tokenizer(embedder, err) != DEN_OK)
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
    den_bert_head_destroy(embedder->head);
    den_bert_destroy(embedder->bert);
    den_device_destroy(embedder->device);
    den_tokenizer_destroy(embedder->tokenizer);
    den_weights_close(embedder->weights);
    free(embedder);
}

bool den_embedder_ranks(const struct den_embedder *embedder)
{
    return embedder->head != NULL;
}

size_t den_embedder_width(const struct den_embedder *embedder)
{
    return embedder->head ? 1 : den_bert_description(embedder->bert)->width;
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

/* "[MASK]" in a text is the token of that name, as sentence-transformers has it. */
static enum den_status encode(const struct den_embedder *embedder, const char *text, size_t length,
                              struct den_tokens *out, struct den_error *err)
{
    return den_tokenizer_encode(embedder->tokenizer, text, length,
                                DEN_ENCODE_ADD_SPECIAL | DEN_ENCODE_PARSE_SPECIAL, out, err);
}

/* What stands before each text: BERT's "[CLS] query [SEP]", RoBERTa's "<s> query </s></s>", as the
 * two were trained; they are told apart by whether the second text has a type of its own. */
static enum den_status tokenize_query(struct job *job, struct den_error *err)
{
    const struct den_embedder *embedder = job->embedder;
    const size_t most = den_embedder_context(embedder) / 2;
    struct den_tokens *query = &job->query;
    den_token last;

    if (!job->request->query)
        return DEN_OK;
    if (encode(embedder, job->request->query, job->request->query_length, query, err) != DEN_OK)
        return den_fail_at(err, "the query");
    last = query->count > 0 ? query->items[query->count - 1] : DEN_TOKEN_NONE;
    if (query->count < 2 || !den_tokenizer_is_special(embedder->tokenizer, last))
        return den_fail(err, DEN_BAD_FILE,
                        "model: %s: its tokenizer puts no separator behind a text; a reranker's "
                        "must",
                        den_weights_path(embedder->weights));
    if (query->count > most) {
        query->items[most - 1] = last;
        query->count = most;
    }
    if (den_bert_description(embedder->bert)->token_types < 2)
        return den_tokens_append(query, &last, 1, err);
    return DEN_OK;
}

/* Text `index` behind the end of job->tokens; behind a query, without the token that begins it. */
static enum den_status tokenize_text(struct job *job, size_t index, struct den_error *err)
{
    const struct den_embed_request *request = job->request;
    const size_t query = job->query.count, first = job->tokens.count;

    if (query > 0 && den_tokens_append(&job->tokens, job->query.items, query, err) != DEN_OK)
        return err->status;
    if (encode(job->embedder, request->texts[index], request->lengths[index], &job->tokens, err) !=
        DEN_OK)
        return den_fail_at(err, "text %zu", index);
    if (query > 0 && job->tokens.count > first + query &&
        den_tokenizer_is_special(job->embedder->tokenizer, job->tokens.items[first + query])) {
        job->tokens.count--;
        memmove(job->tokens.items + first + query, job->tokens.items + first + query + 1,
                (job->tokens.count - first - query) * sizeof *job->tokens.items);
    }
    return DEN_OK;
}

static enum den_status tokenize(struct job *job, size_t index, struct den_error *err)
{
    const struct den_embed_request *request = job->request;
    size_t first = job->tokens.count, most = den_embedder_context(job->embedder), count;
    struct entry *entry = &job->entries[index];

    if (tokenize_text(job, index, err) != DEN_OK)
        return err->status;
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
    entry->second = job->query.count > 0 ? job->query.count : entry->count;
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

static enum den_status fail_not_finite(const struct entry *entry, struct den_error *err)
{
    return den_fail(err, DEN_BAD_FILE,
                    "text %zu: what the model makes of it is not finite; its weights are damaged",
                    entry->index);
}

static enum den_status finish_score(struct job *job, const struct entry *entry, const float *rows,
                                    struct den_error *err)
{
    double score = den_bert_head_score(job->embedder->head, rows);

    if (!isfinite((float)score))
        return fail_not_finite(entry, err);
    job->vectors[entry->index] = (float)score;
    return DEN_OK;
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

    if (job->embedder->head)
        return finish_score(job, entry, rows, err);
    pool(d->pooling, rows, entry->count, d->width, sums);
    for (i = 0; i < job->width; i++)
        squares += sums[i] * sums[i];
    if (!isfinite(squares))
        return fail_not_finite(entry, err);
    scale = squares > 0 ? 1 / sqrt(squares) : 0;
    for (i = 0; i < job->width; i++)
        vector[i] = (float)(sums[i] * scale);
    return DEN_OK;
}

/* Entries [first, end) as one batch in the worker's memory. */
static struct den_bert_batch fill_batch(const struct job *job, struct piece piece,
                                        struct worker *worker)
{
    size_t *begin = worker->begin, i;

    begin[0] = 0;
    for (i = piece.first; i < piece.end; i++) {
        const struct entry *entry = &job->entries[i];
        size_t at = begin[i - piece.first];

        memcpy(worker->rows + at, job->tokens.items + entry->first,
               entry->count * sizeof *worker->rows);
        begin[i - piece.first + 1] = at + entry->count;
        worker->second[i - piece.first] = at + entry->second;
    }
    return (struct den_bert_batch){ .tokens = worker->rows,
                                    .begin = begin,
                                    .texts = piece.end - piece.first,
                                    .second = job->query.count > 0 ? worker->second : NULL };
}

static enum den_status finish_batch(struct job *job, struct piece piece, const float *hidden,
                                    struct worker *worker)
{
    size_t width = den_bert_description(job->embedder->bert)->width, i;

    for (i = piece.first; i < piece.end; i++)
        if (finish(job, &job->entries[i], hidden + worker->begin[i - piece.first] * width,
                   worker->sums, &worker->err) != DEN_OK)
            return worker->err.status;
    return DEN_OK;
}

static bool is_cancelled(const struct job *job)
{
    return job->request->cancel && atomic_load(job->request->cancel);
}

/* The longest run of entries from `first` on that has at most `rows` tokens, or one entry. */
static struct piece take_piece(const struct job *job, size_t first, size_t rows)
{
    struct piece piece = { .first = first, .end = first + 1 };
    size_t have = job->entries[first].count;

    for (; piece.end < job->request->count && have + job->entries[piece.end].count <= rows;
         piece.end++)
        have += job->entries[piece.end].count;
    return piece;
}

/* One batch after the other, all threads sharing its work; ends before entry `end`. */
static enum den_status run_together(struct job *job, size_t end, struct worker *worker)
{
    struct piece piece = { 0 };

    while (piece.end < end) {
        struct den_bert_batch batch;

        if (is_cancelled(job))
            return den_fail(&worker->err, DEN_CANCELLED, "embedding was cancelled");
        piece = take_piece(job, piece.end, ROWS);
        if (piece.end > end)
            piece.end = end;
        batch = fill_batch(job, piece, worker);
        if (finish_batch(job, piece, den_bert_run(job->embedder->bert, &batch), worker) != DEN_OK)
            return worker->err.status;
    }
    return DEN_OK;
}

static void run_piece(void *context, size_t item, int member)
{
    struct job *job = context;
    struct worker *worker = &job->workers[member];
    struct den_bert_batch batch;

    if (worker->err.status != DEN_OK)
        return;
    if (is_cancelled(job)) {
        den_fail(&worker->err, DEN_CANCELLED, "embedding was cancelled");
        return;
    }
    batch = fill_batch(job, job->pieces[item], worker);
    finish_batch(job, job->pieces[item], den_bert_run_alone(job->embedder->bert, &batch, member),
                 worker);
}

/* Entries from `first` on, each thread with batches of its own. */
static void run_apart(struct job *job, size_t first, size_t tokens)
{
    size_t threads = (size_t)den_device_threads(job->embedder->device), count = 0;
    size_t most = den_bert_alone_rows(job->embedder->bert), rows = tokens / (PIECES * threads);

    rows = rows < PIECE_ROWS ? PIECE_ROWS : rows > most ? most : rows;
    while (first < job->request->count) {
        job->pieces[count] = take_piece(job, first, rows);
        first = job->pieces[count++].end;
    }
    den_device_share(job->embedder->device, count, run_piece, job);
}

static enum den_status run_all(struct job *job, struct den_error *err)
{
    size_t threads = (size_t)den_device_threads(job->embedder->device);
    size_t most = den_bert_alone_rows(job->embedder->bert), tokens = 0, together = 0, i;

    for (i = 0; i < job->request->count; i++) {
        if (job->entries[i].count > most)
            together = i + 1;
        else
            tokens += job->entries[i].count;
    }
    if (tokens < 2 * threads * PIECE_ROWS || job->request->count - together < 2 * threads)
        together = job->request->count;
    run_together(job, together, &job->workers[0]);
    if (together < job->request->count && job->workers[0].err.status == DEN_OK)
        run_apart(job, together, tokens);
    for (i = 0; i < threads; i++)
        if (job->workers[i].err.status != DEN_OK) {
            *err = job->workers[i].err;
            return err->status;
        }
    return DEN_OK;
}

/* Memory for each thread. The first one's batches may be of all threads together. */
static enum den_status make_workers(struct job *job, struct den_error *err)
{
    size_t threads = (size_t)den_device_threads(job->embedder->device), i;
    size_t most = den_embedder_context(job->embedder);
    size_t width = den_bert_description(job->embedder->bert)->width;

    most = most > ROWS ? most : (size_t)ROWS;
    job->workers = calloc(threads, sizeof *job->workers);
    job->pieces = calloc(job->request->count, sizeof *job->pieces);
    if (!job->workers || !job->pieces)
        return den_fail(err, DEN_NO_MEMORY, "embedding: out of memory");
    for (i = 0; i < threads; i++) {
        struct worker *worker = &job->workers[i];

        worker->rows = calloc(most, sizeof *worker->rows);
        worker->begin = calloc(most + 1, sizeof *worker->begin);
        worker->second = calloc(most, sizeof *worker->second);
        worker->sums = calloc(width, sizeof *worker->sums);
        if (!worker->rows || !worker->begin || !worker->second || !worker->sums)
            return den_fail(err, DEN_NO_MEMORY, "embedding: out of memory");
    }
    return DEN_OK;
}

static void free_job(struct job *job)
{
    size_t threads = (size_t)den_device_threads(job->embedder->device), i;

    for (i = 0; job->workers && i < threads; i++) {
        free(job->workers[i].rows);
        free(job->workers[i].begin);
        free(job->workers[i].second);
        free(job->workers[i].sums);
    }
    free(job->workers);
    free(job->pieces);
    free(job->entries);
    den_tokens_deinit(&job->tokens);
    den_tokens_deinit(&job->query);
}

static enum den_status prepare(struct job *job, size_t *out_tokens, struct den_error *err)
{
    const struct den_embed_request *request = job->request;
    size_t i;

    job->entries = calloc(request->count, sizeof *job->entries);
    if (!job->entries)
        return den_fail(err, DEN_NO_MEMORY, "embedding: out of memory");
    if (tokenize_query(job, err) != DEN_OK)
        return err->status;
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
    enum den_status status;

    if (!request->query != !embedder->head)
        return den_fail(err, DEN_UNSUPPORTED, "the model '%s' %s", den_embedder_name(embedder),
                        embedder->head ? "is a reranker; it makes no embeddings"
                                       : "makes embeddings; it is no reranker");
    if (request->dimensions > width)
        return den_fail(err, DEN_INVALID, "%zu dimensions were asked for; the model has %zu",
                        request->dimensions, width);
    if (request->count == 0)
        return DEN_OK;
    job.width = request->dimensions ? request->dimensions : width;
    status = prepare(&job, out_tokens, err);
    if (status == DEN_OK)
        status = make_workers(&job, err);
    if (status == DEN_OK)
        status = run_all(&job, err);
    free_job(&job);
    return status;
}
