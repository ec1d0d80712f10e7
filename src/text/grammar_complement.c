/* Complement of an automaton: made deterministic by the subset construction, completed, and final
 * where it was not. A subset is a sorted list of states; the characters are cut at every bound of
 * its arcs, and what lies between two cuts goes to one subset. */
#include <stdlib.h>
#include <string.h>

#include "text/grammar_automaton.h"

#define NONE UINT32_MAX

struct subset {
    uint32_t *states;
    uint32_t count;
};

struct subsets {
    struct den_grammar_builder *builder;
    const struct den_automaton *from;
    struct den_automaton *out;
    struct subset *items; /* (states of out) */
    uint32_t *table;      /* (TABLE): number + 1 */
    uint32_t *scratch;    /* (states of from) */
    uint32_t *stamps;     /* (states of from): the round that added the state */
    uint32_t round;
    uint32_t *cuts; /* where pieces begin */
    size_t cut_count, cut_capacity;
};

enum { TABLE = DEN_GRAMMAR_STATES_MAX * 4 };

static int compare(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* The number of the subset in `scratch`. */
static uint32_t intern(struct subsets *subsets, uint32_t count)
{
    struct den_automaton *out = subsets->out;
    bool final = false;
    uint64_t hash = count;
    uint32_t number, i;
    size_t at;

    qsort(subsets->scratch, count, sizeof *subsets->scratch, compare);
    for (i = 0; i < count; i++) {
        hash = (hash ^ subsets->scratch[i]) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
        final |= subsets->from->states[subsets->scratch[i]].final;
    }
    for (at = hash & (TABLE - 1); subsets->table[at]; at = (at + 1) & (TABLE - 1)) {
        const struct subset *old = &subsets->items[subsets->table[at] - 1];

        if (old->count == count &&
            (count == 0 || memcmp(old->states, subsets->scratch, count * sizeof *old->states) == 0))
            return subsets->table[at] - 1;
    }
    number = den_automaton_add_state(subsets->builder, out, !final);
    if (den_grammar_failed(subsets->builder))
        return 0;
    subsets->items[number].states =
        den_grammar_memory(subsets->builder, count, sizeof *subsets->scratch);
    if (!subsets->items[number].states)
        return 0;
    memcpy(subsets->items[number].states, subsets->scratch, count * sizeof *subsets->scratch);
    subsets->items[number].count = count;
    subsets->table[at] = number + 1;
    return number;
}

static void add_cut(struct subsets *subsets, uint32_t code)
{
    if (subsets->cut_count == subsets->cut_capacity) {
        size_t capacity = subsets->cut_capacity ? subsets->cut_capacity * 2 : 64;
        uint32_t *grown = den_grammar_memory(subsets->builder, capacity, sizeof *grown);

        if (!grown)
            return;
        if (subsets->cut_count > 0)
            memcpy(grown, subsets->cuts, subsets->cut_count * sizeof *grown);
        subsets->cuts = grown;
        subsets->cut_capacity = capacity;
    }
    subsets->cuts[subsets->cut_count++] = code;
}

static void find_cuts(struct subsets *subsets, const struct subset *subset)
{
    const struct den_automaton *from = subsets->from;
    size_t kept = 0, i;
    uint32_t k, arc;

    subsets->cut_count = 0;
    add_cut(subsets, 0);
    for (k = 0; k < subset->count; k++) {
        for (arc = from->states[subset->states[k]].arcs; arc != NONE;
             arc = from->arcs[arc].following) {
            add_cut(subsets, from->arcs[arc].range.low);
            if (from->arcs[arc].range.high < DEN_CHARACTER_MAX)
                add_cut(subsets, from->arcs[arc].range.high + 1);
        }
    }
    qsort(subsets->cuts, subsets->cut_count, sizeof *subsets->cuts, compare);
    for (i = 1; i < subsets->cut_count; i++)
        if (subsets->cuts[i] != subsets->cuts[kept])
            subsets->cuts[++kept] = subsets->cuts[i];
    subsets->cut_count = kept + 1;
}

/* Where the subset goes by `code`. */
static uint32_t move(struct subsets *subsets, const struct subset *subset, uint32_t code)
{
    const struct den_automaton *from = subsets->from;
    uint32_t count = 0, k, arc;

    subsets->round++;
    for (k = 0; k < subset->count; k++) {
        for (arc = from->states[subset->states[k]].arcs; arc != NONE;
             arc = from->arcs[arc].following) {
            const struct den_arc *one = &from->arcs[arc];

            if (code < one->range.low || code > one->range.high ||
                subsets->stamps[one->target] == subsets->round)
                continue;
            subsets->stamps[one->target] = subsets->round;
            subsets->scratch[count++] = one->target;
        }
    }
    return intern(subsets, count);
}

struct den_automaton *den_automaton_complement(struct den_grammar_builder *builder,
                                               const struct den_automaton *automaton)
{
    struct subsets subsets = { .builder = builder, .from = automaton };
    uint32_t done;
    size_t i;

    subsets.out = den_automaton_create(builder);
    subsets.items = den_grammar_memory(builder, DEN_GRAMMAR_STATES_MAX + 1, sizeof *subsets.items);
    subsets.table = den_grammar_memory(builder, TABLE, sizeof *subsets.table);
    subsets.scratch = den_grammar_memory(builder, automaton->state_count, sizeof *subsets.scratch);
    subsets.stamps = den_grammar_memory(builder, automaton->state_count, sizeof *subsets.stamps);
    if (den_grammar_failed(builder))
        return subsets.out;
    subsets.scratch[0] = 0;
    intern(&subsets, 1);
    for (done = 0; done < subsets.out->state_count && !den_grammar_failed(builder); done++) {
        struct subset subset = subsets.items[done];

        find_cuts(&subsets, &subset);
        for (i = 0; i < subsets.cut_count && !den_grammar_failed(builder); i++) {
            uint32_t last = i + 1 < subsets.cut_count ? subsets.cuts[i + 1] - 1 : DEN_CHARACTER_MAX;
            uint32_t target = move(&subsets, &subset, subsets.cuts[i]);

            if (!den_grammar_failed(builder))
                den_automaton_add_arc(builder, subsets.out, done, target,
                                      (struct den_range){ subsets.cuts[i], last });
        }
    }
    return subsets.out;
}
