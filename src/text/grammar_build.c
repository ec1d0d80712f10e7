/* See grammar_parts.h. Arrays grow by doubling up to limits.h's ceilings; a grammar that passes one
 * is refused, so no size that a client writes can take more memory than those. */
#include "text/grammar_parts.h"

#include <stdlib.h>
#include <string.h>

static bool grow(struct den_grammar_builder *builder, void **items, uint32_t *capacity,
                 const uint32_t needed[3]) /* items in all, size of one, most there may be */
{
    size_t room = *capacity ? *capacity : 64;
    void *grown;

    if (den_grammar_failed(builder))
        return false;
    if (needed[0] <= *capacity)
        return true;
    if (needed[0] > needed[2]) {
        den_fail(builder->err, DEN_TOO_LARGE,
                 "grammar: it needs more than %u parts once compiled; make it simpler", needed[2]);
        return false;
    }
    while (room < needed[0])
        room *= 2;
    grown = realloc(*items, room * needed[1]);
    if (!grown) {
        den_fail(builder->err, DEN_NO_MEMORY, "grammar: out of memory");
        return false;
    }
    *items = grown;
    *capacity = (uint32_t)room;
    return true;
}

static bool room_for_nodes(struct den_grammar_builder *builder)
{
    struct den_grammar *grammar = builder->grammar;
    const uint32_t needed[3] = { grammar->node_count + 1, sizeof *grammar->nodes,
                                 DEN_GRAMMAR_NODES_MAX };

    return grow(builder, (void **)&grammar->nodes, &grammar->node_capacity, needed);
}

static uint32_t add_node(struct den_grammar_builder *builder, struct den_grammar_node node)
{
    if (!room_for_nodes(builder))
        return DEN_NODE_DEAD;
    builder->grammar->nodes[builder->grammar->node_count] = node;
    return builder->grammar->node_count++;
}

enum den_status den_grammar_builder_init(struct den_grammar_builder *builder, struct den_error *err)
{
    *builder = (struct den_grammar_builder){ .err = err };
    builder->grammar = calloc(1, sizeof *builder->grammar);
    builder->arena = den_arena_create(DEN_GRAMMAR_COMPILE_BYTES_MAX);
    if (!builder->grammar || !builder->arena)
        return den_fail(err, DEN_NO_MEMORY, "grammar: out of memory");
    add_node(builder, (struct den_grammar_node){ .kind = DEN_GRAMMAR_DEAD });
    add_node(builder, (struct den_grammar_node){ .kind = DEN_GRAMMAR_END });
    den_emit_rule(builder); /* the root */
    return err->status;
}

void den_grammar_builder_deinit(struct den_grammar_builder *builder)
{
    den_arena_destroy(builder->arena);
    den_grammar_destroy(builder->grammar);
    builder->arena = NULL;
    builder->grammar = NULL;
}

void *den_grammar_memory(struct den_grammar_builder *builder, size_t count, size_t size)
{
    void *memory;

    if (den_grammar_failed(builder))
        return NULL;
    memory = den_arena_array(builder->arena, count ? count : 1, size);
    if (!memory)
        den_fail(builder->err, DEN_TOO_LARGE,
                 "grammar: compiling it takes more than %u MiB; make it simpler",
                 DEN_GRAMMAR_COMPILE_BYTES_MAX >> 20);
    return memory;
}

uint32_t den_emit_rule(struct den_grammar_builder *builder)
{
    struct den_grammar *grammar = builder->grammar;
    const uint32_t needed[3] = { grammar->rule_count + 1, sizeof *grammar->rules,
                                 DEN_GRAMMAR_RULES_MAX };

    if (!grow(builder, (void **)&grammar->rules, &grammar->rule_capacity, needed))
        return 0;
    grammar->rules[grammar->rule_count] = DEN_NODE_DEAD;
    return grammar->rule_count++;
}

void den_emit_rule_start(struct den_grammar_builder *builder, uint32_t rule, uint32_t start)
{
    if (!den_grammar_failed(builder))
        builder->grammar->rules[rule] = start;
}

uint32_t den_emit_call(struct den_grammar_builder *builder, uint32_t rule, uint32_t next)
{
    return add_node(
        builder, (struct den_grammar_node){ .kind = DEN_GRAMMAR_CALL, .rule = rule, .next = next });
}

uint32_t den_emit_repeat(struct den_grammar_builder *builder, uint32_t rule, uint32_t minimum,
                         uint32_t maximum, uint32_t next)
{
    if (maximum == 0)
        return next;
    return add_node(builder, (struct den_grammar_node){ .kind = DEN_GRAMMAR_REPEAT,
                                                        .rule = rule,
                                                        .next = next,
                                                        .minimum = minimum,
                                                        .maximum = maximum });
}

uint32_t den_emit_reserve(struct den_grammar_builder *builder)
{
    return add_node(builder, (struct den_grammar_node){ .kind = DEN_GRAMMAR_DEAD });
}

void den_emit_fill_choice(struct den_grammar_builder *builder, uint32_t node,
                          const uint32_t *targets, size_t count)
{
    struct den_grammar *grammar = builder->grammar;
    const uint32_t needed[3] = { grammar->target_count + (uint32_t)count, sizeof *grammar->targets,
                                 DEN_GRAMMAR_EDGES_MAX };

    if (count > DEN_GRAMMAR_EDGES_MAX ||
        !grow(builder, (void **)&grammar->targets, &grammar->target_capacity, needed))
        return;
    if (count > 0)
        memcpy(grammar->targets + grammar->target_count, targets, count * sizeof *targets);
    grammar->nodes[node].kind = DEN_GRAMMAR_CHOICE;
    grammar->nodes[node].first = grammar->target_count;
    grammar->nodes[node].count = (uint32_t)count;
    grammar->target_count += (uint32_t)count;
}

void den_emit_fill_bytes(struct den_grammar_builder *builder, uint32_t node,
                         const struct den_grammar_edge *edges, size_t count)
{
    struct den_grammar *grammar = builder->grammar;
    const uint32_t needed[3] = { grammar->edge_count + (uint32_t)count, sizeof *grammar->edges,
                                 DEN_GRAMMAR_EDGES_MAX };

    if (count > DEN_GRAMMAR_EDGES_MAX ||
        !grow(builder, (void **)&grammar->edges, &grammar->edge_capacity, needed))
        return;
    if (count > 0)
        memcpy(grammar->edges + grammar->edge_count, edges, count * sizeof *edges);
    grammar->nodes[node].kind = DEN_GRAMMAR_BYTES;
    grammar->nodes[node].first = grammar->edge_count;
    grammar->nodes[node].count = (uint32_t)count;
    grammar->edge_count += (uint32_t)count;
}

uint32_t den_emit_choice(struct den_grammar_builder *builder, const uint32_t *targets, size_t count)
{
    uint32_t node;

    if (count == 0)
        return DEN_NODE_DEAD;
    if (count == 1)
        return targets[0];
    node = den_emit_reserve(builder);
    den_emit_fill_choice(builder, node, targets, count);
    return node;
}

uint32_t den_emit_either(struct den_grammar_builder *builder, uint32_t a, uint32_t b)
{
    const uint32_t targets[2] = { a, b };

    return a == b ? a : den_emit_choice(builder, targets, 2);
}

uint32_t den_emit_bytes(struct den_grammar_builder *builder, const struct den_grammar_edge *edges,
                        size_t count)
{
    uint32_t node = den_emit_reserve(builder);

    den_emit_fill_bytes(builder, node, edges, count);
    return node;
}

uint32_t den_emit_literal(struct den_grammar_builder *builder, const char *text, size_t length,
                          uint32_t next)
{
    while (length-- > 0 && !den_grammar_failed(builder)) {
        struct den_grammar_edge edge = { .low = (uint8_t)text[length],
                                         .high = (uint8_t)text[length],
                                         .literal = builder->literal,
                                         .next = next };

        next = den_emit_bytes(builder, &edge, 1);
    }
    return next;
}
