/* Joins the sampler to a tokenizer: its vocabulary's size, and DRY's breakers. A breaker is any
 * token whose text holds a newline, a colon, a double quote or an asterisk: these punctuate lists,
 * dialogue and markup, whose repetition is form and not a loop. */
#include "text/sampler_core.h"

#include <stdlib.h>

static bool is_breaker(const struct den_tokenizer *tokenizer, den_token token)
{
    struct den_token_text text = den_tokenizer_piece(tokenizer, token);
    size_t i;

    for (i = 0; i < text.length; i++) {
        char c = text.bytes[i];

        if (c == '\n' || c == ':' || c == '"' || c == '*')
            return true;
    }
    return false;
}

enum den_status den_sampler_create(const struct den_sampler_options *options,
                                   const struct den_tokenizer *tokenizer, struct den_sampler **out,
                                   struct den_error *err)
{
    size_t vocabulary = den_tokenizer_size(tokenizer);
    uint8_t *breakers = NULL;
    enum den_status status;
    size_t i;

    if (options->dry_multiplier > 0 && vocabulary > 0) {
        breakers = calloc(vocabulary, sizeof *breakers);
        if (!breakers)
            return den_fail(err, DEN_NO_MEMORY, "sampler: out of memory for %zu tokens",
                            vocabulary);
        for (i = 0; i < vocabulary; i++)
            breakers[i] = is_breaker(tokenizer, (den_token)i);
    }
    status = den_sampler_create_core(options, vocabulary, breakers, out, err);
    free(breakers);
    return status;
}
