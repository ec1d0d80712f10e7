/* Report spans: values that stand in a text, word for word.
 *
 * Asked for a value, a small model writes something like it. Held to a grammar whose only sentences
 * are runs of words of the passages, it can but choose, which it does better; and what it chose is
 * there by construction. Where a column asks for a number or a date, only runs that begin at one
 * are in the grammar. */
#ifndef DEN_DESK_REPORT_SPANS_H
#define DEN_DESK_REPORT_SPANS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the words ask for a number, an amount, a date or a time. */
bool den_report_wants_number(const char *words);
/* Grammar (GBNF) of the runs of words of `text` within a line, free() it; NULL: there are none, or
 * no memory. */
char *den_report_span_grammar(const char *text, bool only_numbers);
/* Whether `value` stands in `text`, apart from case and white space, at the borders of words. */
bool den_report_stands_in(const char *value, const char *text);

#endif
