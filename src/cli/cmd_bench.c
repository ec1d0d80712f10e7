/* den bench: speed, memory, and how close to the machine's memory bandwidth the decoding comes. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/bench_ablate.h"
#include "cli/model_options.h"
#include "cli/model_packed.h"
#include "engine/bench.h"
#include "hardware/bandwidth.h"

static json_t *result_json(const struct den_arguments *arguments, const struct den_engine *engine,
                           const struct den_bench_result *result, double read_gigabytes)
{
    const struct den_device *device = den_engine_device(engine);

    return json_pack(
        "{s:s, s:s, s:s, s:i, s:s, s:s, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:I, s:I, s:f, "
        "s:f, s:f, s:s}",
        "engine", "den", "version", DEN_VERSION, "model", den_argument_text(arguments, "model"),
        "threads", den_device_threads(device), "cpu_features", den_device_features(device),
        "precision", den_argument_text(arguments, "precision"), "prompt_tokens",
        (json_int_t)den_argument_integer(arguments, "prompt"), "generated_tokens",
        (json_int_t)den_argument_integer(arguments, "generate"), "depth",
        (json_int_t)den_argument_integer(arguments, "depth"), "sequences",
        (json_int_t)den_argument_integer(arguments, "sequences"), "prompt_tokens_per_s",
        result->prompt_tokens_per_s, "generated_tokens_per_s", result->generated_tokens_per_s,
        "load_s", result->load_seconds, "peak_memory_mib", result->peak_memory_mib,
        "weight_bytes_per_step", (json_int_t)result->weight_bytes, "cache_bytes_per_step",
        (json_int_t)result->cache_bytes, "achieved_gb_per_s", result->gigabytes_per_second,
        "read_gb_per_s", read_gigabytes, "bandwidth_share",
        read_gigabytes > 0 ? result->gigabytes_per_second / read_gigabytes : 0.0, "packed",
        den_cli_packed_state());
}

static void print_text(const struct den_engine *engine, const struct den_bench_result *result,
                       double read_gigabytes)
{
    printf("instruction sets    %s, %d threads\n", den_device_features(den_engine_device(engine)),
           den_device_threads(den_engine_device(engine)));
    printf("load                %.3f s, packed file: %s\n", result->load_seconds,
           den_cli_packed_state());
    if (result->prompt_tokens_per_s > 0)
        printf("prompt              %.1f tokens/s\n", result->prompt_tokens_per_s);
    if (result->generated_tokens_per_s > 0)
        printf("generate            %.1f tokens/s (all sequences)\n",
               result->generated_tokens_per_s);
    if (result->gigabytes_per_second > 0)
        printf("read while decoding %.1f GB/s, %.0f %% of the %.1f GB/s this machine reads\n",
               result->gigabytes_per_second, 100 * result->gigabytes_per_second / read_gigabytes,
               read_gigabytes);
    printf("peak memory         %.0f MiB\n", result->peak_memory_mib);
}

/* One measurement for each line on standard input, "prompt" or "generate", each answered by a line
 * with its rate: another program can take its turn between two. Ends with the input. */
static enum den_status answer_lines(struct den_bench *bench, struct den_bench_result *out,
                                    struct den_error *err)
{
    double prompt = 0, generation = 0;
    char line[32];

    while (fgets(line, sizeof line, stdin)) {
        bool is_prompt = strcmp(line, "prompt\n") == 0;
        double *rate = is_prompt ? &prompt : &generation;

        if (!is_prompt && strcmp(line, "generate\n") != 0)
            return den_fail(err, DEN_INVALID, "bench: a line that is neither prompt nor generate");
        if ((is_prompt ? den_bench_prompt : den_bench_generation)(bench, rate, err) != DEN_OK)
            return err->status;
        printf("{\"tokens_per_s\": %.2f}\n", *rate);
        fflush(stdout);
    }
    den_bench_report(bench, prompt, generation, out);
    return DEN_OK;
}

static enum den_status run_paced(struct den_engine *engine, const struct den_bench_options *options,
                                 struct den_bench_result *out, struct den_error *err)
{
    struct den_bench *bench;

    if (den_bench_open(engine, options, &bench, err) != DEN_OK)
        return err->status;
    answer_lines(bench, out, err);
    den_bench_close(bench);
    return err->status;
}

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    struct den_bench_options bench = {
        .prompt = (size_t)den_argument_integer(arguments, "prompt"),
        .generate = (size_t)den_argument_integer(arguments, "generate"),
        .depth = (size_t)den_argument_integer(arguments, "depth"),
        .sequences = (size_t)den_argument_integer(arguments, "sequences"),
        .runs = (size_t)den_argument_integer(arguments, "runs"),
        .cancel = den_cli_interrupted(),
    };
    struct den_cli_engine wanted = {
        .precision = den_argument_text(arguments, "precision"),
        .sequences = bench.sequences,
        .context_tokens = den_bench_context(&bench),
    };
    struct den_bandwidth_options reading = { 0 };
    struct den_bench_result result;
    struct den_engine *engine;
    double bandwidth = 0;

    den_cli_catch_interrupt();
    if (den_argument_flag(arguments, "ablate"))
        return den_cli_bench_ablate(arguments, err);
    if (den_cli_engine_open(arguments, &wanted, &engine, err) != DEN_OK)
        return err->status;
    reading.threads = den_device_threads(den_engine_device(engine));
    /* The bandwidth's buffer would count as peak memory, so it is measured last. */
    if ((den_argument_flag(arguments, "paced") ? run_paced : den_bench_run)(engine, &bench, &result,
                                                                            err) == DEN_OK &&
        den_bandwidth_measure(&reading, &bandwidth, err) == DEN_OK) {
        if (den_argument_flag(arguments, "json"))
            den_cli_print_json(result_json(arguments, engine, &result, bandwidth / 1e9), err);
        else
            print_text(engine, &result, bandwidth / 1e9);
    }
    den_engine_close(engine);
    return err->status;
}

#define COUNT(NAME, DEFAULT, LEAST, MOST, HELP)                                                    \
    {                                                                                              \
        .name = NAME, .kind = DEN_OPTION_INTEGER, .value = "N", .fallback = DEFAULT,               \
        .minimum = LEAST, .maximum = MOST, .help = HELP                                            \
    }

static const struct den_option options[] = {
    DEN_OPTION_MODEL,
    COUNT("prompt", "512", 0, DEN_CONTEXT_TOKENS_MAX,
          "tokens read into an empty cache; 0 leaves this out"),
    COUNT("generate", "64", 0, DEN_CONTEXT_TOKENS_MAX,
          "tokens generated by each sequence; 0 leaves this out"),
    COUNT("depth", "0", 0, DEN_CONTEXT_TOKENS_MAX,
          "tokens of each sequence in the cache before generating"),
    COUNT("sequences", "1", 1, DEN_SEQUENCES_MAX, "sequences generated together"),
    COUNT("runs", "3", 1, 1000, "measured runs after one to warm up; medians are printed"),
    DEN_OPTIONS_DEVICE,
    DEN_OPTION_PRECISION,
    DEN_OPTION_CACHE,
    { .name = "ablate",
      .kind = DEN_OPTION_FLAG,
      .help = "measure with and without each fusion, batching, prefix reuse, threads and each "
              "instruction set, in turn, and print what each brings" },
    { .name = "paced",
      .kind = DEN_OPTION_FLAG,
      .help = "measure once for each line on standard input, which is prompt or generate, so that "
              "programs can take turns" },
    DEN_OPTION_JSON,
};

const struct den_verb den_verb_bench = {
    .name = "bench",
    .summary = "measure speed and memory",
    .operands = "",
    .description = "Reads --prompt tokens into an empty cache, then, with --depth tokens of each "
                   "sequence cached, generates "
                   "--generate tokens of each: measured apart, as llama-bench does. "
                   "bench/compare.py runs it in turn with "
                   "llama.cpp.",
    .examples = "den bench\nden bench --prompt 0 --depth 4096\nden bench --sequences 16 --depth "
                "512 --json\n"
                "den bench --cpu-features avx2,fma,f16c\nden bench --ablate --runs 5\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
