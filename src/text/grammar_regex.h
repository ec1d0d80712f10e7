/* Regular expressions as JSON Schema has them (ECMA-262), without what is not regular: lookaround,
 * back references and word boundaries are DEN_UNSUPPORTED.
 *
 * Where ECMA-262 and Python's `re` (which the usual validators are built on) differ in what they
 * match, the automaton keeps to what both match: \d and \w are ASCII, \D, \W and \S leave out
 * characters that one of the two counts as a digit, letter or blank, "." leaves out every line
 * end, and "$" is the very end. */
#ifndef DEN_TEXT_GRAMMAR_REGEX_H
#define DEN_TEXT_GRAMMAR_REGEX_H

#include "text/grammar_automaton.h"

/* The strings in which `pattern` is found (so "a" is any string with an a; "^a$" is "a"). */
struct den_automaton *den_automaton_pattern(struct den_grammar_builder *builder,
                                            const char *pattern, size_t length);

/* The strings of a "format" (RFC 3339 dates, and so on), or NULL for one that is not known. */
struct den_automaton *den_automaton_format(struct den_grammar_builder *builder, const char *format);

#endif
