/* See grammar.h and grammar_parts.h. What every grammar goes through after a front end has built
 * it:
 *
 * - which nodes can reach the end of their rule without a byte (nullable), and how many frames that
 *   takes at least (need). A node that never can is never entered, and one that would need more
 *   than the stack has left isn't either: so a constraint never gets into a place that it can't get
 *   out of, whatever the recursion.
 * - no rule may come back to itself without a byte in between (left recursion): it would push
 *   frames forever. The rule is named (grammar_recursion.c).
 * - bytes that no edge tells apart become one class, which keeps transition tables small. */
#include "text/grammar_parts.h"

#include <stdlib.h>

void den_grammar_destroy(struct den_grammar *grammar)
{
    if (!grammar)
        return;
    free(grammar->nodes);
    free(grammar->edges);
    free(grammar->targets);
    free(grammar->rules);
    free(grammar);
}

/* --- nullable and need, by iteration to a fixed point --- */

static uint16_t call_need(const struct den_grammar *grammar, const struct den_grammar_node *node)
{
    uint16_t inside = grammar->nodes[grammar->rules[node->rule]].need;
    uint16_t after = grammar->nodes[node->next].need;

    if (node->kind == DEN_GRAMMAR_REPEAT && node->minimum == 0)
        return after;
    if (inside == DEN_GRAMMAR_NEVER || after == DEN_GRAMMAR_NEVER)
        return DEN_GRAMMAR_NEVER;
    inside = (uint16_t)(inside < DEN_GRAMMAR_NEVER - 1 ? inside + 1 : inside);
    return inside > after ? inside : after;
}

static uint16_t node_need(const struct den_grammar *grammar, const struct den_grammar_node *node)
{
    uint16_t least = DEN_GRAMMAR_NEVER;
    uint32_t i;

    switch (node->kind) {
    case DEN_GRAMMAR_END:
        return 0;
    case DEN_GRAMMAR_CALL:
    case DEN_GRAMMAR_REPEAT:
        return call_need(grammar, node);
    case DEN_GRAMMAR_BYTES:
    case DEN_GRAMMAR_CHOICE:
        for (i = node->first; i < node->first + node->count; i++) {
            uint32_t next =
                node->kind == DEN_GRAMMAR_BYTES ? grammar->edges[i].next : grammar->targets[i];

            if (grammar->nodes[next].need < least)
                least = grammar->nodes[next].need;
        }
        return least;
    default:
        return DEN_GRAMMAR_NEVER;
    }
}

static bool node_nullable(const struct den_grammar *grammar, const struct den_grammar_node *node)
{
    uint32_t i;

    switch (node->kind) {
    case DEN_GRAMMAR_END:
        return true;
    case DEN_GRAMMAR_CALL:
        return grammar->nodes[grammar->rules[node->rule]].nullable &&
               grammar->nodes[node->next].nullable;
    case DEN_GRAMMAR_REPEAT:
        return (node->minimum == 0 || grammar->nodes[grammar->rules[node->rule]].nullable) &&
               grammar->nodes[node->next].nullable;
    case DEN_GRAMMAR_CHOICE:
        for (i = node->first; i < node->first + node->count; i++)
            if (grammar->nodes[grammar->targets[i]].nullable)
                return true;
        return false;
    default:
        return false;
    }
}

/* Nodes are emitted from the back, so one pass settles all that has no loop. */
static void settle(struct den_grammar *grammar)
{
    bool changed = true;
    uint32_t i;

    for (i = 0; i < grammar->node_count; i++)
        grammar->nodes[i].need = DEN_GRAMMAR_NEVER;
    while (changed) {
        changed = false;
        for (i = 0; i < grammar->node_count; i++) {
            struct den_grammar_node *node = &grammar->nodes[i];
            uint16_t need = node_need(grammar, node);
            bool nullable = node_nullable(grammar, node);

            changed |= need != node->need || nullable != node->nullable;
            node->need = need;
            node->nullable = nullable;
        }
    }
}

/* --- byte classes --- */

static void mark_plain(struct den_grammar *grammar, struct den_grammar_node *node)
{
    uint32_t i;

    for (i = node->first; i < node->first + node->count; i++) {
        const struct den_grammar_edge *edge = &grammar->edges[i];

        if (edge->high < 0x20 ||
            (edge->low == edge->high && (edge->low == '"' || edge->low == '\\')))
            continue;
        node->plain = true;
    }
}

static void divide_bytes(struct den_grammar *grammar)
{
    bool begins[257] = { true };
    uint32_t i;
    int byte;

    for (i = 0; i < grammar->edge_count; i++) {
        begins[grammar->edges[i].low] = true;
        begins[grammar->edges[i].high + 1] = true;
    }
    for (byte = 0; byte < 256; byte++) {
        if (begins[byte])
            grammar->examples[grammar->class_count++] = (uint8_t)byte;
        grammar->classes[byte] = (uint8_t)(grammar->class_count - 1);
    }
    for (i = 0; i < grammar->node_count; i++)
        if (grammar->nodes[i].kind == DEN_GRAMMAR_BYTES)
            mark_plain(grammar, &grammar->nodes[i]);
}

/* A body that may be empty could be gone through without a byte; a few times is no harm. */
static enum den_status check_repeats(const struct den_grammar *grammar, struct den_error *err)
{
    enum { EMPTY_REPEAT_MAX = 64 };
    uint32_t i;

    for (i = 0; i < grammar->node_count; i++) {
        const struct den_grammar_node *node = &grammar->nodes[i];

        if (node->kind == DEN_GRAMMAR_REPEAT && node->maximum > EMPTY_REPEAT_MAX &&
            (node->maximum != DEN_GRAMMAR_FOREVER || node->minimum > EMPTY_REPEAT_MAX) &&
            grammar->nodes[grammar->rules[node->rule]].nullable)
            return den_fail(err, DEN_UNSUPPORTED,
                            "grammar: what may be empty is repeated {%u,%u}; at most %d times are "
                            "possible",
                            node->minimum, node->maximum, EMPTY_REPEAT_MAX);
    }
    return DEN_OK;
}

enum den_status den_grammar_builder_finish(struct den_grammar_builder *builder,
                                           const char *const *names, size_t name_count,
                                           struct den_grammar **out)
{
    struct den_grammar *grammar = builder->grammar;
    struct den_error *err = builder->err;

    if (den_grammar_failed(builder))
        return err->status;
    settle(grammar);
    if (den_grammar_check_recursion(builder, names, name_count) != DEN_OK ||
        check_repeats(grammar, err) != DEN_OK)
        return err->status;
    if (grammar->nodes[grammar->rules[0]].need >= DEN_GRAMMAR_FRAMES_MAX)
        return den_fail(err, DEN_INVALID,
                        "grammar: no text of fewer than %d levels fits it: it contradicts itself, "
                        "or its recursion has no way out",
                        DEN_GRAMMAR_FRAMES_MAX);
    divide_bytes(grammar);
    *out = grammar;
    builder->grammar = NULL;
    return DEN_OK;
}
