/* What a terminal shows of an answer's citations: the sentences that their source does not support
 * are underlined, as on the page, and named below it. Whoever reads a pipe, a screen reader or a
 * file gets the lines below and no escape codes. */
#ifndef DEN_CLI_ANSWER_MARKS_H
#define DEN_CLI_ANSWER_MARKS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* `citations` of `text` as citations.h has them; NULL: none. */
void den_cli_answer_print(FILE *out, const char *text, const json_t *citations, bool underlines);
/* A line for each sentence without support, with its numbers; nothing where there is none. */
void den_cli_doubts_print(FILE *out, const char *text, const json_t *citations);

/* Whether standard output takes escape codes: a terminal, and neither NO_COLOR nor TERM=dumb. */
bool den_cli_takes_styles(void);

#endif
