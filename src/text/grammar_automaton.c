/* See grammar_automaton.h. */
#include "text/grammar_automaton.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define NONE UINT32_MAX

struct den_automaton *den_automaton_create(struct den_grammar_builder *builder)
{
    static struct den_automaton_state dead = { .arcs = UINT32_MAX };
    struct den_automaton *automaton = den_grammar_memory(builder, 1, sizeof *automaton);

    /* after a failure there is still something to read, though nothing to write */
    static struct den_automaton none = { .states = &dead, .state_count = 1 };

    return automaton ? automaton : &none;
}

static bool refuse(struct den_grammar_builder *builder)
{
    if (!den_grammar_failed(builder))
        den_fail(builder->err, DEN_TOO_LARGE,
                 "grammar: a pattern, format or range needs more than %d states; make it simpler",
                 DEN_GRAMMAR_STATES_MAX);
    return false;
}

static bool grow(struct den_grammar_builder *builder, void **items, uint32_t *capacity,
                 uint32_t count, size_t size)
{
    uint32_t room = *capacity ? *capacity * 2 : 16;
    void *grown;

    if (count < *capacity)
        return !den_grammar_failed(builder);
    grown = den_grammar_memory(builder, room, size);
    if (!grown)
        return false;
    if (count > 0)
        memcpy(grown, *items, count * size);
    *items = grown;
    *capacity = room;
    return true;
}

uint32_t den_automaton_add_state(struct den_grammar_builder *builder,
                                 struct den_automaton *automaton, bool final)
{
    if (automaton->state_count >= DEN_GRAMMAR_STATES_MAX && !refuse(builder))
        return 0;
    if (!grow(builder, (void **)&automaton->states, &automaton->state_capacity,
              automaton->state_count, sizeof *automaton->states))
        return 0;
    automaton->states[automaton->state_count] =
        (struct den_automaton_state){ .arcs = NONE, .final = final };
    return automaton->state_count++;
}

void den_automaton_add_arc(struct den_grammar_builder *builder, struct den_automaton *automaton,
                           uint32_t source, uint32_t target, struct den_range range)
{
    if (automaton->arc_count >= DEN_GRAMMAR_ARCS_MAX && !refuse(builder))
        return;
    if (!grow(builder, (void **)&automaton->arcs, &automaton->arc_capacity, automaton->arc_count,
              sizeof *automaton->arcs))
        return;
    automaton->arcs[automaton->arc_count] = (struct den_arc){
        .range = range, .target = target, .following = automaton->states[source].arcs
    };
    automaton->states[source].arcs = automaton->arc_count++;
}

struct den_automaton *den_automaton_length(struct den_grammar_builder *builder, uint32_t minimum,
                                           uint32_t maximum)
{
    static const struct den_range any = { 0, DEN_CHARACTER_MAX };
    struct den_automaton *automaton = den_automaton_create(builder);
    uint32_t last = maximum == DEN_GRAMMAR_FOREVER ? minimum : maximum, i;

    for (i = 0; i <= last && !den_grammar_failed(builder); i++) {
        den_automaton_add_state(builder, automaton, i >= minimum && minimum <= maximum);
        if (i > 0)
            den_automaton_add_arc(builder, automaton, i - 1, i, any);
    }
    if (maximum == DEN_GRAMMAR_FOREVER)
        den_automaton_add_arc(builder, automaton, last, last, any);
    return automaton;
}

/* The target of `state`'s arc for exactly `code`, or NONE: words make a tree. */
static uint32_t find_child(const struct den_automaton *automaton, uint32_t state, uint32_t code)
{
    uint32_t arc;

    for (arc = automaton->states[state].arcs; arc != NONE; arc = automaton->arcs[arc].following)
        if (automaton->arcs[arc].range.low == code)
            return automaton->arcs[arc].target;
    return NONE;
}

struct den_automaton *den_automaton_words(struct den_grammar_builder *builder,
                                          const char *const *words, size_t count)
{
    struct den_automaton *automaton = den_automaton_create(builder);
    size_t i, at;

    den_automaton_add_state(builder, automaton, false);
    for (i = 0; i < count; i++) {
        size_t length = strlen(words[i]);
        uint32_t state = 0;

        for (at = 0; at < length && !den_grammar_failed(builder);) {
            uint32_t code, next;

            at += den_utf8_decode(words[i] + at, length - at, &code);
            next = find_child(automaton, state, code);
            if (next == NONE) {
                next = den_automaton_add_state(builder, automaton, false);
                den_automaton_add_arc(builder, automaton, state, next,
                                      (struct den_range){ code, code });
            }
            state = next;
        }
        if (!den_grammar_failed(builder))
            automaton->states[state].final = true;
    }
    return automaton;
}

/* --- intersection: pairs of states, as far as they can be reached --- */

struct pairs {
    uint64_t *keys;    /* (capacity) in a hash table: pair + 1 */
    uint32_t *numbers; /* (capacity) */
    uint64_t *list;    /* (states): the pair of each state */
    size_t capacity;
};

static uint32_t pair_number(struct den_grammar_builder *builder, struct pairs *pairs,
                            struct den_automaton *out, uint64_t pair, bool final)
{
    size_t at = (size_t)(pair * 0x9E3779B97F4A7C15u >> 20) & (pairs->capacity - 1);
    uint32_t number;

    for (; pairs->keys[at]; at = (at + 1) & (pairs->capacity - 1))
        if (pairs->keys[at] == pair + 1)
            return pairs->numbers[at];
    number = den_automaton_add_state(builder, out, final);
    if (den_grammar_failed(builder))
        return 0;
    pairs->keys[at] = pair + 1;
    pairs->numbers[at] = number;
    pairs->list[number] = pair;
    return number;
}

struct den_automaton *den_automaton_intersect(struct den_grammar_builder *builder,
                                              const struct den_automaton *a,
                                              const struct den_automaton *b)
{
    struct den_automaton *out = den_automaton_create(builder);
    struct pairs pairs = { .capacity = 64 };
    uint32_t done, i, k;

    while (pairs.capacity < (size_t)a->state_count * b->state_count * 2 &&
           pairs.capacity < DEN_GRAMMAR_STATES_MAX * 4)
        pairs.capacity *= 2;
    pairs.keys = den_grammar_memory(builder, pairs.capacity, sizeof *pairs.keys);
    pairs.numbers = den_grammar_memory(builder, pairs.capacity, sizeof *pairs.numbers);
    pairs.list = den_grammar_memory(builder, pairs.capacity, sizeof *pairs.list);
    if (den_grammar_failed(builder))
        return out;
    pair_number(builder, &pairs, out, 0, a->states[0].final && b->states[0].final);
    for (done = 0; done < out->state_count && !den_grammar_failed(builder); done++) {
        uint32_t x = (uint32_t)(pairs.list[done] >> 32), y = (uint32_t)pairs.list[done];

        for (i = a->states[x].arcs; i != NONE; i = a->arcs[i].following) {
            for (k = b->states[y].arcs; k != NONE; k = b->arcs[k].following) {
                struct den_range p = a->arcs[i].range, q = b->arcs[k].range;
                struct den_range both = { p.low > q.low ? p.low : q.low,
                                          p.high < q.high ? p.high : q.high };
                uint32_t s = a->arcs[i].target, t = b->arcs[k].target, next;

                if (both.low > both.high)
                    continue;
                next = pair_number(builder, &pairs, out, (uint64_t)s << 32 | t,
                                   a->states[s].final && b->states[t].final);
                if (den_grammar_failed(builder))
                    return out;
                den_automaton_add_arc(builder, out, done, next, both);
            }
        }
    }
    return out;
}

bool den_automaton_is_empty(struct den_grammar_builder *builder,
                            const struct den_automaton *automaton)
{
    uint8_t *seen = den_grammar_memory(builder, automaton->state_count, 1);
    uint32_t *work = den_grammar_memory(builder, automaton->state_count, sizeof *work);
    uint32_t count = 0, arc;

    if (!seen || !work)
        return true;
    work[count++] = 0;
    seen[0] = 1;
    while (count > 0) {
        uint32_t state = work[--count];

        if (automaton->states[state].final)
            return false;
        for (arc = automaton->states[state].arcs; arc != NONE;
             arc = automaton->arcs[arc].following) {
            uint32_t target = automaton->arcs[arc].target;

            if (seen[target])
                continue;
            seen[target] = 1;
            work[count++] = target;
        }
    }
    return true;
}

bool den_automaton_matches(struct den_grammar_builder *builder,
                           const struct den_automaton *automaton, const char *text, size_t length)
{
    uint32_t *now = den_grammar_memory(builder, automaton->state_count, sizeof *now);
    uint32_t *next = den_grammar_memory(builder, automaton->state_count, sizeof *next);
    size_t *stamps = den_grammar_memory(builder, automaton->state_count, sizeof *stamps);
    size_t now_count = 1, next_count, at = 0, i;

    if (den_grammar_failed(builder))
        return false;
    now[0] = 0;
    while (at < length) {
        uint32_t code, arc, *swap = now;

        at += den_utf8_decode(text + at, length - at, &code);
        next_count = 0;
        for (i = 0; i < now_count; i++) {
            for (arc = automaton->states[now[i]].arcs; arc != NONE;
                 arc = automaton->arcs[arc].following) {
                const struct den_arc *one = &automaton->arcs[arc];

                if (code < one->range.low || code > one->range.high || stamps[one->target] == at)
                    continue;
                stamps[one->target] = at;
                next[next_count++] = one->target;
            }
        }
        now = next;
        next = swap;
        now_count = next_count;
    }
    for (i = 0; i < now_count; i++)
        if (automaton->states[now[i]].final)
            return true;
    return false;
}

/* --- into the grammar --- */

uint32_t den_emit_automaton(struct den_grammar_builder *builder,
                            const struct den_automaton *automaton, enum den_encoding encoding,
                            uint32_t next)
{
    uint32_t *nodes, i, arc;

    nodes = den_grammar_memory(builder, automaton->state_count, sizeof *nodes);
    if (!nodes)
        return DEN_NODE_DEAD;
    for (i = 0; i < automaton->state_count; i++)
        nodes[i] = den_emit_reserve(builder);
    for (i = 0; i < automaton->state_count && !den_grammar_failed(builder); i++) {
        struct den_edges edges = { 0 };
        uint32_t targets[2] = { DEN_NODE_DEAD, next };

        for (arc = automaton->states[i].arcs; arc != NONE; arc = automaton->arcs[arc].following)
            den_edges_add_range(builder, &edges, automaton->arcs[arc].range, encoding,
                                nodes[automaton->arcs[arc].target]);
        if (!automaton->states[i].final) {
            den_emit_fill_bytes(builder, nodes[i], edges.items, edges.count);
        } else {
            if (edges.count > 0)
                targets[0] = den_emit_bytes(builder, edges.items, edges.count);
            den_emit_fill_choice(builder, nodes[i], targets, 2);
        }
    }
    return den_grammar_failed(builder) ? DEN_NODE_DEAD : nodes[0];
}
