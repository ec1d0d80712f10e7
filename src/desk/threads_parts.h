/* The inside of the threads, shared by the files that keep conversations. Functions that take a
 * connection run inside its transaction. */
#ifndef DEN_DESK_THREADS_PARTS_H
#define DEN_DESK_THREADS_PARTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "store/database.h"
#include "store/query.h"

struct den_events;

struct den_threads {
    struct den_database *database;
    struct den_events *events; /* NULL: nobody listens */
};

/* --- values (thread_values.c) --- */

/* 24 characters: the time, then random bits; ids sort by their age. */
enum den_status den_id_make(char out[DEN_ID_LENGTH_MAX + 1], struct den_error *err);
bool den_id_is_valid(const char *id);
/* The id under `key`, checked; a new one where `fields` has none. */
enum den_status den_id_choose(const json_t *fields, const char *key,
                              char out[DEN_ID_LENGTH_MAX + 1], struct den_error *err);
/* As den_json_get_text(), with a ceiling: DEN_TOO_LARGE. */
enum den_status den_text_get(const json_t *fields, const char *key, size_t bytes_max,
                             const char **out, struct den_error *err);
/* A text of a column; what is no UTF-8 (a damaged file) becomes "". */
json_t *den_text_json(struct den_query *query, int column);
/* JSON of a column; null where it is none. */
json_t *den_value_json(struct den_query *query, int column);
/* The text of `value`, free() it. */
enum den_status den_json_text(const json_t *value, char **out, struct den_error *err);
/* The first `characters_max` characters of `text`, white space made single spaces, with an ellipsis
 * where something was cut. */
void den_text_shorten(const char *text, size_t characters_max, char *out, size_t capacity);
/* The folder under "folder": NULL where it is null or absent. DEN_NOT_FOUND: there is none. */
enum den_status den_folder_choose(struct den_connection *connection, const json_t *fields,
                                  const char **out, struct den_error *err);

/* --- rows and their JSON (thread_rows.c) --- */

/* The row of a thread that is not in the bin. */
enum den_status den_thread_find(struct den_connection *connection, const char *id, int64_t *out_row,
                                struct den_error *err);
enum den_status den_thread_read(struct den_connection *connection, int64_t row, json_t **out,
                                struct den_error *err);
/* With system, parameters, head and messages. */
enum den_status den_thread_read_full(struct den_connection *connection, int64_t row, json_t **out,
                                     struct den_error *err);
/* `threads` of the list's order: the columns that den_thread_json() reads. */
#define DEN_THREAD_COLUMNS                                                                         \
    "t.id, t.title, t.renamed, t.folder, t.pinned, t.created, t.updated, t.model, t.preview, "     \
    "EXISTS (SELECT 1 FROM messages r WHERE r.thread = t.row AND r.finish IS NULL), "              \
    "(SELECT w.id FROM workspaces w WHERE w.row = t.workspace), "                                  \
    "(SELECT json_group_array(json_object('id', d.id, 'name', d.name, 'state', d.state)) FROM "    \
    "thread_documents l JOIN documents d ON d.row = l.document WHERE l.thread = t.row)"
#define DEN_THREAD_COLUMN_COUNT 12
json_t *den_thread_json(struct den_query *query);

enum den_status den_message_find(struct den_connection *connection, int64_t thread, const char *id,
                                 int64_t *out_row, struct den_error *err);
enum den_status den_message_read(struct den_connection *connection, int64_t row, json_t **out,
                                 struct den_error *err);
/* {"messages": path from the root to `row`, whole}. */
enum den_status den_message_path(struct den_connection *connection, int64_t row, json_t **out,
                                 struct den_error *err);

/* A message to be inserted; texts are borrowed. */
struct den_message_row {
    int64_t thread;
    const char *id;
    int64_t parent; /* row; 0: none */
    const char *role;
    const char *content, *reasoning; /* NULL: "" */
    int64_t created;
    const char *model;                      /* NULL: "" */
    const char *finish;                     /* NULL: being written */
    const char *error_code, *error_message; /* NULL: none */
    const char *measures;                   /* JSON; NULL: none */
    const char *attachments;                /* JSON; NULL: none */
    int64_t seq;
    const char *sources; /* JSON; NULL: none */
};
enum den_status den_message_insert(struct den_connection *connection,
                                   const struct den_message_row *message, int64_t *out_row,
                                   struct den_error *err);
/* After messages were added or changed: head (NULL: as it is), preview, time of change, and a title
 * from the first question unless it has one. */
enum den_status den_thread_touch(struct den_connection *connection, int64_t row, const char *head,
                                 const char *preview, struct den_error *err);

/* --- telling (thread_rows.c); all take over nothing --- */

void den_threads_tell_thread(struct den_threads *threads, json_t *thread);
void den_threads_tell_message(struct den_threads *threads, const char *thread, json_t *message);
/* Reads the thread and tells of it; says nothing where that fails. */
void den_threads_tell_row(struct den_threads *threads, int64_t row);

#endif
