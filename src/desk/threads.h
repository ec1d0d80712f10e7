/* Threads: conversations, kept as trees of messages.
 *
 * A thread's messages form a tree: an edited question and a second answer are siblings of the
 * first, in the order of creation, and `head` is the leaf that was last looked at. Objects come
 * and go as JSON in the shape that docs/API.md gives for threads and messages, because page,
 * export files and events all mean the same by it. What was changed is on the disk before a
 * function returns, and is then told to those who listen (events.h). Ids may be chosen by the
 * caller, so that a request that is sent twice has one effect: the same id with the same content
 * gives what is there, with other content DEN_IN_USE. A thread that is deleted stays restorable
 * for DEN_BIN_DAYS days.
 *
 * Here are the threads themselves; thread_messages.h has their messages, thread_search.h finds
 * them, thread_export.h and thread_import.h are the ways out and in, answers.h lets models
 * write. */
#ifndef DEN_DESK_THREADS_H
#define DEN_DESK_THREADS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct den_database;
struct den_events;
struct den_threads;

/* Both must outlive the threads; `events` may be NULL (nobody listens). Empties the bin of what has
 * been in it for too long. */
enum den_status den_threads_open(struct den_database *database, struct den_events *events,
                                 struct den_threads **out, struct den_error *err);
void den_threads_close(struct den_threads *threads);
struct den_events *den_threads_events(const struct den_threads *threads);

struct den_thread_list {
    size_t limit;          /* 0: 50 */
    const char *before;    /* the cursor that the list before gave; NULL: from the start */
    const char *folder;    /* NULL: all; "": those in no folder */
    const char *workspace; /* id; NULL: all; "": those in no workspace */
};
/* {"threads": [thread], "next": cursor or null}: pinned ones first, then newest. */
enum den_status den_threads_list(struct den_threads *threads, const struct den_thread_list *list,
                                 json_t **out, struct den_error *err);

/* `fields`: id, title, folder, workspace, system, model, parameters, all optional. *out_existed: a
 * thread with this id and these fields was there already. */
enum den_status den_thread_create(struct den_threads *threads, const json_t *fields, json_t **out,
                                  bool *out_existed, struct den_error *err);
/* The thread with its messages. */
enum den_status den_thread_get(struct den_threads *threads, const char *id, json_t **out,
                               struct den_error *err);
/* `fields`: title, folder (null: none), workspace (null: none), pinned, system, model, parameters,
 * head. */
enum den_status den_thread_change(struct den_threads *threads, const char *id, const json_t *fields,
                                  json_t **out, struct den_error *err);
/* Into the bin: {"restorable_until": Unix milliseconds}. */
enum den_status den_thread_delete(struct den_threads *threads, const char *id, json_t **out,
                                  struct den_error *err);
enum den_status den_thread_restore(struct den_threads *threads, const char *id, json_t **out,
                                   struct den_error *err);
/* For good, from the bin or not. */
enum den_status den_thread_purge(struct den_threads *threads, const char *id,
                                 struct den_error *err);
/* A new thread that holds the path from the root to `message`. */
enum den_status den_thread_fork(struct den_threads *threads, const char *id, const char *message,
                                json_t **out, struct den_error *err);

#endif
