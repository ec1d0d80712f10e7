/* See bench.h. */
#include "engine/bench.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "base/clock.h"

enum { RUNS_MAX = 1000, RUNS_DEFAULT = 3 };

struct den_bench {
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

/* Token `i` of sequence `s`: ids that jump about the vocabulary, the same each time and others in
 * each sequence, so that none finds its tokens cached by another. */
static den_token made_up(const struct den_bench *bench, size_t s, size_t i)
{
    return (den_token)(((s * 104729 + i) * 7919 + 13) % bench->vocabulary);
}

/* Lengthens or shortens a sequence, which never holds other than its made-up tokens from the first
 * on, except behind `options.depth`. */
static enum den_status fill(struct den_bench *bench, size_t sequence, size_t count,
                            struct den_error *err)
{
    struct den_session *session = bench->sessions[sequence];
    size_t rows = den_engine_batch_rows(bench->engine), at, i;

    den_session_truncate(session, count);
    for (i = 0; i < count; i++)
        bench->tokens[i] = made_up(bench, sequence, i);
    while ((at = den_session_length(session)) < count) {
        size_t some = count - at < rows ? count - at : rows;
        struct den_step step = { .session = session,
                                 .tokens = bench->tokens + at,
                                 .count = some,
                                 .no_logits = at + some < count };

        if (den_engine_step(bench->engine, &step, 1, bench->options.cancel, err) != DEN_OK)
            return err->status;
    }
    return DEN_OK;
}

enum den_status den_bench_prompt(struct den_bench *bench, double *out_rate, struct den_error *err)
{
    double start;

    den_session_truncate(bench->sessions[0], 0);
    start = den_clock_seconds();
    if (fill(bench, 0, bench->options.prompt, err) != DEN_OK)
        return err->status;
    *out_rate = (double)bench->options.prompt / (den_clock_seconds() - start);
    return DEN_OK;
}

enum den_status den_bench_generation(struct den_bench *bench, double *out_rate,
                                     struct den_error *err)
{
    size_t sequences = bench->options.sequences, depth = bench->options.depth, step, s;
    double start;

    for (s = 0; s < sequences; s++)
        if (fill(bench, s, depth, err) != DEN_OK)
            return err->status;
    start = den_clock_seconds();
    for (step = 0; step < bench->options.generate; step++) {
        for (s = 0; s < sequences; s++) {
            bench->tokens[s] = made_up(bench, s, depth + step);
            bench->steps[s] = (struct den_step){ .session = bench->sessions[s],
                                                 .tokens = &bench->tokens[s],
                                                 .count = 1 };
        }
        if (den_engine_step(bench->engine, bench->steps, sequences, bench->options.cancel, err) !=
            DEN_OK)
            return err->status;
    }
    *out_rate = (double)(bench->options.generate * sequences) / (den_clock_seconds() - start);
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

typedef enum den_status (*measurement)(struct den_bench *bench, double *out_rate,
                                       struct den_error *err);

static enum den_status repeat(struct den_bench *bench, measurement measure, double *out_median,
                              struct den_error *err)
{
    double rates[RUNS_MAX];
    double warm_up;
    size_t i;

    if (!bench->options.cold && measure(bench, &warm_up, err) != DEN_OK)
        return err->status;
    for (i = 0; i < bench->options.runs; i++)
        if (measure(bench, &rates[i], err) != DEN_OK)
            return err->status;
    *out_median = median(rates, bench->options.runs);
    return DEN_OK;
}

/* Keys and values that one step reads, halfway through the generation; a window hides the rest. */
static size_t cache_bytes(const struct den_bench *bench)
{
    const struct den_description *d = den_engine_description(bench->engine);
    size_t layer_bytes = den_engine_cache_token_bytes(bench->engine) / d->layers;
    size_t tokens = bench->options.depth + (bench->options.generate + 1) / 2;
    size_t total = 0;
    size_t layer;

    for (layer = 0; layer < d->layers; layer++) {
        size_t window = den_description_window(d, layer);

        total += window > 0 && window < tokens ? window : tokens;
    }
    return total * bench->options.sequences * layer_bytes;
}

static enum den_status check(const struct den_bench *bench, struct den_error *err)
{
    const struct den_bench_options *options = &bench->options;

    if (options->runs > RUNS_MAX)
        return den_fail(err, DEN_INVALID, "bench: %zu runs; at most %d", options->runs, RUNS_MAX);
    if (den_bench_context(options) > den_engine_context(bench->engine))
        return den_fail(err, DEN_INVALID, "bench: %zu tokens; the context holds %zu",
                        den_bench_context(options), den_engine_context(bench->engine));
    return DEN_OK;
}

static enum den_status take_memory(struct den_bench *bench, struct den_error *err)
{
    const struct den_bench_options *options = &bench->options;
    size_t tokens = options->prompt > options->depth ? options->prompt : options->depth;
    size_t s;

    tokens = tokens > options->sequences ? tokens : options->sequences;
    bench->sessions = calloc(options->sequences, sizeof *bench->sessions);
    bench->steps = calloc(options->sequences, sizeof *bench->steps);
    bench->tokens = calloc(tokens, sizeof *bench->tokens);
    if (!bench->sessions || !bench->steps || !bench->tokens)
        return den_fail(err, DEN_NO_MEMORY, "bench: out of memory");
    for (s = 0; s < options->sequences; s++)
        if (den_session_create(bench->engine, &bench->sessions[s], err) != DEN_OK)
            return err->status;
    return DEN_OK;
}

static void give_memory(struct den_bench *bench)
{
    size_t s;

    for (s = 0; bench->sessions && s < bench->options.sequences; s++)
        den_session_destroy(bench->sessions[s]);
    free(bench->sessions);
    free(bench->steps);
    free(bench->tokens);
}

void den_bench_close(struct den_bench *bench)
{
    if (!bench)
        return;
    give_memory(bench);
    free(bench);
}

enum den_status den_bench_open(struct den_engine *engine, const struct den_bench_options *options,
                               struct den_bench **out, struct den_error *err)
{
    struct den_bench *bench = calloc(1, sizeof *bench);

    if (!bench)
        return den_fail(err, DEN_NO_MEMORY, "bench: out of memory");
    bench->engine = engine;
    bench->options = complete(options);
    bench->vocabulary = den_engine_description(engine)->vocabulary;
    if (check(bench, err) != DEN_OK || take_memory(bench, err) != DEN_OK) {
        den_bench_close(bench);
        return err->status;
    }
    *out = bench;
    return DEN_OK;
}

void den_bench_report(const struct den_bench *bench, double prompt_rate, double generation_rate,
                      struct den_bench_result *out)
{
    struct rusage usage;

    *out = (struct den_bench_result){
        .prompt_tokens_per_s = prompt_rate,
        .generated_tokens_per_s = generation_rate,
        .load_seconds = den_engine_load_seconds(bench->engine),
        .weight_bytes = den_model_bytes_per_token(den_engine_model(bench->engine)),
        .cache_bytes = cache_bytes(bench),
    };
    out->gigabytes_per_second = (double)(out->weight_bytes + out->cache_bytes) * generation_rate /
                                (double)bench->options.sequences / 1e9;
    getrusage(RUSAGE_SELF, &usage);
    out->peak_memory_mib = (double)usage.ru_maxrss / 1024;
}

enum den_status den_bench_run(struct den_engine *engine, const struct den_bench_options *options,
                              struct den_bench_result *out, struct den_error *err)
{
    struct den_bench *bench;
    double prompt = 0, generation = 0;

    if (den_bench_open(engine, options, &bench, err) != DEN_OK)
        return err->status;
    if ((bench->options.prompt == 0 || repeat(bench, den_bench_prompt, &prompt, err) == DEN_OK) &&
        (bench->options.generate == 0 ||
         repeat(bench, den_bench_generation, &generation, err) == DEN_OK))
        den_bench_report(bench, prompt, generation, out);
    den_bench_close(bench);
    return err->status;
}
