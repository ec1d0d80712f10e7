/* Automaton: a set of strings of characters (not yet of bytes), as a nondeterministic automaton
 * without empty moves. Patterns, formats, lengths, number ranges and sets of names are automata, so
 * that several of them that hold for one string can be intersected, and "any name but these" be a
 * complement. An automaton becomes nodes of the grammar in the end.
 *
 * Memory is the builder's; its failure is the builder's, and whatever comes of it is unusable but
 * safe. */
#ifndef DEN_TEXT_GRAMMAR_AUTOMATON_H
#define DEN_TEXT_GRAMMAR_AUTOMATON_H

#include "text/grammar_characters.h"

struct den_arc {
    struct den_range range;
    uint32_t target;
    uint32_t following; /* the source's next arc, or UINT32_MAX */
};

struct den_automaton_state {
    uint32_t arcs; /* the first, or UINT32_MAX */
    bool final;
};

/* State 0 is the start. */
struct den_automaton {
    struct den_automaton_state *states;
    struct den_arc *arcs;
    uint32_t state_count, state_capacity;
    uint32_t arc_count, arc_capacity;
};

struct den_automaton *den_automaton_create(struct den_grammar_builder *builder);
uint32_t den_automaton_add_state(struct den_grammar_builder *builder,
                                 struct den_automaton *automaton, bool final);
void den_automaton_add_arc(struct den_grammar_builder *builder, struct den_automaton *automaton,
                           uint32_t source, uint32_t target, struct den_range range);

/* Strings of `minimum` to `maximum` (or DEN_GRAMMAR_FOREVER) characters. */
struct den_automaton *den_automaton_length(struct den_grammar_builder *builder, uint32_t minimum,
                                           uint32_t maximum);
/* The strings of a sorted list, UTF-8. */
struct den_automaton *den_automaton_words(struct den_grammar_builder *builder,
                                          const char *const *words, size_t count);
struct den_automaton *den_automaton_intersect(struct den_grammar_builder *builder,
                                              const struct den_automaton *a,
                                              const struct den_automaton *b);
/* All other strings. Exponential at worst; DEN_GRAMMAR_STATES_MAX bounds it. */
struct den_automaton *den_automaton_complement(struct den_grammar_builder *builder,
                                               const struct den_automaton *automaton);
bool den_automaton_is_empty(struct den_grammar_builder *builder,
                            const struct den_automaton *automaton);
bool den_automaton_matches(struct den_grammar_builder *builder,
                           const struct den_automaton *automaton, const char *text, size_t length);
/* The node before `next` that takes a string of the automaton. */
uint32_t den_emit_automaton(struct den_grammar_builder *builder,
                            const struct den_automaton *automaton, enum den_encoding encoding,
                            uint32_t next);

#endif
