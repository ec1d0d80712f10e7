/* Query rewriting: a question that leans on those before it is made to stand alone.
 *
 * "And in 2024?" finds nothing by itself. Whether a question leans is told by its words: it is
 * short and begins as no whole question does ("and", "in", "why"), or has a word that points back
 * ("it", "they", "that one"). Such a question is completed by the one before, which was completed
 * in the same way: where both hold one number of the same length, the new one takes the old one's
 * place ("revenue in 2023" becomes "revenue in 2024"); else the words that carry the earlier
 * question's meaning are put before it. The rule needs no model, takes microseconds and gives the
 * same each time; English and Chinese are known to it. */
#ifndef DEN_DESK_QUERY_REWRITE_H
#define DEN_DESK_QUERY_REWRITE_H

#include <jansson.h>
#include <stdbool.h>

/* `conversation`: messages {"role", "content"} before the question, oldest first, or NULL. The text
 * is free()d by the caller; NULL: no memory. */
char *den_query_rewrite(const json_t *conversation, const char *question);
/* Whether a question leans on those before it. */
bool den_query_leans(const char *question);
/* Whether a model may be asked about it: there is a question before it, and this one is short. */
bool den_query_may_lean(const json_t *conversation, const char *question);
/* The last questions of the user, the newest first; returns how many. */
enum { DEN_QUESTIONS_BACK = 3 };
size_t den_query_last(const json_t *conversation, const char *out[DEN_QUESTIONS_BACK]);

#endif
