/* Perplexity: how well a model predicts a text, and how far two engines' predictions are apart.
 *
 * The convention is llama.cpp's, so that figures can be compared: the text's tokens are cut into
 * windows of `context`, the rest is dropped; each window starts from an empty cache (its first
 * token replaced by BOS where the tokenizer adds one); the first half only gives context, and the
 * predictions of the second half are scored: for context 512, tokens 257 to 511 of each window.
 * Perplexity is exp(mean of -log p(token)).
 *
 * With a reference engine (the same vocabulary; the fp32 mode or another file of the same model),
 * every scored position also gives the Kullback-Leibler divergence of this engine's distribution
 * from the reference's, in nats, and whether both find the same token likeliest. */
#ifndef DEN_ENGINE_PERPLEXITY_H
#define DEN_ENGINE_PERPLEXITY_H

#include "engine/engine.h"

struct den_perplexity_result {
    size_t chunks;
    size_t scored; /* tokens */
    double perplexity;
    double standard_error; /* of the perplexity */
    double seconds;
    bool has_reference;
    double reference_perplexity;
    double kl_mean;
    double kl_999;         /* 99.9 % of positions lie below; of those scored so far */
    double top1_agreement; /* 0 to 1 */
};

struct den_perplexity_options {
    const den_token *tokens;
    size_t count;
    size_t context;               /* of a window; 0: 512 */
    size_t chunks_max;            /* 0: all */
    struct den_engine *reference; /* NULL: none */
    const atomic_bool *cancel;    /* NULL: none */
    /* Called after each window with the figures so far (kl_999 not among them); may be NULL. */
    void (*on_chunk)(void *context, const struct den_perplexity_result *so_far, size_t chunks);
    void *on_chunk_context;
};

/* DEN_INVALID when the text is shorter than one window or a window longer than an engine's context.
 */
enum den_status den_perplexity_measure(struct den_engine *engine,
                                       const struct den_perplexity_options *options,
                                       struct den_perplexity_result *out, struct den_error *err);

#endif
