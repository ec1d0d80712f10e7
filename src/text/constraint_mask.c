/* See constraint_parts.h. A mask is a walk of a set through the tries: a branch is left as soon as
 * the set is empty. Most places of a grammar take few tokens and the walk is over after some dozen
 * steps. The exception are strings and other wide places, which take most tokens: there the mask
 * begins with the tokens of the set's run (constraint_runs.c), and the walk through the plain trie
 * only looks for what else is taken. */
#include <string.h>

#include "text/constraint_parts.h"

static void add_token(const struct den_grammar_vocabulary *vocabulary, uint32_t *mask,
                      den_token token)
{
    for (; token != DEN_TOKEN_NONE; token = vocabulary->twins[token])
        den_mask_set(mask, token);
}

/* Control tokens go by literal edges, whose steps are not cached: there are few of either. */
static void walk(struct den_sets *sets, uint32_t set,
                 const struct den_grammar_vocabulary *vocabulary, bool is_control, uint32_t *mask)
{
    const struct den_token_trie *trie = is_control ? &vocabulary->control : &vocabulary->other;
    uint32_t path[DEN_TOKEN_TRIE_BYTES_MAX + 1];
    size_t i = 0;

    path[0] = set;
    while (i < trie->count) {
        const struct den_token_node *node = &trie->nodes[i];
        const uint32_t from = path[node->depth - 1];
        const uint32_t next = is_control ? den_sets_step_literal(sets, from, node->byte)
                                         : den_sets_step(sets, from, node->byte);

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

/* --- plain tokens --- */

static void remove_kind(const struct den_grammar_vocabulary *vocabulary,
                        const struct den_kind_tokens *table, uint8_t kind, uint32_t *mask)
{
    size_t first = table->firsts[kind], i;

    if (table->dense[kind]) {
        for (i = 0; i < vocabulary->words; i++)
            mask[i] &= ~table->items[first + i];
        return;
    }
    for (i = first; i < table->firsts[kind + 1]; i++)
        mask[table->items[i] >> 5] &= ~(1u << (table->items[i] & 31));
}

/* Removes the tokens of `table` of all kinds that `kinds` lacks. */
static void remove_kinds(const struct den_grammar_vocabulary *vocabulary,
                         const struct den_kind_tokens *table, const struct den_kinds *kinds,
                         uint32_t *mask)
{
    uint8_t kind = 0;

    if (!(kinds->bits[0] & (((uint64_t)1 << DEN_KINDS_WIDE) - 1))) {
        remove_kind(vocabulary, table, DEN_KIND_ANY_WIDE, mask);
        kind = DEN_KINDS_WIDE + 2;
    }
    for (; kind < DEN_KINDS; kind++)
        if (kind != DEN_KIND_ANY_WIDE && !den_kinds_have(kinds, kind))
            remove_kind(vocabulary, table, kind, mask);
}

/* The tokens of the run, which must begin and go on with the same kinds or fewer. */
static void fill_run(const struct den_grammar_vocabulary *vocabulary, const struct den_run *run,
                     uint32_t *mask)
{
    size_t row = run->characters <= DEN_TOKEN_PLAIN_MAX ? run->characters : DEN_TOKEN_PLAIN_MAX, i;
    struct den_kinds begins;

    if (run->characters == DEN_GRAMMAR_FOREVER)
        row = DEN_TOKEN_PLAIN_MAX + 1;
    memcpy(mask, vocabulary->plain_masks[row], vocabulary->words * sizeof *mask);
    for (i = 0; run->characters > DEN_TOKEN_PLAIN_MAX && i < vocabulary->long_count; i++)
        if (vocabulary->long_lengths[i] <= run->characters)
            den_mask_set(mask, vocabulary->long_plain[i]);
    remove_kinds(vocabulary, &vocabulary->holds, &run->rest, mask);
    for (i = 0; i < 2; i++)
        begins.bits[i] = run->first.bits[i] | ~run->rest.bits[i]; /* those are gone already */
    remove_kinds(vocabulary, &vocabulary->begins, &begins, mask);
}

static struct den_kinds common_kinds(const struct den_kinds *a, const struct den_kinds *b)
{
    return (struct den_kinds){ { a->bits[0] & b->bits[0], a->bits[1] & b->bits[1] } };
}

/* A place in the walk: after the bytes of a node. */
struct place {
    uint32_t set;
    uint32_t characters;
    bool inside; /* all characters so far are such as the first set's run has */
};

static bool covers(const struct den_run *run, const struct den_token_below *below, uint8_t kind)
{
    return below->characters < run->characters && den_kinds_have(&run->first, kind) &&
           den_kinds_within(&below->kinds, &run->rest);
}

static void add_below(const struct den_grammar_vocabulary *vocabulary, size_t index, uint32_t *mask)
{
    const struct den_token_node *nodes = vocabulary->plain.nodes;
    size_t i;

    for (i = index; i < nodes[index].end; i++)
        if (nodes[i].token != DEN_TOKEN_NONE)
            add_token(vocabulary, mask, nodes[i].token);
}

/* The walk through the plain trie, where `run` is what the mask holds already: it goes around
 * branches in which there is nothing else, and takes whole branches by the runs of other sets. */
static void walk_plain(struct den_sets *sets, uint32_t set,
                       const struct den_grammar_vocabulary *vocabulary, const struct den_run *run,
                       uint32_t *mask)
{
    enum { BRANCH_MIN = 24 }; /* nodes; for fewer a run is not worth asking for */
    const struct den_token_node *nodes = vocabulary->plain.nodes;
    struct place path[DEN_TOKEN_TRIE_BYTES_MAX + 1];
    size_t i = 0;

    path[0] = (struct place){ set, 0, run->characters > 0 };
    while (i < vocabulary->plain.count) {
        const struct den_token_node *node = &nodes[i];
        const struct den_token_below *below = &vocabulary->below[i];
        const struct place *above = &path[node->depth - 1];
        struct place place = *above;
        bool begins = (node->byte & 0xC0) != 0x80;
        uint8_t kind = den_kind_of(node->byte);

        if (begins)
            place.inside &=
                den_kinds_have(place.characters++ == 0 ? &run->first : &run->rest, kind);
        if (place.inside && place.characters + below->characters <= run->characters &&
            den_kinds_within(&below->kinds, &run->rest)) {
            i = node->end;
            continue;
        }
        if (begins && node->end - i >= BRANCH_MIN) {
            struct den_run other = den_sets_run(sets, above->set);

            if (covers(&other, below, kind)) {
                add_below(vocabulary, i, mask);
                i = node->end;
                continue;
            }
        }
        place.set = den_sets_step(sets, above->set, node->byte);
        path[node->depth] = place;
        if (place.set != DEN_SET_NONE && node->token != DEN_TOKEN_NONE)
            add_token(vocabulary, mask, node->token);
        i = place.set != DEN_SET_NONE ? i + 1 : node->end;
    }
}

static bool has_literal(const struct den_sets *sets, uint32_t set)
{
    const struct den_grammar *grammar = sets->grammar;
    const struct den_reading_set *items = &sets->sets[set];
    uint32_t i, k;

    for (i = 0; i < items->count; i++) {
        const struct den_grammar_node *node =
            &grammar->nodes[sets->readings[items->first + i].node];

        for (k = 0; node->kind == DEN_GRAMMAR_BYTES && k < node->count; k++)
            if (grammar->edges[node->first + k].literal)
                return true;
    }
    return false;
}

/* Kinds of a run, beyond the ASCII before "@", from which on it is quicker to take all tokens and
 * remove some than to walk. */
enum { FILL_KINDS_MIN = 20 };

void den_sets_mask(struct den_sets *sets, uint32_t set,
                   const struct den_grammar_vocabulary *vocabulary, uint32_t *mask)
{
    struct den_run run;

    sets->effort = 0;
    sets->effort_max = DEN_GRAMMAR_WORK_MAX;
    run = den_sets_run(sets, set);
    run.first = common_kinds(&run.first, &run.rest);
    if (__builtin_popcountll(run.rest.bits[1]) < FILL_KINDS_MIN)
        run.characters = 0;
    if (run.characters > 0)
        fill_run(vocabulary, &run, mask);
    else
        memset(mask, 0, vocabulary->words * sizeof *mask);
    if (!run.only)
        walk_plain(sets, set, vocabulary, &run, mask);
    walk(sets, set, vocabulary, false, mask);
    if (has_literal(sets, set))
        walk(sets, set, vocabulary, true, mask);
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
