/* Bench: how fast an engine reads a prompt and writes an answer.
 *
 * The two are measured apart, as llama-bench does: `prompt` tokens into an empty cache (in steps of
 * at most the engine's batch rows, logits of the last token only), then, in a cache that already
 * holds `depth` tokens of each of `sequences` sequences, `generate` tokens of each, one a step.
 * Each is done once to warm up, then `runs` times; the medians count. The decode reads every weight
 * and every cached key and value once a step, so bytes a step times steps a second is the memory
 * bandwidth achieved: what a roofline compares with the machine's. */
#ifndef DEN_ENGINE_BENCH_H
#define DEN_ENGINE_BENCH_H

#include "engine/engine.h"

struct den_bench_options {
    size_t prompt;             /* tokens; 0: not measured */
    size_t generate;           /* tokens; 0: not measured */
    size_t depth;              /* tokens */
    size_t sequences;          /* 0: 1 */
    size_t runs;               /* 0: 3 */
    bool cold;                 /* without a run to warm up */
    const atomic_bool *cancel; /* NULL: none */
};

struct den_bench_result {
    double prompt_tokens_per_s;    /* 0: not measured */
    double generated_tokens_per_s; /* summed over sequences */
    double load_seconds;
    double peak_memory_mib;      /* of the process so far */
    size_t weight_bytes;         /* read in one step */
    size_t cache_bytes;          /* read in one step, at the middle of the generation */
    double gigabytes_per_second; /* (weights + cache) x steps a second; 0: not measured */
};

/* What an engine must be opened with: sequences as given, and this context at least. */
size_t den_bench_context(const struct den_bench_options *options);
/* DEN_INVALID: the engine has too few sequences or too small a context. */
enum den_status den_bench_run(struct den_engine *engine, const struct den_bench_options *options,
                              struct den_bench_result *out, struct den_error *err);

/* The same one measurement at a time, so that two programs can take turns. Tokens that were cached
 * for one generation serve the next. */
struct den_bench;
enum den_status den_bench_open(struct den_engine *engine, const struct den_bench_options *options,
                               struct den_bench **out, struct den_error *err);
void den_bench_close(struct den_bench *bench);
enum den_status den_bench_prompt(struct den_bench *bench, double *out_rate, struct den_error *err);
enum den_status den_bench_generation(struct den_bench *bench, double *out_rate,
                                     struct den_error *err);
/* All that a result says beside the two rates, which are given (0: not measured). */
void den_bench_report(const struct den_bench *bench, double prompt_rate, double generation_rate,
                      struct den_bench_result *out);

#endif
