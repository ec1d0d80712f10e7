/* Numbers within bounds and multiples, as automata over their digits. */
#ifndef DEN_TEXT_GRAMMAR_NUMBER_H
#define DEN_TEXT_GRAMMAR_NUMBER_H

#include "text/grammar_automaton.h"

struct den_number_bounds {
    bool integer;
    bool has_minimum, has_maximum;
    double minimum, maximum;
    bool minimum_excluded, maximum_excluded;
    int64_t minimum_integer,
        maximum_integer; /* the bounds themselves where they are integers ... */
    bool minimum_is_integer, maximum_is_integer; /* ... that a double might not hold */
};

/* Plain decimals within the bounds: integers of up to 18 digits; other numbers of up to 15 digits,
 * at most 6 (or as many as a bound has) after the point, which a double holds exactly enough that
 * the text and the value fall on the same side of every bound. */
struct den_automaton *den_automaton_number(struct den_grammar_builder *builder,
                                           const struct den_number_bounds *bounds);
/* Decimals that are multiples of `factor`: an integer, or one with up to 6 digits after the point.
 * DEN_UNSUPPORTED for others and where it would need too many states. */
struct den_automaton *den_automaton_multiple(struct den_grammar_builder *builder, double factor);

#endif
