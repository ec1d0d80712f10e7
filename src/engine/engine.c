/* Opening and closing: see engine.h. The order matters: the device before the weights that are
 * packed for it, the tokenizer before the chat template that needs its special tokens. Everything
 * that a step will need is allocated here; memory that no token has reached yet (cache pages, rows
 * of logits) is only reserved and costs nothing. */
#include "engine/engine.h"

#include <stdlib.h>

#include "base/clock.h"
#include "engine/draft_model.h"
#include "engine/engine_parts.h"
#include "engine/prefix_file.h"

enum { CONTEXT_DEFAULT = 8192, BATCH_ROWS_DEFAULT = 512 };

static enum den_status choose_sizes(struct den_engine *engine,
                                    const struct den_engine_options *options,
                                    const struct den_description *description,
                                    struct den_error *err)
{
    size_t trained = description->context_tokens;
    size_t context = options->context_tokens;

    if (context > trained)
        return den_fail(err, DEN_INVALID,
                        "engine: a context of %zu tokens; %s was trained with %zu, ask for at most "
                        "that",
                        context, options->path, trained);
    if (context == 0)
        context = trained < CONTEXT_DEFAULT ? trained : CONTEXT_DEFAULT;
    engine->context_tokens = context;
    engine->no_prefix_reuse = options->no_prefix_reuse;
    engine->sequences = options->sequences ? options->sequences : 1;
    if (engine->sequences > DEN_SEQUENCES_MAX)
        return den_fail(err, DEN_INVALID, "engine: %zu sequences; at most %d", engine->sequences,
                        DEN_SEQUENCES_MAX);
    engine->speculation = options->speculation;
    engine->batch_rows = options->batch_rows ? options->batch_rows : BATCH_ROWS_DEFAULT;
    if (engine->batch_rows < engine->sequences)
        engine->batch_rows = engine->sequences;
    if (engine->batch_rows > DEN_BATCH_ROWS_MAX)
        return den_fail(err, DEN_INVALID, "engine: %zu rows in a batch; at most %d",
                        engine->batch_rows, DEN_BATCH_ROWS_MAX);
    return DEN_OK;
}

/* What is kept of texts that no session holds may take DEN_PREFIX_BYTES_DEFAULT, and never less
 * than one context: else a long conversation could not be come back to. */
static size_t unused_pages_max(const struct den_engine *engine)
{
    size_t context = (engine->context_tokens + DEN_PAGE_TOKENS - 1) / DEN_PAGE_TOKENS;
    size_t pages = DEN_PREFIX_BYTES_DEFAULT / den_kv_pool_page_bytes(engine->pool);

    return pages > context ? pages : context;
}

static enum den_status create_pool(struct den_engine *engine,
                                   const struct den_engine_options *options, struct den_error *err)
{
    const struct den_description *d = den_model_description(engine->model);
    const struct den_kv_layout layout = {
        .layers = d->layers,
        .kv_heads = d->kv_heads,
        .head_width = d->head_width,
        .value_width = d->value_width,
        .page_tokens = DEN_PAGE_TOKENS,
        .type = options->precision == DEN_PRECISION_FP32 ? DEN_TYPE_F32
                : options->int8_cache                    ? DEN_TYPE_Q8_0
                                                         : DEN_TYPE_F16,
    };
    size_t pages =
        (engine->context_tokens + DEN_PAGE_TOKENS - 1) / DEN_PAGE_TOKENS * engine->sequences;

    if (den_kv_pool_create(engine->device, &layout, pages, &engine->pool, err) != DEN_OK)
        return err->status;
    engine->found = calloc(pages / engine->sequences, sizeof *engine->found);
    if (!engine->found)
        return den_fail(err, DEN_NO_MEMORY, "engine: out of memory");
    return den_prefix_tree_create(pages, DEN_PAGE_TOKENS, unused_pages_max(engine), &engine->tree,
                                  err);
}

static enum den_status create_batch(struct den_engine *engine, struct den_error *err)
{
    size_t rows = engine->batch_rows;

    engine->tokens = calloc(rows, sizeof *engine->tokens);
    engine->positions = calloc(rows, sizeof *engine->positions);
    engine->row_sequence = calloc(rows, sizeof *engine->row_sequence);
    engine->logit_rows = calloc(rows, sizeof *engine->logit_rows);
    engine->pages = calloc(engine->sequences, sizeof *engine->pages);
    engine->steps = calloc(engine->sequences, sizeof *engine->steps);
    engine->owners = calloc(engine->sequences, sizeof *engine->owners);
    engine->speculations = calloc(engine->sequences, sizeof *engine->speculations);
    engine->wishes = calloc(engine->sequences, sizeof *engine->wishes);
    if (!engine->tokens || !engine->positions || !engine->row_sequence || !engine->logit_rows ||
        !engine->pages || !engine->steps || !engine->owners || !engine->speculations ||
        !engine->wishes)
        return den_fail(err, DEN_NO_MEMORY, "engine: out of memory");
    return den_forward_create(engine->model, rows, rows, &engine->forward, err);
}

static enum den_status open_parts(struct den_engine *engine,
                                  const struct den_engine_options *options, struct den_error *err)
{
    const struct den_device_options device = { .threads = options->threads,
                                               .cpu_features = options->cpu_features,
                                               .packed = options->packed };
    struct den_description description;

    if (den_weights_open(options->path, &engine->weights, err) != DEN_OK)
        return err->status;
    /* before the slow parts: a wrong option or an unknown model is told at once */
    if (den_description_read(engine->weights, &description, err) != DEN_OK ||
        choose_sizes(engine, options, &description, err) != DEN_OK)
        return err->status;
    if (den_tokenizer_create(engine->weights, &engine->tokenizer, err) != DEN_OK ||
        den_chat_create(engine->weights, engine->tokenizer, &engine->chat, err) != DEN_OK)
        return err->status;
    if (den_device_create(&device, &engine->device, err) != DEN_OK)
        return err->status;
    if (den_model_create(engine->weights, engine->device, options->precision,
                         engine->context_tokens, &engine->model, err) != DEN_OK)
        return err->status;
    if (create_batch(engine, err) != DEN_OK)
        return err->status;
    return create_pool(engine, options, err);
}

static enum den_status open_draft(struct den_engine *engine,
                                  const struct den_engine_options *options, struct den_error *err)
{
    if (den_draft_model_open(options, engine, &engine->draft, err) == DEN_INVALID &&
        options->draft_if_fits) {
        engine->draft_error = *err;
        *err = (struct den_error){ 0 };
    }
    return err->status;
}

enum den_status den_engine_open(const struct den_engine_options *options, struct den_engine **out,
                                struct den_error *err)
{
    double start = den_clock_seconds();
    struct den_engine *engine = calloc(1, sizeof *engine);

    if (!engine)
        return den_fail(err, DEN_NO_MEMORY, "engine: out of memory");
    if (open_parts(engine, options, err) != DEN_OK)
        goto fail;
    if (options->draft_path && options->speculation != DEN_SPECULATION_OFF &&
        open_draft(engine, options, err) != DEN_OK)
        goto fail;
    engine->load_seconds = den_clock_seconds() - start;
    *out = engine;
    return DEN_OK;
fail:
    den_engine_close(engine);
    return err->status;
}

void den_engine_close(struct den_engine *engine)
{
    if (!engine)
        return;
    den_draft_model_close(engine->draft);
    den_forward_destroy(engine->forward);
    den_kv_pool_destroy(engine->pool);
    den_model_destroy(engine->model);
    den_device_destroy(engine->device);
    den_chat_destroy(engine->chat);
    den_tokenizer_destroy(engine->tokenizer);
    den_weights_close(engine->weights);
    den_prefix_file_close(engine->prefix_file);
    den_prefix_tree_destroy(engine->tree);
    free(engine->found);
    free(engine->tokens);
    free(engine->positions);
    free(engine->row_sequence);
    free(engine->logit_rows);
    free(engine->pages);
    free(engine->steps);
    free(engine->owners);
    free(engine->speculations);
    free(engine->wishes);
    free(engine);
}

const struct den_description *den_engine_description(const struct den_engine *engine)
{
    return den_model_description(engine->model);
}

const struct den_tokenizer *den_engine_tokenizer(const struct den_engine *engine)
{
    return engine->tokenizer;
}

const struct den_chat *den_engine_chat(const struct den_engine *engine)
{
    return engine->chat;
}

const struct den_device *den_engine_device(const struct den_engine *engine)
{
    return engine->device;
}

const struct den_model *den_engine_model(const struct den_engine *engine)
{
    return engine->model;
}

const char *den_engine_draft_refusal(const struct den_engine *engine)
{
    return engine->draft_error.status != DEN_OK ? engine->draft_error.message : NULL;
}

size_t den_engine_context(const struct den_engine *engine)
{
    return engine->context_tokens;
}

size_t den_engine_batch_rows(const struct den_engine *engine)
{
    return engine->batch_rows;
}

size_t den_engine_cache_token_bytes(const struct den_engine *engine)
{
    return den_kv_pool_page_bytes(engine->pool) / DEN_PAGE_TOKENS;
}

double den_engine_load_seconds(const struct den_engine *engine)
{
    return engine->load_seconds;
}
