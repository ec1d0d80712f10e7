/* Log-probabilities of a token and of the most likely ones: one pass for the largest logit, one for
 * the sum of exponentials, and one for the top list, which skips blocks that can't enter it. */
#include "text/sampler.h"

#include <math.h>

#include "text/sampler_math.h"

enum { BLOCK = 64 };

/* Keeps `top` (`*kept` of at most `count`) in falling order; the lower token comes first in a tie.
 */
static void insert(struct den_token_logprob *top, size_t *kept, size_t count,
                   struct den_token_logprob one)
{
    size_t at = *kept;

    if (*kept == count && !(one.logprob > top[count - 1].logprob))
        return;
    if (*kept < count)
        (*kept)++;
    else
        at = count - 1;
    for (; at > 0 && one.logprob > top[at - 1].logprob; at--)
        top[at] = top[at - 1];
    top[at] = one;
}

void den_logprobs_top(const float *logits, size_t vocabulary, den_token token,
                      struct den_token_logprob *out_token, struct den_token_logprob *out_top,
                      size_t count)
{
    float maximum = den_values_max(logits, vocabulary);
    double log_total = log(den_values_exp_sum(logits, vocabulary, maximum, -INFINITY));
    size_t kept = 0, block, i;

    *out_token = (struct den_token_logprob){ .token = token, .logprob = -INFINITY };
    if (token >= 0 && (size_t)token < vocabulary)
        out_token->logprob = (float)((double)logits[token] - (double)maximum - log_total);
    for (block = 0; block < vocabulary && count > 0; block += BLOCK) {
        size_t end = vocabulary - block > BLOCK ? block + BLOCK : vocabulary;

        if (kept == count &&
            !(den_values_max(logits + block, end - block) > out_top[kept - 1].logprob))
            continue;
        for (i = block; i < end; i++)
            insert(out_top, &kept, count,
                   (struct den_token_logprob){ .token = (den_token)i, .logprob = logits[i] });
    }
    for (i = 0; i < kept; i++)
        out_top[i].logprob = (float)((double)out_top[i].logprob - (double)maximum - log_total);
    for (; i < count; i++)
        out_top[i] = (struct den_token_logprob){ .token = DEN_TOKEN_NONE, .logprob = -INFINITY };
}
