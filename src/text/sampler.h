/* Sampler: from logits to the next token, through llama.cpp's chain in llama.cpp's order and with
 * its defaults: logit bias, penalties, DRY, top-n-sigma, top-k, typical, top-p, min-p, XTC,
 * temperature, then a draw. Temperature 0 (or below) takes the largest logit. Seeded: the same
 * seed, logits and history give the same tokens on every machine. */
#ifndef DEN_TEXT_SAMPLER_H
#define DEN_TEXT_SAMPLER_H

#include "base/status.h"
#include "text/tokenizer.h"

struct den_logit_bias {
    den_token token;
    float bias;
};

struct den_sampler_options {
    uint64_t seed; /* DEN_SEED_RANDOM draws one; den_sampler_seed() tells which */
    float temperature;
    int top_k; /* 0: all */
    float top_p;
    float min_p;
    float typical_p;
    float top_n_sigma; /* negative: off */
    float xtc_probability;
    float xtc_threshold;
    int penalty_last_n; /* 0: off; -1: the whole history */
    float repeat_penalty;
    float frequency_penalty;
    float presence_penalty;
    float dry_multiplier; /* 0: off */
    float dry_base;
    int dry_allowed_length;
    int dry_penalty_last_n; /* -1: the whole history */
    int min_keep;
    const struct den_logit_bias *logit_bias; /* copied */
    size_t logit_bias_count;
};
#define DEN_SEED_RANDOM UINT64_MAX

struct den_sampler;

/* llama.cpp's defaults: temperature 0.8, top_k 40, top_p 0.95, min_p 0.05, everything else off. */
struct den_sampler_options den_sampler_defaults(void);
/* Task presets: "creative" (temperature 0.7, top-p 0.95), "factual" (0.7, 0.85), "classify" (0.1).
 * Changes the fields that the preset names. DEN_INVALID lists the presets there are. */
enum den_status den_sampler_apply_preset(struct den_sampler_options *options, const char *preset,
                                         struct den_error *err);

/* `tokenizer` is needed for DRY's breakers and must outlive the sampler. Options out of range are
 * DEN_INVALID. */
enum den_status den_sampler_create(const struct den_sampler_options *options,
                                   const struct den_tokenizer *tokenizer, struct den_sampler **out,
                                   struct den_error *err);
void den_sampler_destroy(struct den_sampler *sampler);
uint64_t den_sampler_seed(const struct den_sampler *sampler);
/* How many random numbers it has drawn: with the seed and the history, all of its state. */
uint64_t den_sampler_drawn(const struct den_sampler *sampler);
/* Brings a new sampler to where another with its seed had drawn `count` numbers. */
void den_sampler_skip(struct den_sampler *sampler, uint64_t count);

/* Tells the sampler of a token that is now in the text (prompt or generated). */
enum den_status den_sampler_accept(struct den_sampler *sampler, den_token token,
                                   struct den_error *err);
/* Chooses from `logits` (vocabulary), which stay unchanged; allocates nothing. Does not accept the
 * token. DEN_TOKEN_NONE where every logit is NaN or -INFINITY: a broken model. */
den_token den_sampler_sample(struct den_sampler *sampler, const float *logits);
/* As if the logits of tokens whose bit in `mask` is 0 were -INFINITY, whatever their bias. `mask`
 * has a bit for each token (bit t & 31 of word t >> 5), as den_constraint_mask() gives; NULL: all
 * may come. */
den_token den_sampler_sample_masked(struct den_sampler *sampler, const float *logits,
                                    const uint32_t *mask);

/* log-softmax of `logits`: the value of `token`, and the `count` most likely tokens in falling
 * order. */
struct den_token_logprob {
    den_token token;
    float logprob;
};
void den_logprobs_top(const float *logits, size_t vocabulary, den_token token,
                      struct den_token_logprob *out_token, struct den_token_logprob *out_top,
                      size_t count);

#endif
