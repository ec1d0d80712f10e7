/* See bench.h. */
#include "engine/bench.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "base/clock.h"

enum { RUNS_MAX = 1000, RUNS_DEFAULT = 3 };

struct run {
    struct den_engine *engine;
    struct den_bench_options options; /* defaults filled in */
    struct den_session **sessions;    /* (sequences) */
    struct den_step *steps;           /* (sequences) */
    den_token *tokens;                /* (max(prompt, depth, sequences)) */
    size_t vocabulary;
};

static struct den_bench_options complete(const struct den_bench_options *options)
{
    struct den_bench_options made = *options;

    if (made.sequences == 0)
        made.sequences = 1;
    if (made.runs == 0)
        made.runs = RUNS_DEFAULT;
    return made;
}

size_t den_bench_context(const struct den_bench_options *options)
{
    size_t generation = options->depth + options->generate;

    return options->prompt > generation ? options->prompt : generation;
}

/* Token ids that jump about the vocabulary, the same each time. */
static den_token made_up(const struct run *run, size_t seed)
{
    return (den_token)((seed * 7919 + 13) % run->vocabulary);
}

static enum den_status fill(struct run *run, size_t sequence, size_t count, struct den_error *err)
{
    size_t rows = den_engine_batch_rows(run->engine);
    size_t at;

    for (at = 0; at < count;) {
        size_t some = count - at < rows ? count - at : rows;
        struct den_step step = { .session = run->sessions[sequence],
                                 .tokens = run->tokens + at,
                                 .count = some,
                                 .no_logits = at + some < count };

        if (den_engine_step(run->engine, &step, 1, run->options.cancel, err) != DEN_OK)
            return err->status;
        at += some;
    }
    return DEN_OK;
}

static void empty(struct run *run)
{
    size_t s;

    for (s = 0; s < run->options.sequences; s++)
        den_session_truncate(run->sessions[s], 0);
}

static enum den_status measure_prompt(struct run *run, double *out_rate, struct den_error *err)
{
    double start;
    size_t i;

    empty(run);
    for (i = 0; i < run->options.prompt; i++)
        run->tokens[i] = made_up(run, i);
    start = den_clock_seconds();
    if (fill(run, 0, run->options.prompt, err) != DEN_OK)
        return err->status;
    *out_rate = (double)run->options.prompt / (den_clock_seconds() - start);
    return DEN_OK;
}

static enum den_status measure_generation(struct run *run, double *out_rate, struct den_error *err)
{
    size_t sequences = run->options.sequences;
    double start;
    size_t step;
    size_t s;
    size_t i;

    empty(run);
    for (i = 0; i < run->options.depth; i++)
        run->tokens[i] = made_up(run, i);
    for (s = 0; s < sequences; s++)
        if (fill(run, s, run->options.depth, err) != DEN_OK)
            return err->status;
    start = den_clock_seconds();
    for (step = 0; step < run->options.generate; step++) {
        for (s = 0; s < sequences; s++) {
            run->tokens[s] = made_up(run, step * sequences + s);
            run->steps[s] = (struct den_step){ .session = run->sessions[s],
                                               .tokens = &run->tokens[s],
                                               .count = 1 };
        }
        if (den_engine_step(run->engine, run->steps, sequences, run->options.cancel, err) != DEN_OK)
            return err->status;
    }
    *out_rate = (double)(run->options.generate * sequences) / (den_clock_seconds() - start);
    return DEN_OK;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

typedef enum den_status (*measurement)(struct run *run, double *out_rate, struct den_error *err);

static enum den_status repeat(struct run *run, measurement measure, double *out_median,
                              struct den_error *err)
{
    double rates[RUNS_MAX];
    double warm_up;
    size_t i;

    if (measure(run, &warm_up, err) != DEN_OK)
        return err->status;
    for (i = 0; i < run->options.runs; i++)
        if (measure(run, &rates[i], err) != DEN_OK)
            return err->status;
    *out_median = median(rates, run->options.runs);
    return DEN_OK;
}

/* Keys and values that one step reads, halfway through the generation; a window hides the rest. */
static size_t cache_bytes(const struct run *run)
{
    const struct den_description *d = den_engine_description(run->engine);
    size_t element =
        den_model_precision(den_engine_model(run->engine)) == DEN_PRECISION_FP32 ? 4 : 2;
    size_t tokens = run->options.depth + (run->options.generate + 1) / 2;
    size_t total = 0;
    size_t layer;

    for (layer = 0; layer < d->layers; layer++) {
        size_t window = den_description_window(d, layer);

        total += window > 0 && window < tokens ? window : tokens;
    }
    return total * run->options.sequences * d->kv_heads * (d->head_width + d->value_width) *
           element;
}

static enum den_status check(const struct run *run, struct den_error *err)
{
    const struct den_bench_options *options = &run->options;

    if (options->runs > RUNS_MAX)
        return den_fail(err, DEN_INVALID, "bench: %zu runs; at most %d", options->runs, RUNS_MAX);
    if (den_bench_context(options) > den_engine_context(run->engine))
        return den_fail(err, DEN_INVALID, "bench: %zu tokens; the context holds %zu",
                        den_bench_context(options), den_engine_context(run->engine));
    return DEN_OK;
}

static enum den_status take_memory(struct run *run, struct den_error *err)
{
    const struct den_bench_options *options = &run->options;
    size_t tokens = options->prompt > options->depth ? options->prompt : options->depth;
    size_t s;

    tokens = tokens > options->sequences ? tokens : options->sequences;
    run->sessions = calloc(options->sequences, sizeof *run->sessions);
    run->steps = calloc(options->sequences, sizeof *run->steps);
    run->tokens = calloc(tokens, sizeof *run->tokens);
    if (!run->sessions || !run->steps || !run->tokens)
        return den_fail(err, DEN_NO_MEMORY, "bench: out of memory");
    for (s = 0; s < options->sequences; s++)
        if (den_session_create(run->engine, &run->sessions[s], err) != DEN_OK)
            return err->status;
    return DEN_OK;
}

static void give_memory(struct run *run)
{
    size_t s;

    for (s = 0; run->sessions && s < run->options.sequences; s++)
        den_session_destroy(run->sessions[s]);
    free(run->sessions);
    free(run->steps);
    free(run->tokens);
}

enum den_status den_bench_run(struct den_engine *engine, const struct den_bench_options *options,
                              struct den_bench_result *out, struct den_error *err)
{
    struct run run = { .engine = engine, .options = complete(options) };
    struct den_bench_result result = { 0 };
    struct rusage usage;

    run.vocabulary = den_engine_description(engine)->vocabulary;
    if (check(&run, err) != DEN_OK || take_memory(&run, err) != DEN_OK)
        goto fail;
    if (run.options.prompt > 0 &&
        repeat(&run, measure_prompt, &result.prompt_tokens_per_s, err) != DEN_OK)
        goto fail;
    if (run.options.generate > 0 &&
        repeat(&run, measure_generation, &result.generated_tokens_per_s, err) != DEN_OK)
        goto fail;
    result.load_seconds = den_engine_load_seconds(engine);
    result.weight_bytes = den_model_bytes_per_token(den_engine_model(engine));
    result.cache_bytes = cache_bytes(&run);
    result.gigabytes_per_second = (double)(result.weight_bytes + result.cache_bytes) *
                                  result.generated_tokens_per_s / (double)run.options.sequences /
                                  1e9;
    getrusage(RUSAGE_SELF, &usage);
    result.peak_memory_mib = (double)usage.ru_maxrss / 1024;
    *out = result;
fail:
    give_memory(&run);
    return err->status;
}
