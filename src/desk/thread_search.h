/* Thread search: full text over all messages and titles.
 *
 * Words of three characters and more are looked up in an index of character triples (FTS5's trigram
 * tokenizer), which finds parts of words and languages without spaces; shorter ones, common in
 * Chinese, are looked for in the texts themselves. All words must be there. */
#ifndef DEN_DESK_THREAD_SEARCH_H
#define DEN_DESK_THREAD_SEARCH_H

#include "desk/threads.h"

/* {"hits": [{"thread", "title", "message", "role", "created", "snippet"}]}, newest first, titles
 * before messages (their "message" and "role" are null). A snippet is a list of [text, marked]. */
enum den_status den_threads_search(struct den_threads *threads, const char *words, size_t limit,
                                   json_t **out, struct den_error *err);

#endif
