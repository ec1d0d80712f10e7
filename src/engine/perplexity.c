/* See perplexity.h. Sums are kept in double; a row's softmax sums 50,000 floats of one sign, whose
 * rounding stays far below what is measured. */
#include "engine/perplexity.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"

enum { CONTEXT_DEFAULT = 512, ROWS_MAX = 128 /* with logits: 25 MB of them at 49,152 tokens */ };

struct run {
    struct den_engine *engine;
    const struct den_perplexity_options *options;
    struct den_session *session;
    struct den_session *reference; /* NULL: none */
    size_t context;
    size_t vocabulary;
    den_token bos;
    den_token *window;  /* (context) */
    float *divergences; /* (positions of all windows) */
    size_t scored;
    double loss;
    double loss_squared;
    double reference_loss;
    double divergence;
    size_t agreed;
};

/* log of the sum of exp(logits), and which is largest. */
static double log_total(const float *logits, size_t count, size_t *out_best)
{
    size_t best = 0;
    double total = 0;
    size_t i;

    for (i = 1; i < count; i++)
        if (logits[i] > logits[best])
            best = i;
    for (i = 0; i < count; i++)
        total += (double)expf(logits[i] - logits[best]);
    *out_best = best;
    return (double)logits[best] + log(total);
}

static void score(struct run *run, const float *logits, const float *reference, den_token token)
{
    size_t best;
    size_t reference_best;
    double total = log_total(logits, run->vocabulary, &best);
    double loss = total - (double)logits[token];
    double reference_total;
    double divergence = 0;
    size_t i;

    run->loss += loss;
    run->loss_squared += loss * loss;
    run->scored++;
    if (!reference)
        return;
    reference_total = log_total(reference, run->vocabulary, &reference_best);
    for (i = 0; i < run->vocabulary; i++) {
        double log_p = (double)reference[i] - reference_total;

        divergence += (double)expf((float)log_p) * (log_p - ((double)logits[i] - total));
    }
    run->reference_loss += reference_total - (double)reference[token];
    run->divergence += divergence;
    run->divergences[run->scored - 1] = (float)divergence;
    run->agreed += best == reference_best;
}

/* Feeds window[first .. end) to both engines. */
static enum den_status feed(struct run *run, size_t first, size_t end, bool scored,
                            struct den_error *err)
{
    size_t rows_max = den_engine_batch_rows(run->engine);

    if (run->reference && den_engine_batch_rows(run->options->reference) < rows_max)
        rows_max = den_engine_batch_rows(run->options->reference);
    if (scored && rows_max > ROWS_MAX)
        rows_max = ROWS_MAX;
    while (first < end) {
        size_t count = end - first < rows_max ? end - first : rows_max;
        struct den_step step = { .session = run->session,
                                 .tokens = run->window + first,
                                 .count = count,
                                 .all_logits = scored,
                                 .no_logits = !scored };
        struct den_step reference = step;
        size_t i;

        reference.session = run->reference;
        if (den_engine_step(run->engine, &step, 1, run->options->cancel, err) != DEN_OK)
            return err->status;
        if (run->reference && den_engine_step(run->options->reference, &reference, 1,
                                              run->options->cancel, err) != DEN_OK)
            return err->status;
        for (i = 0; scored && i < count; i++)
            score(run, step.logits + i * run->vocabulary,
                  run->reference ? reference.logits + i * run->vocabulary : NULL,
                  run->window[first + i + 1]);
        first += count;
    }
    return DEN_OK;
}

static void fill_result(const struct run *run, struct den_perplexity_result *out)
{
    double count = (double)run->scored;
    double mean = run->loss / count;
    double variance = run->loss_squared / count - mean * mean;

    out->scored = run->scored;
    out->perplexity = exp(mean);
    out->standard_error = run->scored > 1 ? out->perplexity * sqrt(variance / (count - 1)) : 0;
    out->has_reference = run->reference != NULL;
    if (!out->has_reference)
        return;
    out->reference_perplexity = exp(run->reference_loss / count);
    out->kl_mean = run->divergence / count;
    out->top1_agreement = (double)run->agreed / count;
}

static enum den_status run_windows(struct run *run, size_t chunks,
                                   struct den_perplexity_result *out, struct den_error *err)
{
    const struct den_perplexity_options *options = run->options;
    size_t half = run->context / 2;
    size_t chunk;
    size_t i;

    for (chunk = 0; chunk < chunks; chunk++) {
        for (i = 0; i < run->context; i++)
            run->window[i] = options->tokens[chunk * run->context + i];
        if (run->bos != DEN_TOKEN_NONE)
            run->window[0] = run->bos;
        den_session_truncate(run->session, 0);
        if (run->reference)
            den_session_truncate(run->reference, 0);
        if (feed(run, 0, half, false, err) != DEN_OK ||
            feed(run, half, run->context - 1, true, err) != DEN_OK)
            return err->status;
        out->chunks = chunk + 1;
        fill_result(run, out);
        if (options->on_chunk)
            options->on_chunk(options->on_chunk_context, out, chunks);
    }
    return DEN_OK;
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;

    return (x > y) - (x < y);
}

/* BOS where the tokenizer puts one before a text, else DEN_TOKEN_NONE. */
static enum den_status find_bos(struct run *run, struct den_error *err)
{
    const struct den_tokenizer *tokenizer = den_engine_tokenizer(run->engine);
    struct den_tokens tokens = { 0 };

    run->bos = DEN_TOKEN_NONE;
    if (den_tokenizer_encode(tokenizer, "", 0, DEN_ENCODE_ADD_SPECIAL, &tokens, err) == DEN_OK &&
        tokens.count > 0 && tokens.items[0] == den_tokenizer_bos(tokenizer))
        run->bos = tokens.items[0];
    den_tokens_deinit(&tokens);
    return err->status;
}

/* The engine checks what it evaluates; the last token of a window is only scored. */
static enum den_status check_tokens(const struct run *run, struct den_error *err)
{
    const den_token *tokens = run->options->tokens;
    size_t i;

    for (i = 0; i < run->options->count; i++)
        if (tokens[i] < 0 || (size_t)tokens[i] >= run->vocabulary)
            return den_fail(err, DEN_INVALID,
                            "perplexity: token %d; the model's vocabulary has %zu, which does not "
                            "fit its tokenizer",
                            (int)tokens[i], run->vocabulary);
    return DEN_OK;
}

static enum den_status check(const struct run *run, struct den_error *err)
{
    const struct den_engine *reference = run->options->reference;

    if (run->context < 4)
        return den_fail(err, DEN_INVALID, "perplexity: windows of %zu tokens; at least 4",
                        run->context);
    if (run->context > den_engine_context(run->engine) ||
        (reference && run->context > den_engine_context(reference)))
        return den_fail(err, DEN_INVALID,
                        "perplexity: windows of %zu tokens do not fit into the context",
                        run->context);
    if (run->options->count < run->context)
        return den_fail(err, DEN_INVALID,
                        "perplexity: the text has %zu tokens; one window takes %zu",
                        run->options->count, run->context);
    if (reference && den_engine_description(reference)->vocabulary != run->vocabulary)
        return den_fail(err, DEN_INVALID,
                        "perplexity: the reference has a vocabulary of %zu, the model of %zu",
                        den_engine_description(reference)->vocabulary, run->vocabulary);
    return check_tokens(run, err);
}

enum den_status den_perplexity_measure(struct den_engine *engine,
                                       const struct den_perplexity_options *options,
                                       struct den_perplexity_result *out, struct den_error *err)
{
    struct run run = { .engine = engine, .options = options };
    struct den_perplexity_result result = { 0 };
    double start = den_clock_seconds();
    size_t chunks;

    run.context = options->context ? options->context : CONTEXT_DEFAULT;
    run.vocabulary = den_engine_description(engine)->vocabulary;
    if (check(&run, err) != DEN_OK || find_bos(&run, err) != DEN_OK)
        return err->status;
    chunks = options->count / run.context;
    if (options->chunks_max > 0 && options->chunks_max < chunks)
        chunks = options->chunks_max;
    run.window = calloc(run.context, sizeof *run.window);
    run.divergences = calloc(chunks, run.context * sizeof *run.divergences);
    if (!run.window || !run.divergences) {
        den_fail(err, DEN_NO_MEMORY, "perplexity: out of memory");
        goto fail;
    }
    if (den_session_create(engine, &run.session, err) != DEN_OK)
        goto fail;
    if (options->reference && den_session_create(options->reference, &run.reference, err) != DEN_OK)
        goto fail;
    if (run_windows(&run, chunks, &result, err) != DEN_OK)
        goto fail;
    if (run.reference) {
        qsort(run.divergences, run.scored, sizeof *run.divergences, compare_floats);
        result.kl_999 = (double)run.divergences[(run.scored - 1) * 999 / 1000];
    }
    result.seconds = den_clock_seconds() - start;
    *out = result;
fail:
    den_session_destroy(run.session);
    den_session_destroy(run.reference);
    free(run.window);
    free(run.divergences);
    return err->status;
}
