/* Characters: sets of code points, and the byte edges that take one of them as UTF-8 or as a
 * character of a JSON string. */
#ifndef DEN_TEXT_GRAMMAR_CHARACTERS_H
#define DEN_TEXT_GRAMMAR_CHARACTERS_H

#include "text/grammar_parts.h"

struct den_range {
    uint32_t low, high; /* both included */
};

/* Sorted, disjoint, not touching. Memory is the builder's. */
struct den_characters {
    struct den_range *items;
    size_t count, capacity;
};

#define DEN_CHARACTER_MAX 0x10FFFFu

void den_characters_add(struct den_grammar_builder *builder, struct den_characters *set,
                        uint32_t low, uint32_t high);
/* Sorts and joins; needed after adding and before anything else. */
void den_characters_finish(struct den_characters *set);
void den_characters_negate(struct den_grammar_builder *builder, struct den_characters *set);

enum den_encoding {
    DEN_ENCODING_UTF8,
    DEN_ENCODING_JSON /* as one character inside of quotes: as itself where JSON allows, else by
                         its shortest escape; U+0000, which many parsers refuse, not at all */
};

/* Edges being gathered for one BYTES node. */
struct den_edges {
    struct den_grammar_edge *items;
    size_t count, capacity;
};
void den_edges_add(struct den_grammar_builder *builder, struct den_edges *edges,
                   struct den_grammar_edge edge);
/* Adds the edges that take a character of [low, high] and go on to `next`. Surrogates are no
 * characters. */
void den_edges_add_range(struct den_grammar_builder *builder, struct den_edges *edges,
                         struct den_range range, enum den_encoding encoding, uint32_t next);

/* A BYTES node that takes one character of `set`. */
uint32_t den_emit_characters(struct den_grammar_builder *builder, const struct den_characters *set,
                             enum den_encoding encoding, uint32_t next);
/* The rule for one character of a JSON string, in any of the ways that JSON has to write it. */
uint32_t den_emit_character_rule(struct den_grammar_builder *builder);

#endif
