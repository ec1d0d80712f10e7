/* See constraint_parts.h. A mask is a walk of a set through the tries: a branch is left as soon as
 * the set is empty. Most places of a grammar take few tokens and the walk is over after some dozen
 * steps. The exception are strings, which take nearly all tokens; there the masks of plain tokens,
 * made with the vocabulary, stand in for the walk through the plain trie, and only the rest
 * (quotes, backslashes, parts of characters) is walked. */
#include <string.h>

#include "text/constraint_parts.h"

static void add_token(const struct den_grammar_vocabulary *vocabulary, uint32_t *mask,
                      den_token token)
{
    for (; token != DEN_TOKEN_NONE; token = vocabulary->twins[token])
        den_mask_set(mask, token);
}

static void walk(struct den_sets *sets, uint32_t set,
                 const struct den_grammar_vocabulary *vocabulary, const struct den_token_trie *trie,
                 uint32_t *mask)
{
    uint32_t path[DEN_TOKEN_TRIE_BYTES_MAX + 1];
    size_t i = 0;

    path[0] = set;
    while (i < trie->count) {
        const struct den_token_node *node = &trie->nodes[i];
        uint32_t next = den_sets_step(sets, path[node->depth - 1], node->byte);

        if (next == DEN_SET_NONE) {
            i = node->end;
            continue;
        }
        path[node->depth] = next;
        if (node->token != DEN_TOKEN_NONE)
            add_token(vocabulary, mask, node->token);
        i++;
    }
}

/* Control tokens go by literal edges, which are not cached: there are few of either. */
static void walk_control(struct den_sets *sets, uint32_t set,
                         const struct den_grammar_vocabulary *vocabulary, uint32_t *mask)
{
    const struct den_token_trie *trie = &vocabulary->control;
    uint32_t path[DEN_TOKEN_TRIE_BYTES_MAX + 1];
    size_t i = 0;

    path[0] = set;
    while (i < trie->count) {
        const struct den_token_node *node = &trie->nodes[i];
        uint32_t next = den_sets_step_literal(sets, path[node->depth - 1], node->byte);

        if (next == DEN_SET_NONE) {
            i = node->end;
            continue;
        }
        path[node->depth] = next;
        if (node->token != DEN_TOKEN_NONE)
            add_token(vocabulary, mask, node->token);
        i++;
    }
}

/* What a set says about plain tokens. */
struct plain_view {
    bool inside;        /* a reading stands before a character of a JSON string ... */
    uint32_t remaining; /* ... and as many may follow at most (DEN_GRAMMAR_FOREVER: any number) */
    bool other;         /* another reading takes plain bytes as well */
    bool literal;       /* an edge of a literal leads on */
};

static struct plain_view view_plain(const struct den_sets *sets, uint32_t set)
{
    const struct den_grammar *grammar = sets->grammar;
    const struct den_reading_set *items = &sets->sets[set];
    struct plain_view view = { 0 };
    uint32_t i, k, readings = 0;

    for (i = 0; i < items->count; i++) {
        struct den_reading reading = sets->readings[items->first + i];
        const struct den_grammar_node *node = &grammar->nodes[reading.node];
        const struct den_frame *frame = &sets->frames[reading.frame];
        const struct den_grammar_node *repeat = &grammar->nodes[frame->node];
        uint32_t remaining;

        for (k = 0; node->kind == DEN_GRAMMAR_BYTES && k < node->count; k++)
            view.literal |= grammar->edges[node->first + k].literal;
        if (!node->plain)
            continue;
        if (grammar->character_rule == 0 ||
            reading.node != grammar->rules[grammar->character_rule] || reading.frame == 0 ||
            repeat->kind != DEN_GRAMMAR_REPEAT || repeat->rule != grammar->character_rule) {
            view.other = true;
            continue;
        }
        remaining = repeat->maximum == DEN_GRAMMAR_FOREVER ? DEN_GRAMMAR_FOREVER
                                                           : repeat->maximum - frame->count + 1;
        view.inside = true;
        view.other |= readings++ > 0 && remaining != view.remaining;
        if (remaining > view.remaining)
            view.remaining = remaining;
    }
    return view;
}

static void add_plain(const struct den_grammar_vocabulary *vocabulary, uint32_t remaining,
                      uint32_t *mask)
{
    size_t row = remaining <= DEN_TOKEN_PLAIN_MAX ? remaining : DEN_TOKEN_PLAIN_MAX, i;

    if (remaining == DEN_GRAMMAR_FOREVER)
        row = DEN_TOKEN_PLAIN_MAX + 1;
    memcpy(mask, vocabulary->plain_masks[row], vocabulary->words * sizeof *mask);
    if (remaining <= DEN_TOKEN_PLAIN_MAX || remaining == DEN_GRAMMAR_FOREVER)
        return;
    for (i = 0; i < vocabulary->long_count; i++)
        if (vocabulary->long_lengths[i] <= remaining)
            den_mask_set(mask, vocabulary->long_plain[i]);
}

void den_sets_mask(struct den_sets *sets, uint32_t set,
                   const struct den_grammar_vocabulary *vocabulary, uint32_t *mask)
{
    struct plain_view view = view_plain(sets, set);

    sets->effort = 0;
    sets->effort_max = DEN_GRAMMAR_WORK_MAX;
    if (view.inside)
        add_plain(vocabulary, view.remaining, mask);
    else
        memset(mask, 0, vocabulary->words * sizeof *mask);
    /* a string that takes plain tokens of any length takes whatever another reading would */
    if (!view.inside || (view.other && view.remaining != DEN_GRAMMAR_FOREVER))
        walk(sets, set, vocabulary, &vocabulary->plain, mask);
    walk(sets, set, vocabulary, &vocabulary->other, mask);
    if (view.literal)
        walk_control(sets, set, vocabulary, mask);
    sets->effort_max = UINT64_MAX;
}

uint32_t den_sets_accept(struct den_sets *sets, uint32_t set, struct den_token_text text,
                         bool control)
{
    size_t i;

    if (text.length == 0)
        return DEN_SET_NONE;
    for (i = 0; i < text.length && set != DEN_SET_NONE; i++)
        set = control ? den_sets_step_literal(sets, set, (uint8_t)text.bytes[i])
                      : den_sets_step(sets, set, (uint8_t)text.bytes[i]);
    return set;
}
