/* Grammar parts: what a grammar is made of, and the builder that front ends make it with.
 *
 * A grammar is a recursive transition network over bytes. Nodes are places in it:
 *
 *   BYTES   takes one byte in the range of one of its edges and goes to that edge's node
 *   CHOICE  is all of its targets at once
 *   CALL    goes through a rule (from its start to END), then on to `next`
 *   REPEAT  goes through a rule `minimum` to `maximum` times, counted at run time, then to `next`
 *   END     ends the rule
 *   DEAD    goes nowhere
 *
 * Front ends build from the back: whatever is emitted is given the node that comes after it. The
 * builder remembers its first failure, as a den_buffer does; after it everything is DEAD and a
 * check at the end is enough. */
#ifndef DEN_TEXT_GRAMMAR_PARTS_H
#define DEN_TEXT_GRAMMAR_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "text/grammar.h"

enum den_grammar_kind {
    DEN_GRAMMAR_DEAD,
    DEN_GRAMMAR_END,
    DEN_GRAMMAR_BYTES,
    DEN_GRAMMAR_CHOICE,
    DEN_GRAMMAR_CALL,
    DEN_GRAMMAR_REPEAT
};

enum { DEN_NODE_DEAD = 0, DEN_NODE_END = 1 }; /* the two nodes that every grammar has */

#define DEN_GRAMMAR_FOREVER UINT32_MAX /* a REPEAT's maximum: none */
#define DEN_GRAMMAR_NEVER   UINT16_MAX /* a node's need: it can't reach END */

struct den_grammar_edge {
    uint8_t low, high;
    bool literal; /* text that a control token of that name may stand for */
    uint32_t next;
};

struct den_grammar_node {
    uint8_t kind;
    bool plain;    /* BYTES: some edge takes bytes of plain JSON text (a table of tokens exists) */
    bool nullable; /* END can be reached without a byte */
    uint16_t need; /* frames that the cheapest way to END has on the stack at once */
    uint32_t first, count; /* BYTES: edges; CHOICE: targets */
    uint32_t rule;         /* CALL, REPEAT */
    uint32_t next;         /* CALL, REPEAT */
    uint32_t minimum, maximum;
};

struct den_grammar {
    struct den_grammar_node *nodes;
    struct den_grammar_edge *edges;
    uint32_t *targets;
    uint32_t *rules; /* start nodes; rules[0] is the root */
    uint32_t node_count, edge_count, target_count, rule_count;
    uint32_t node_capacity, edge_capacity, target_capacity, rule_capacity;
    uint32_t character_rule; /* one character of a JSON string; 0: the grammar has none */
    uint16_t class_count;    /* bytes that no edge tells apart are one class ... */
    uint8_t classes[256];    /* ... of this number ... */
    uint8_t examples[256];   /* ... and with this member */
};

struct den_grammar_builder {
    struct den_grammar *grammar;
    struct den_arena *arena; /* what compiling needs and the grammar does not */
    struct den_error *err;
    bool literal;          /* edges of literals are marked so (GBNF outside of holes) */
    uint32_t value_rule;   /* any JSON value; 0: not made yet */
    uint32_t space_rule;   /* one blank; 0: not made yet */
    uint32_t number_rule;  /* any JSON number */
    uint32_t integer_rule; /* any integer */
};

enum den_status den_grammar_builder_init(struct den_grammar_builder *builder,
                                         struct den_error *err);
void den_grammar_builder_deinit(struct den_grammar_builder *builder);
/* Checks and completes what was built and hands it over. `names` (rule_count of them, or fewer: the
 * rest have none) are for messages. */
enum den_status den_grammar_builder_finish(struct den_grammar_builder *builder,
                                           const char *const *names, size_t name_count,
                                           struct den_grammar **out);
/* DEN_INVALID names a rule that can come back to itself without taking a byte. */
enum den_status den_grammar_check_recursion(struct den_grammar_builder *builder,
                                            const char *const *names, size_t name_count);
static inline bool den_grammar_failed(const struct den_grammar_builder *builder)
{
    return builder->err->status != DEN_OK;
}

uint32_t den_emit_rule(struct den_grammar_builder *builder); /* a new one, without a start yet */
void den_emit_rule_start(struct den_grammar_builder *builder, uint32_t rule, uint32_t start);
uint32_t den_emit_call(struct den_grammar_builder *builder, uint32_t rule, uint32_t next);
uint32_t den_emit_repeat(struct den_grammar_builder *builder, uint32_t rule, uint32_t minimum,
                         uint32_t maximum, uint32_t next);
uint32_t den_emit_literal(struct den_grammar_builder *builder, const char *text, size_t length,
                          uint32_t next);
uint32_t den_emit_choice(struct den_grammar_builder *builder, const uint32_t *targets,
                         size_t count);
uint32_t den_emit_either(struct den_grammar_builder *builder, uint32_t a, uint32_t b);
uint32_t den_emit_bytes(struct den_grammar_builder *builder, const struct den_grammar_edge *edges,
                        size_t count);
/* For loops: a node to be filled in later. */
uint32_t den_emit_reserve(struct den_grammar_builder *builder);
void den_emit_fill_choice(struct den_grammar_builder *builder, uint32_t node,
                          const uint32_t *targets, size_t count);
void den_emit_fill_bytes(struct den_grammar_builder *builder, uint32_t node,
                         const struct den_grammar_edge *edges, size_t count);

/* Arena memory, or NULL with the builder failed. */
void *den_grammar_memory(struct den_grammar_builder *builder, size_t count, size_t size);

/* The node before `next` that takes a JSON value valid against `schema`. */
uint32_t den_emit_schema(struct den_grammar_builder *builder, const json_t *schema, uint32_t next);

#endif
