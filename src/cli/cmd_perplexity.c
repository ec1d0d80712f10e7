/* den perplexity: how well a model predicts a text and, beside a reference, what a precision or a
 * quantization costs. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/model_options.h"
#include "desk/catalogue.h"
#include "engine/perplexity.h"

enum { TEXT_BYTES_MAX = 1 << 30 };

/* A reference is a model, or one of the words fp32 and int8: this model in that precision. */
static enum den_status open_reference(const struct den_arguments *arguments, size_t context,
                                      struct den_engine **out, struct den_error *err)
{
    const char *name = den_argument_text(arguments, "reference");
    struct den_catalogue *catalogue;
    char path[DEN_PATH_BYTES_MAX];
    struct den_engine_options options = {
        .path = path,
        .threads = (int)den_argument_integer(arguments, "threads"),
        .cpu_features = den_argument_text(arguments, "cpu-features"),
        .context_tokens = context,
        .precision = DEN_PRECISION_FP32,
    };

    if (strcmp(name, "fp32") == 0 || strcmp(name, "int8") == 0) {
        struct den_cli_engine wanted = { .precision = name, .context_tokens = context };

        return den_cli_engine_open(arguments, &wanted, out, err);
    }
    if (den_catalogue_create(&catalogue, err) != DEN_OK)
        return err->status;
    den_catalogue_resolve(catalogue, name, path, sizeof path, err);
    den_catalogue_destroy(catalogue);
    if (err->status != DEN_OK)
        return err->status;
    return den_engine_open(&options, out, err);
}

static void show_progress(void *context, const struct den_perplexity_result *so_far, size_t chunks)
{
    (void)context;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%zu of %zu windows, perplexity %.4f ", so_far->chunks, chunks,
                so_far->perplexity);
}

static void print_text(const struct den_perplexity_result *result)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
    printf("perplexity          %.4f +/- %.4f\n", result->perplexity, result->standard_error);
    printf("scored              %zu tokens in %zu windows, %.1f s\n", result->scored,
           result->chunks, result->seconds);
    if (!result->has_reference)
        return;
    printf("reference           %.4f (ratio %.5f)\n", result->reference_perplexity,
           result->perplexity / result->reference_perplexity);
    printf("KL divergence       %.6f mean, %.6f at 99.9 %%\n", result->kl_mean, result->kl_999);
    printf("top-1 agreement     %.2f %%\n", 100 * result->top1_agreement);
}

static json_t *result_json(const struct den_perplexity_result *result)
{
    json_t *object =
        json_pack("{s:f, s:f, s:I, s:I, s:f}", "perplexity", result->perplexity, "standard_error",
                  result->standard_error, "chunks", (json_int_t)result->chunks, "scored_tokens",
                  (json_int_t)result->scored, "seconds", result->seconds);

    if (object && result->has_reference) {
        json_object_set_new(object, "reference_perplexity",
                            json_real(result->reference_perplexity));
        json_object_set_new(object, "kl_mean", json_real(result->kl_mean));
        json_object_set_new(object, "kl_999", json_real(result->kl_999));
        json_object_set_new(object, "top1_agreement", json_real(result->top1_agreement));
    }
    return object;
}

static enum den_status measure(const struct den_arguments *arguments, struct den_engine *engine,
                               struct den_engine *reference, struct den_error *err)
{
    struct den_perplexity_options options = {
        .context = (size_t)den_argument_integer(arguments, "context"),
        .chunks_max = (size_t)den_argument_integer(arguments, "chunks"),
        .reference = reference,
        .cancel = den_cli_interrupted(),
        .on_chunk = show_progress,
    };
    struct den_perplexity_result result;
    struct den_tokens tokens = { 0 };
    struct den_buffer text;

    den_buffer_init(&text, TEXT_BYTES_MAX);
    if (den_file_read(den_operand(arguments, 0), &text, err) == DEN_OK &&
        den_tokenizer_encode(den_engine_tokenizer(engine), text.data, text.length,
                             DEN_ENCODE_ADD_SPECIAL, &tokens, err) == DEN_OK) {
        options.tokens = tokens.items;
        options.count = tokens.count;
        if (den_perplexity_measure(engine, &options, &result, err) == DEN_OK) {
            if (den_argument_flag(arguments, "json"))
                den_cli_print_json(result_json(&result), err);
            else
                print_text(&result);
        }
    }
    den_tokens_deinit(&tokens);
    den_buffer_deinit(&text);
    return err->status;
}

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    size_t context = (size_t)den_argument_integer(arguments, "context");
    struct den_cli_engine wanted = {
        .precision = den_argument_text(arguments, "precision"),
        .context_tokens = context,
    };
    struct den_engine *engine = NULL;
    struct den_engine *reference = NULL;

    den_cli_catch_interrupt();
    if (den_cli_engine_open(arguments, &wanted, &engine, err) == DEN_OK &&
        (!den_argument_text(arguments, "reference") ||
         open_reference(arguments, context, &reference, err) == DEN_OK))
        measure(arguments, engine, reference, err);
    den_engine_close(reference);
    den_engine_close(engine);
    return err->status;
}

static const struct den_option options[] = {
    DEN_OPTION_MODEL,
    { .name = "context",
      .letter = 'c',
      .kind = DEN_OPTION_INTEGER,
      .value = "TOKENS",
      .fallback = "512",
      .minimum = 8,
      .maximum = DEN_CONTEXT_TOKENS_MAX,
      .help = "length of a window; its second half is scored" },
    { .name = "chunks",
      .kind = DEN_OPTION_INTEGER,
      .value = "N",
      .fallback = "0",
      .minimum = 0,
      .maximum = 1000000000,
      .help = "windows to measure; 0: all" },
    DEN_OPTION_PRECISION,
    DEN_OPTION_CACHE,
    { .name = "reference",
      .kind = DEN_OPTION_TEXT,
      .value = "OTHER",
      .help =
          "also compare with OTHER: a model, or fp32 or int8 for this model in that precision" },
    DEN_OPTIONS_DEVICE,
    DEN_OPTION_JSON,
};

const struct den_verb den_verb_perplexity = {
    .name = "perplexity",
    .summary = "measure how well a model predicts a text",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .description = "Cuts FILE's tokens into windows and scores the second half of each, as "
                   "llama.cpp does, so that figures "
                   "compare. With --reference it also gives the KL divergence from it (mean and "
                   "99.9 % quantile) and how "
                   "often both find the same token likeliest.",
    .examples = "den perplexity wikitext2-test.txt --chunks 20\n"
                "den perplexity wikitext2-test.txt --chunks 20 --reference fp32\n"
                "den perplexity -m model-q4_k_m.gguf --reference model-f16.gguf text.txt\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
