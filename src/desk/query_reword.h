/* Query rewording: a model makes a question that leans on the conversation stand alone.
 *
 * It is shown the last questions with the beginnings of their answers, which hold names that the
 * rule (query_rewrite.h) never sees ("Who signed it?" "Anna Becker." "When was she born?"), and is
 * held to one line that ends in a question mark. What it writes is checked by its words: those of
 * the question must be there, others must come from the conversation. */
#ifndef DEN_DESK_QUERY_REWORD_H
#define DEN_DESK_QUERY_REWORD_H

#include <jansson.h>
#include <stdbool.h>

struct den_answer_source;
struct den_worker;

/* The question, standing alone; free() it. NULL: the model failed, or what it wrote is not the
 * question any more. */
char *den_query_reword(const struct den_answer_source *source, struct den_worker *worker,
                       const json_t *conversation, const char *question);
/* Whether `reworded` asks what `question` asks, of what the conversation is about. */
bool den_query_reword_holds(const json_t *conversation, const char *question, const char *reworded);

#endif
