/* Prefix keep: the traffic between the pages in memory and the prefix file.
 *
 * A prompt that the tree in memory does not know to its end is looked up in the file, page by page,
 * and what is found becomes part of the tree. In the other direction, pages of prompts of at
 * least DEN_PREFIX_PROMPT_MIN tokens are marked when they are full and written one at a time by
 * whoever drives the engine, when it has nothing better to do. Pages of answers are not
 * written unless a later prompt contains them; each page is written once. */
#ifndef DEN_ENGINE_PREFIX_KEEP_H
#define DEN_ENGINE_PREFIX_KEEP_H

#include "engine/engine.h"

struct den_prefix_keep_options {
    int descriptor; /* of a file for this alone, read and write; stays the caller's */
    uint64_t bytes_max;
    const void *identity; /* what tells this model's files from any other; the engine adds what it
                             makes of them: cache type, context, Den's version */
    size_t identity_bytes;
};
/* Once, before the first prompt. Errors as den_prefix_file_open(): the engine works without. */
enum den_status den_engine_keep_prefixes(struct den_engine *engine,
                                         const struct den_prefix_keep_options *options,
                                         struct den_error *err);

/* Sees to one marked page: writes it, or a page before it. False: there was none. */
bool den_engine_write_prefix(struct den_engine *engine);

/* Of a prompt whose first `count` pages are in the tree and held in engine->found: loads more of
 * the first `most` tokens' whole pages, holds them there likewise, and returns how many. */
size_t den_engine_load_prefix(struct den_engine *engine, const den_token *prompt, size_t count,
                              size_t most);

#endif
