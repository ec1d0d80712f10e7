/* Prefix reuse: how a new prompt finds what was read before.
 *
 * den_session_begin() gives a session the longest beginning of a prompt that is cached anywhere:
 * what the session itself holds, whole pages of the tree (prefix_tree.h) that any session has
 * filled, pages of the prefix file (prefix_file.h) that a former process has, and of the next page
 * a copy of the part that agrees. The last token of a prompt is always left to be read: its logits
 * are the first thing wanted.
 *
 * While prompts are read side by side, one that needs a page which another is about to fill waits
 * for it (den_session_follows()) and takes it from the tree at the next step
 * (den_session_catch_up()): a system prompt that arrives eight times at once is read once. */
#ifndef DEN_ENGINE_PREFIX_REUSE_H
#define DEN_ENGINE_PREFIX_REUSE_H

#include "engine/engine.h"

/* A page holds this many tokens' keys and values. Smaller ones waste less at a sequence's end and
 * cost more look-ups; 64 tokens of SmolLM2 are 1.4 MiB. */
enum { DEN_PAGE_TOKENS = 64 };

/* Why the token after the cached ones was not. */
enum den_prefix_miss {
    DEN_PREFIX_NO_MISS,   /* all was cached that can be */
    DEN_PREFIX_FIRST_USE, /* nothing begins like this prompt */
    DEN_PREFIX_ENDS,      /* what is cached ends there: the prompt goes on in a new way */
    DEN_PREFIX_DIFFERS,   /* what is cached goes on with another token there */
    DEN_PREFIX_EVICTED,   /* it was there, and made room for others */
    DEN_PREFIX_MISSES
};
const char *den_prefix_miss_text(enum den_prefix_miss miss); /* "first use", "evicted" ... */

struct den_prefix_outcome {
    size_t cached; /* tokens of the prompt that need not be read */
    enum den_prefix_miss miss;
    size_t at; /* index of the token that `miss` is about */
};
/* The session then holds `cached` tokens of the prompt (count > 0) and nothing else. */
struct den_prefix_outcome den_session_begin(struct den_session *session, const den_token *prompt,
                                            size_t count);
/* Takes whole pages that others have filled since; the tokens cached now. */
size_t den_session_catch_up(struct den_session *session, const den_token *prompt, size_t count);

/* A prompt that is being read. */
struct den_reading {
    struct den_session *session; /* holds a beginning of the prompt */
    const den_token *prompt;
    size_t count;
};
/* True where `leader` is about to fill the page that `reading` needs next. */
bool den_session_follows(const struct den_reading *reading, const struct den_reading *leader);

#endif
