/* See ablation.h. A side is an engine and how it is to work; a row is a measurement of two sides.
 * Each side is run once to warm up, then both in turn: with, without, with, without.
 *
 * The sides' own numbers:
 *   prefill      tokens a second of a prompt in an empty cache
 *   decode       tokens a second of one sequence, or the sum of several
 *   first token  prompt tokens a second until the first logits, where all of the prompt but its
 *                last 16 tokens has been read before */
#include "engine/ablation.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "device/fusion.h"
#include "engine/bench.h"
#include "engine/engine_parts.h"

enum { ROUNDS_MAX = 100, NEW_TOKENS = 16, EVERYTHING = 15 };
enum { SLOW_PROMPT = 64, SLOW_GENERATE = 8 }; /* scalar kernels take a hundred times as long */

struct side {
    struct den_engine *engine;
    unsigned unfused; /* enum den_fusion */
    size_t sequences; /* of a decode */
    size_t depth;     /* of a decode */
    bool reads_anew;  /* of a first token: what was cached is forgotten */
};

struct ablation {
    const struct den_ablation_options *options;
    void (*on_row)(void *context, const struct den_ablation_row *row);
    void *context;
    struct den_engine *engine; /* the side with everything */
};

/* Tokens a second of one run of one side. */
typedef enum den_status (*measurement)(const struct ablation *ablation, const struct side *side,
                                       double *out, struct den_error *err);

static enum den_status run_bench(const struct side *side, const struct den_bench_options *options,
                                 struct den_bench_result *out, struct den_error *err)
{
    struct den_error ignored = { 0 };

    if (den_device_unfuse(side->engine->device, side->unfused, err) != DEN_OK)
        return err->status;
    den_bench_run(side->engine, options, out, err);
    den_device_unfuse(side->engine->device, 0, &ignored);
    return err->status;
}

static enum den_status measure_prefill(const struct ablation *ablation, const struct side *side,
                                       double *out, struct den_error *err)
{
    const struct den_bench_options options = { .prompt = ablation->options->prompt,
                                               .runs = 1,
                                               .cold = true,
                                               .cancel = ablation->options->cancel };
    struct den_bench_result result;

    if (run_bench(side, &options, &result, err) == DEN_OK)
        *out = result.prompt_tokens_per_s;
    return err->status;
}

static enum den_status measure_decode(const struct ablation *ablation, const struct side *side,
                                      double *out, struct den_error *err)
{
    const struct den_bench_options options = { .generate = ablation->options->generate,
                                               .depth = side->depth,
                                               .sequences = side->sequences,
                                               .runs = 1,
                                               .cold = true,
                                               .cancel = ablation->options->cancel };
    struct den_bench_result result;

    if (run_bench(side, &options, &result, err) == DEN_OK)
        *out = result.generated_tokens_per_s;
    return err->status;
}

/* Reads tokens [session length, count) of a made-up prompt, logits of the last. */
static enum den_status read_prompt(const struct ablation *ablation, struct den_session *session,
                                   const den_token *tokens, size_t count, struct den_error *err)
{
    size_t rows = den_engine_batch_rows(ablation->engine), at;

    while ((at = den_session_length(session)) < count) {
        size_t some = count - at < rows ? count - at : rows;
        struct den_step step = {
            .session = session, .tokens = tokens + at, .count = some, .no_logits = at + some < count
        };

        if (den_engine_step(ablation->engine, &step, 1, ablation->options->cancel, err) != DEN_OK)
            return err->status;
    }
    return DEN_OK;
}

static enum den_status measure_first_token(const struct ablation *ablation, const struct side *side,
                                           double *out, struct den_error *err)
{
    size_t count = ablation->options->prompt, i;
    size_t known = count > NEW_TOKENS ? count - NEW_TOKENS : 0;
    size_t vocabulary = den_engine_description(side->engine)->vocabulary;
    den_token *tokens = calloc(count, sizeof *tokens);
    struct den_session *session = NULL;
    double start;

    if (!tokens)
        return den_fail(err, DEN_NO_MEMORY, "ablation: out of memory");
    for (i = 0; i < count; i++)
        tokens[i] = (den_token)((i * 7919 + 13) % vocabulary);
    if (den_session_create(side->engine, &session, err) != DEN_OK ||
        (known > 0 && read_prompt(ablation, session, tokens, known, err) != DEN_OK))
        goto fail;
    if (side->reads_anew)
        den_session_truncate(session, 0);
    start = den_clock_seconds();
    if (read_prompt(ablation, session, tokens, count, err) == DEN_OK)
        *out = (double)count / (den_clock_seconds() - start);
fail:
    den_session_destroy(session);
    free(tokens);
    return err->status;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static struct den_ablation_figure summary(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return (struct den_ablation_figure){ .median =
                                             (values[(count - 1) / 2] + values[count / 2]) / 2,
                                         .low = values[0],
                                         .high = values[count - 1] };
}

static enum den_status measure_row(const struct ablation *ablation, const char *name,
                                   const char *figure, measurement measure, const struct side *with,
                                   const struct side *without, struct den_error *err)
{
    double rates[2][ROUNDS_MAX], gains[ROUNDS_MAX], warm_up;
    struct den_ablation_row row = { .name = name, .figure = figure };
    size_t rounds = ablation->options->runs, i;

    if (measure(ablation, with, &warm_up, err) != DEN_OK ||
        measure(ablation, without, &warm_up, err) != DEN_OK)
        return err->status;
    for (i = 0; i < rounds; i++) {
        if (measure(ablation, with, &rates[0][i], err) != DEN_OK ||
            measure(ablation, without, &rates[1][i], err) != DEN_OK)
            return err->status;
        gains[i] = rates[0][i] / rates[1][i];
    }
    row.with = summary(rates[0], rounds);
    row.without = summary(rates[1], rounds);
    row.gain = summary(gains, rounds).median;
    ablation->on_row(ablation->context, &row);
    return DEN_OK;
}

static enum den_status measure_both(const struct ablation *ablation, const char *name,
                                    const struct side *with, const struct side *without,
                                    struct den_error *err)
{
    if (measure_row(ablation, name, "prefill", measure_prefill, with, without, err) != DEN_OK)
        return err->status;
    return measure_row(ablation, name, "decode", measure_decode, with, without, err);
}

static enum den_status measure_fusions(const struct ablation *ablation, struct den_error *err)
{
    static const struct {
        const char *name;
        unsigned fusions;
    } rows[] = {
        { "norm fused with quantization", DEN_FUSION_NORM },
        { "gated activation fused with quantization", DEN_FUSION_GATE },
        { "queries, keys, values merged; gate, up merged", DEN_FUSION_STACK },
        { "residual added by the projection", DEN_FUSION_RESIDUAL },
        { "all four fusions", EVERYTHING },
    };
    const struct side with = { .engine = ablation->engine, .sequences = 1 };
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct side without = with;

        without.unfused = rows[i].fusions;
        if (measure_both(ablation, rows[i].name, &with, &without, err) != DEN_OK)
            return err->status;
    }
    return DEN_OK;
}

static enum den_status measure_sharing(const struct ablation *ablation, struct den_error *err)
{
    const struct den_ablation_options *options = ablation->options;
    const struct side batch = { .engine = ablation->engine,
                                .sequences = options->sequences,
                                .depth = options->depth };
    const struct side alone = { .engine = ablation->engine,
                                .sequences = 1,
                                .depth = options->depth };
    const struct side reuse = { .engine = ablation->engine };
    const struct side anew = { .engine = ablation->engine, .reads_anew = true };

    if (measure_row(ablation, "sequences in one batch, not one by one", "decode", measure_decode,
                    &batch, &alone, err) != DEN_OK)
        return err->status;
    return measure_row(ablation, "prefix reuse", "first token", measure_first_token, &reuse, &anew,
                       err);
}

/* `list` names `word`, as "avx512,vnni" does "vnni". */
static bool names(const char *list, const char *word)
{
    size_t length = strlen(word);
    const char *at = list;

    while ((at = strstr(at, word)) != NULL) {
        if ((at == list || at[-1] == ',') && (at[length] == '\0' || at[length] == ','))
            return true;
        at += length;
    }
    return false;
}

static enum den_status open_engine(const struct ablation *ablation, const char *cpu_features,
                                   struct den_engine **out, struct den_error *err)
{
    const struct den_ablation_options *options = ablation->options;
    struct den_engine_options engine = options->engine;
    size_t generation = options->depth + options->generate;

    engine.sequences = options->sequences;
    engine.context_tokens = options->prompt > generation ? options->prompt : generation;
    if (cpu_features)
        engine.cpu_features = cpu_features;
    return den_engine_open(&engine, out, err);
}

/* Each instruction set against what the processor would do without it. */
static enum den_status measure_kernels(const struct ablation *ablation, struct den_error *err)
{
    static const struct {
        const char *feature, *name, *rest;
    } sets[] = {
        { "amx", "AMX", "avx512,vnni" },
        { "vnni", "AVX-512 VNNI and above, not plain AVX-512", "avx512" },
        { "avx512", "AVX-512 and above, not AVX2", "avx2,fma,f16c" },
        { "avxvnni", "AVX-VNNI, not plain AVX2", "avx2,fma,f16c" },
        { "avx2", "vector kernels, not scalar ones", "scalar" },
    };
    const struct side with = { .engine = ablation->engine, .sequences = 1 };
    const char *present = den_device_features(ablation->engine->device);
    struct den_ablation_options slow = *ablation->options;
    struct ablation little = *ablation;
    size_t i;

    slow.prompt = slow.prompt < SLOW_PROMPT ? slow.prompt : SLOW_PROMPT;
    slow.generate = slow.generate < SLOW_GENERATE ? slow.generate : SLOW_GENERATE;
    little.options = &slow;

    for (i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        bool is_slow = strcmp(sets[i].rest, "scalar") == 0;
        struct side without = with;

        if (!names(present, sets[i].feature))
            continue;
        if (strcmp(sets[i].feature, "avxvnni") == 0 && names(present, "avx512"))
            continue;
        if (open_engine(ablation, sets[i].rest, &without.engine, err) != DEN_OK)
            return err->status;
        measure_both(is_slow ? &little : ablation, sets[i].name, &with, &without, err);
        den_engine_close(without.engine);
        if (err->status != DEN_OK)
            return err->status;
    }
    return DEN_OK;
}

static enum den_status measure_threads(const struct ablation *ablation, struct den_error *err)
{
    struct den_ablation_options options = *ablation->options;
    struct ablation single = *ablation;
    struct side with = { .engine = ablation->engine, .sequences = 1 };
    struct side without = with;

    if (den_device_threads(ablation->engine->device) < 2)
        return DEN_OK;
    options.engine.threads = 1;
    single.options = &options;
    if (open_engine(&single, NULL, &without.engine, err) != DEN_OK)
        return err->status;
    measure_both(ablation, "all threads, not one", &with, &without, err);
    den_engine_close(without.engine);
    return err->status;
}

enum den_status den_ablation_run(const struct den_ablation_options *options,
                                 void (*on_row)(void *context, const struct den_ablation_row *row),
                                 void *context, struct den_error *err)
{
    struct ablation ablation = { options, on_row, context, NULL };

    if (options->runs < 1 || options->runs > ROUNDS_MAX)
        return den_fail(err, DEN_INVALID, "ablation: %zu rounds; 1 to %d are possible",
                        options->runs, ROUNDS_MAX);
    if (options->prompt < 1 || options->generate < 1 || options->sequences < 2)
        return den_fail(err, DEN_INVALID,
                        "ablation: a prompt of %zu tokens, %zu to generate, %zu sequences; it "
                        "needs a prompt, something to generate and two sequences at least",
                        options->prompt, options->generate, options->sequences);
    if (open_engine(&ablation, NULL, &ablation.engine, err) != DEN_OK)
        return err->status;
    if (measure_fusions(&ablation, err) == DEN_OK && measure_sharing(&ablation, err) == DEN_OK &&
        measure_threads(&ablation, err) == DEN_OK)
        measure_kernels(&ablation, err);
    den_engine_close(ablation.engine);
    return err->status;
}
