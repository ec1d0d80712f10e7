/* Memories: facts about the user, which models are told when the user wants them to be.
 *
 * Memory is off until the setting "memory" is true. While it is on, what a question says about its
 * writer ("I am vegetarian") is worded as one short fact and proposed (memory_propose.h); a
 * proposal does nothing until somebody keeps it. What is kept, everywhere or for the thread's
 * workspace, goes into the prompts of threads (never into those of the client APIs), and each
 * answer says what it was told. While memory is off nothing is proposed, nothing is added and
 * nothing is used, but the list can be seen and emptied. What is removed leaves the answers that
 * were told it, too.
 *
 * A memory is {"id", "text", "state": "proposed" or "kept", "workspace", "thread", "created"}.
 * Changes are told to those who listen as "memory" {"memory"} and "memory_deleted" {"id"}. */
#ifndef DEN_DESK_MEMORIES_H
#define DEN_DESK_MEMORIES_H

#include "desk/threads.h"

enum {
    DEN_MEMORIES_MAX = 1000,       /* the list is sent whole, and nobody looks through more */
    DEN_MEMORY_BYTES_MAX = 400,    /* of one: a sentence */
    DEN_MEMORY_PROMPT_TOKENS = 300 /* of a prompt, for all of them: some twenty facts */
};

/* {"enabled", "memories": [memory]}, the newest first. */
enum den_status den_memories_list(struct den_threads *threads, json_t **out, struct den_error *err);
/* `fields`: {"text", "workspace"?}: a kept one. One with the same words is given back as it is
 * (*out_existed), and kept. DEN_FORBIDDEN while memory is off, DEN_INVALID for what looks like a
 * secret. */
enum den_status den_memory_add(struct den_threads *threads, const json_t *fields, json_t **out,
                               bool *out_existed, struct den_error *err);
/* `fields`: {"text"?, "state"?: "kept", "workspace"?: id or null}. */
enum den_status den_memory_change(struct den_threads *threads, const char *id, const json_t *fields,
                                  json_t **out, struct den_error *err);
enum den_status den_memory_delete(struct den_threads *threads, const char *id,
                                  struct den_error *err);
enum den_status den_memories_delete_all(struct den_threads *threads, struct den_error *err);

/* --- for answers; within a connection's transaction --- */

struct den_connection;

/* Whether the setting is on. */
enum den_status den_memories_enabled(struct den_connection *connection, bool *out,
                                     struct den_error *err);
/* Of the workspace (row; 0: none) and those for everywhere, the newest first: [{"id", "text"}].
 * `any_state`: proposed ones as well. */
enum den_status den_memories_of(struct den_connection *connection, int64_t workspace,
                                bool any_state, json_t **out, struct den_error *err);
/* Puts a proposal that was made in `thread` (id) beside the others, for the thread's workspace;
 * does nothing where memory is off, the thread is gone, the list is full, or the same words are
 * there. */
enum den_status den_memory_propose(struct den_threads *threads, const char *thread,
                                   const char *text, struct den_error *err);

#endif
