/* Report spans: values that stand in a text, word for word.
 *
 * Asked for a value, a small model writes something like it. Held to a grammar whose only sentences
 * are runs of words of the text, it can but choose, which it does better; and what it chose is
 * there by construction. Where a column asks for a date, an amount of money or another number, only
 * runs that begin at one are in the grammar. */
#ifndef DEN_DESK_REPORT_SPANS_H
#define DEN_DESK_REPORT_SPANS_H

#include <stdbool.h>
#include <stddef.h>

/* What kind of value is looked for. */
enum den_span_kind { DEN_SPAN_WORDS, DEN_SPAN_NUMBER, DEN_SPAN_MONEY, DEN_SPAN_DATE };
/* By the words of a column's name and description. */
enum den_span_kind den_report_span_kind(const char *name, const char *description);
/* Grammar (GBNF) of the runs of words of `text` within a sentence that may be such a value, free()
 * it; NULL: there are none, or no memory. Where no date or amount of money stands, any number may
 * be one. */
char *den_report_span_grammar(const char *text, enum den_span_kind kind);
/* Whether a date or an amount of money stands there (`kind`), rather than any number. */
bool den_report_has_span(const char *text, enum den_span_kind kind);
/* Whether `value` stands in `text`, apart from case and white space, at the borders of words. */
bool den_report_stands_in(const char *value, const char *text);

#endif
