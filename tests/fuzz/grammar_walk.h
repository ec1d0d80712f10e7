/* What both grammar targets do with whatever compiles: walk it with a small vocabulary for some
 * tokens, always the first, the last or the middle one that the mask allows. */
#ifndef DEN_TESTS_FUZZ_GRAMMAR_WALK_H
#define DEN_TESTS_FUZZ_GRAMMAR_WALK_H

#include <stdlib.h>
#include <string.h>

#include "text/constraint_parts.h"

enum { WALK_TOKENS = 24, WALK_BYTES = 256, WALK_PAIRS = 6 };

static void get_token(const void *context, den_token token, struct den_token_text *out_text,
                      enum den_token_role *out_role)
{
    static const char *const pairs[WALK_PAIRS] = { "\",", "\":", "}]", "abc", "\xe6\xbc", " \"" };
    const char *bytes = context;

    if (token < WALK_BYTES)
        *out_text = (struct den_token_text){ bytes + token, 1 };
    else if (token < WALK_BYTES + WALK_PAIRS)
        *out_text =
            (struct den_token_text){ pairs[token - WALK_BYTES], strlen(pairs[token - WALK_BYTES]) };
    else
        *out_role = DEN_ROLE_END;
}

static struct den_grammar_vocabulary *walk_vocabulary(void)
{
    static struct den_grammar_vocabulary *vocabulary;
    static char bytes[WALK_BYTES];
    struct den_token_list list = { .count = WALK_BYTES + WALK_PAIRS + 1,
                                   .get = get_token,
                                   .context = bytes };
    struct den_error err = { 0 };
    int i;

    for (i = 0; i < WALK_BYTES; i++)
        bytes[i] = (char)i;
    if (!vocabulary && den_grammar_vocabulary_create_core(&list, &vocabulary, &err) != DEN_OK)
        abort();
    return vocabulary;
}

/* The token of the mask that `pick` (0: first, 1: middle, 2: last) means. */
static den_token pick_token(const uint32_t *mask, size_t size, unsigned pick)
{
    size_t count = 0, i;

    for (i = 0; i < size; i++)
        count += den_mask_has(mask, (den_token)i);
    if (count == 0)
        abort(); /* there is always one that may come */
    count = pick == 0 ? 1 : pick == 1 ? (count + 1) / 2 : count;
    for (i = 0; count > 0; i++)
        count -= den_mask_has(mask, (den_token)i);
    return (den_token)i - 1;
}

static void walk_grammar(const struct den_grammar *grammar, unsigned seed)
{
    struct den_constraint_options options = { .grammar = grammar, .vocabulary = walk_vocabulary() };
    struct den_constraint *constraint = NULL;
    struct den_error err = { 0 };
    int i;

    if (den_constraint_create(&options, &constraint, &err) != DEN_OK)
        abort();
    for (i = 0; i < WALK_TOKENS; i++) {
        den_token token =
            pick_token(den_constraint_mask(constraint), options.vocabulary->size, (seed >> i) % 3);

        if (den_constraint_accept(constraint, token, &err) != DEN_OK)
            abort();
    }
    den_constraint_destroy(constraint);
}

#endif
