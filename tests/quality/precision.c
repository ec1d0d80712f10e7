/* What int8 activations cost: the default mode against the fp32 mode on a slice of wikitext-2's
 * test text (tests/fixtures/wikitext2_slice.txt, CC BY-SA 4.0, from Wikipedia's articles). Wanted:
 * the same likeliest token at 98 % of positions, mean divergence below 0.005 nats. */
#include <string.h>

#include "engine/perplexity.h"
#include "real_model.h"

enum { WINDOWS = 4 };

static const double agreement_min = 0.98;
static const double divergence_max = 0.005;

static void tell(void *context, const struct den_perplexity_result *so_far, size_t chunks)
{
    (void)context;
    if (so_far->chunks % 20 == 0)
        fprintf(stderr, "%zu of %zu: perplexity %.4f (fp32 %.4f), divergence %.6f, same %.4f\n",
                so_far->chunks, chunks, so_far->perplexity, so_far->reference_perplexity,
                so_far->kl_mean, so_far->top1_agreement);
}

int main(int argc, char **argv)
{
    const char *model = argc > 1 ? argv[1] : real_model_path();
    const char *text_path = argc > 2 ? argv[2] : DEN_FIXTURES "/wikitext2_slice.txt";
    struct den_engine *engine =
        real_model_open((struct den_engine_options){ .path = model, .context_tokens = 512 });
    struct den_engine *reference = real_model_open((struct den_engine_options){
        .path = model, .context_tokens = 512, .precision = DEN_PRECISION_FP32 });
    struct den_perplexity_options options = { .context = 512,
                                              .chunks_max = argc > 3   ? strtoul(argv[3], NULL, 10)
                                                            : argc > 2 ? 0
                                                                       : WINDOWS,
                                              .reference = reference,
                                              .on_chunk = tell };
    struct den_perplexity_result result = { 0 };
    struct den_tokens tokens = { 0 };
    struct den_error err = { 0 };
    struct den_buffer text;

    den_buffer_init(&text, DEN_FILE_TEXT_BYTES_MAX);
    if (den_file_read(text_path, &text, &err) == DEN_OK &&
        den_tokenizer_encode(den_engine_tokenizer(engine), text.data, text.length,
                             DEN_ENCODE_ADD_SPECIAL, &tokens, &err) == DEN_OK) {
        options.tokens = tokens.items;
        options.count = tokens.count;
        den_perplexity_measure(engine, &options, &result, &err);
    }
    den_tokens_deinit(&tokens);
    den_buffer_deinit(&text);
    den_engine_close(engine);
    den_engine_close(reference);
    if (err.status != DEN_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    printf("{\"windows\": %zu, \"scored\": %zu, \"perplexity\": %.4f, \"standard_error\": %.4f, "
           "\"fp32_perplexity\": %.4f, \"kl_mean\": %.6f, \"kl_99_9\": %.6f, "
           "\"top1_agreement\": %.5f, \"seconds\": %.1f}\n",
           result.chunks, result.scored, result.perplexity, result.standard_error,
           result.reference_perplexity, result.kl_mean, result.kl_999, result.top1_agreement,
           result.seconds);
    return result.top1_agreement >= agreement_min && result.kl_mean < divergence_max ? 0 : 1;
}
