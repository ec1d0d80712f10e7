/* See fit.h. The terms, each with where its memory is taken:
 *
 *     process      the program's own pages and stacks                         measured
 *     tokenizer    a figure a word of the vocabulary, and merges              measured
 *     weights      packed panels                                              kernels/pack_layout.h
 *     workspace    rows of the widest input that a batch reaches, as floats and as
 *                  16-bit activations; partial results of attention             device/cpu
 *     scratch      the batch's rows of each intermediate result                 model/forward.c
 *     cache        keys and values, whole pages of 64 tokens                device/cpu/cpu_cache.c
 *     mapped       the file's pages of the part that is being packed            model/model.c
 *     loading      a figure for what is on the heap only then                   measured
 *
 * Memory is counted where it is touched: what the engine reserves and nothing reaches costs
 * nothing. The peak is the larger one of two moments: while the last part is being packed, and
 * while a prompt is read into the longest context. */
#include "schedule/fit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"

enum {
    PAGE_TOKENS = 64,
    BATCH_ROWS = 512,
    ENCODER_ROWS = 1024, /* of one batch of texts */
    CONTEXT_DEFAULT = 8192,
    CONTEXT_MIN = 512,
    TYPICAL_TOKENS = 512 /* cached, where speed is told */
};
static const double PROCESS_BYTES = 9.5e6;   /* a worker with no model: its program and libraries */
static const double TOKENIZER_BYTES = 155.0; /* a word: text, trie, merges */
static const double LOADING_BYTES =
    12e6;                             /* what building a tokenizer leaves on the heap for later */
static const double FITS_SHARE = 0.8; /* of what there is; above it, it is tight */

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* --- memory --- */

static double workspace_bytes(const struct den_fit_shape *shape, double rows, int threads)
{
    const double widest =
        larger(larger((double)shape->width, (double)(shape->heads * shape->value_width)),
               larger((double)shape->ffn_width, (double)shape->expert_width));
    const double padded = ceil(widest / 256) * 256;
    const double head =
        (double)(shape->head_width > shape->value_width ? shape->head_width : shape->value_width);
    const double members = threads > 0 ? threads : 1;
    const double queries = larger(48, (double)shape->heads);
    const double partials = (double)shape->heads * 64 * (members > 8 ? floor(members / 2) : 4);

    return rows * (widest * 4 + padded * 2 + 4) + members * queries * (head * 12 + 64 * 4) +
           partials * (head * 4 + 8) + 2 * rows * (head * 4 + 4);
}

static double scratch_bytes(const struct den_fit_shape *shape, double rows)
{
    const double query = (double)(shape->heads * shape->head_width);
    const double value = (double)(shape->heads * shape->value_width);
    const double keys = (double)(shape->kv_heads * (shape->head_width + shape->value_width));
    const double up = larger(2 * (double)shape->ffn_width,
                             2 * (double)(shape->experts_used * shape->expert_width));

    return rows * 4 * (4 * (double)shape->width + query + keys + value + up);
}

static double cache_bytes(const struct den_fit_shape *shape, const struct den_fit_settings *given,
                          double tokens)
{
    const double width = (double)(shape->head_width + shape->value_width);
    const double head = given->int8_cache ? width + 2 * sizeof(float) : 2 * width;

    return ceil(tokens / PAGE_TOKENS) * PAGE_TOKENS * (double)(shape->layers * shape->kv_heads) *
           head;
}

static double process_bytes(const struct den_fit_shape *shape)
{
    return PROCESS_BYTES + TOKENIZER_BYTES * (double)shape->vocabulary;
}

/* The table of words stays in the file, whose touched pages count; the text scratch of attention is
 * for the longest text. */
static double encoder_bytes(const struct den_fit_shape *shape, const struct den_fit_settings *given)
{
    const double members = given->threads > 0 ? given->threads : 1;
    const double text = ceil((double)shape->context_tokens / 16) * 16;
    const double rows = larger(ENCODER_ROWS, (double)shape->context_tokens);
    const double packed = shape->layer_bytes + shape->embedding_bytes;
    const double room = rows * 4 * (5 * (double)shape->width + (double)shape->ffn_width) +
                        workspace_bytes(shape, rows, given->threads) +
                        members * text * 4 * (double)(shape->head_width + 48);

    return process_bytes(shape) + larger(packed + shape->layer_file_bytes / (double)shape->layers,
                                         packed + room + shape->embedding_file_bytes);
}

uint64_t den_fit_memory(const struct den_fit_shape *shape, const struct den_fit_settings *given)
{
    const double rows = (double)(given->batch_rows ? given->batch_rows : BATCH_ROWS);
    const double trained = (double)shape->context_tokens;
    const double context = given->context_tokens       ? (double)given->context_tokens
                           : trained < CONTEXT_DEFAULT ? trained
                                                       : CONTEXT_DEFAULT;
    const double used_rows = context < rows ? context : rows;
    const double conversations = (double)(given->conversations ? given->conversations : 1);
    const double weights = shape->layer_bytes + shape->embedding_bytes + shape->head_bytes;
    double loading, running;

    if (shape->is_encoder)
        return (uint64_t)encoder_bytes(shape, given);
    loading = larger(weights + shape->layer_file_bytes / (double)shape->layers,
                     shape->embedding_bytes + larger(shape->embedding_file_bytes,
                                                     shape->head_bytes + shape->head_file_bytes));
    running = weights + workspace_bytes(shape, used_rows, given->threads) +
              scratch_bytes(shape, used_rows) +
              conversations * (cache_bytes(shape, given, context) + 8 * (double)shape->vocabulary);
    return (uint64_t)(process_bytes(shape) + larger(loading + LOADING_BYTES, running));
}

/* --- verdict --- */

const char *den_fit_verdict_text(enum den_fit_verdict verdict)
{
    static const char *const texts[] = {
        [DEN_FIT_FITS] = "fits", [DEN_FIT_TIGHT] = "tight", [DEN_FIT_TOO_LARGE] = "too large"
    };

    return texts[verdict];
}

/* The largest whole number of pages whose memory is at most `room`; memory grows with them. */
static size_t largest_context(const struct den_fit_shape *shape,
                              const struct den_fit_settings *given, uint64_t room)
{
    struct den_fit_settings trial = *given;
    size_t low = 0, high = (shape->context_tokens + PAGE_TOKENS - 1) / PAGE_TOKENS;

    while (low < high) {
        const size_t middle = (low + high + 1) / 2;

        trial.context_tokens = middle * PAGE_TOKENS;
        if (den_fit_memory(shape, &trial) <= room)
            low = middle;
        else
            high = middle - 1;
    }
    return low * PAGE_TOKENS < shape->context_tokens ? low * PAGE_TOKENS : shape->context_tokens;
}

static double speed(const struct den_fit_shape *shape, const struct den_fit_settings *given,
                    const struct den_fit_machine *machine)
{
    if (shape->is_encoder || machine->read_bytes_per_s <= 0 || shape->read_bytes <= 0)
        return 0;
    return machine->read_bytes_per_s * machine->read_share /
           (shape->read_bytes + cache_bytes(shape, given, TYPICAL_TOKENS));
}

static void explain(struct den_fit *fit, uint64_t room)
{
    const double gib = 1073741824.0, needed = (double)fit->memory_bytes / gib;
    const double there = (double)room / gib;

    if (fit->verdict == DEN_FIT_FITS)
        snprintf(fit->why, sizeof fit->why, "Needs %.2f of %.1f GiB that models can have here.",
                 needed, there);
    else if (fit->verdict == DEN_FIT_TIGHT && fit->memory_bytes <= room)
        snprintf(fit->why, sizeof fit->why,
                 "Needs %.1f of the %.1f GiB that models can have here: close other programs.",
                 needed, there);
    else if (fit->verdict == DEN_FIT_TIGHT)
        snprintf(fit->why, sizeof fit->why,
                 "Needs %.1f GiB, models can have %.1f: it fits with a context of %zu tokens.",
                 needed, there, fit->context_tokens);
    else
        snprintf(fit->why, sizeof fit->why,
                 "Needs %.1f GiB, models can have %.1f here: take a smaller one.", needed, there);
}

struct den_fit den_fit(const struct den_fit_shape *shape, const struct den_fit_settings *settings,
                       const struct den_fit_machine *machine)
{
    struct den_fit_settings given = *settings;
    struct den_fit fit = { .verdict = DEN_FIT_TOO_LARGE };
    uint64_t room = machine->free_bytes;

    if (machine->budget_bytes > 0 && machine->budget_bytes < room)
        room = machine->budget_bytes;
    if (given.threads == 0)
        given.threads = machine->threads;
    fit.memory_bytes = den_fit_memory(shape, &given);
    fit.context_tokens = largest_context(shape, &given, room);
    fit.tokens_per_s = speed(shape, &given, machine);
    if ((double)fit.memory_bytes <= FITS_SHARE * (double)room)
        fit.verdict = DEN_FIT_FITS;
    else if (fit.memory_bytes <= room || (!shape->is_encoder && fit.context_tokens >= CONTEXT_MIN))
        fit.verdict = DEN_FIT_TIGHT;
    explain(&fit, room);
    return fit;
}

json_t *den_fit_json(const struct den_fit *fit)
{
    return json_pack("{s:s, s:I, s:I, s:o, s:b, s:s}", "verdict",
                     den_fit_verdict_text(fit->verdict), "memory_bytes",
                     (json_int_t)fit->memory_bytes, "context_tokens",
                     (json_int_t)fit->context_tokens, "tokens_per_s",
                     fit->tokens_per_s > 0 ? json_real(fit->tokens_per_s) : json_null(), "guess",
                     (int)fit->is_guess, "why", fit->why);
}
