/* See thread_export.h. */
#include "desk/thread_export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "desk/threads_parts.h"

/* --- names --- */

/* Lower-case letters and digits of the title with dashes between; all that any file system
 * takes. */
static void make_name(const char *title, const char *ending, char name[DEN_EXPORT_NAME_BYTES])
{
    char stem[64];
    size_t used = 0;

    for (; *title && used + 2 < sizeof stem; title++) {
        char c = *title >= 'A' && *title <= 'Z' ? (char)(*title + 32) : *title;

        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            stem[used++] = c;
        else if (used > 0 && stem[used - 1] != '-')
            stem[used++] = '-';
    }
    while (used > 0 && stem[used - 1] == '-')
        used--;
    stem[used] = '\0';
    snprintf(name, DEN_EXPORT_NAME_BYTES, "%s.%s", used > 0 ? stem : "conversation", ending);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* --- Markdown --- */

static void append_day(const json_t *object, const char *key, struct den_buffer *out)
{
    time_t seconds = (time_t)(json_integer_value(json_object_get(object, key)) / 1000);
    struct tm day;
    char text[32];

    if (localtime_r(&seconds, &day) && strftime(text, sizeof text, "%Y-%m-%d", &day) > 0)
        den_buffer_append_text(out, text);
}

static void append_message(const json_t *message, struct den_buffer *out)
{
    bool is_question = strcmp(text_of(message, "role"), "user") == 0;
    const char *model = text_of(message, "model");
    json_t *attachment;
    size_t i;

    if (is_question)
        den_buffer_append_text(out, "\n## You\n\n");
    else
        den_buffer_appendf(out, "\n## %s\n\n", *model ? model : "Answer");
    json_array_foreach(json_object_get(message, "attachments"), i, attachment)
    {
        den_buffer_appendf(out, "*Attached: %s*\n\n", text_of(attachment, "name"));
    }
    den_buffer_append_text(out, text_of(message, "content"));
    den_buffer_append_text(out, "\n");
}

/* The leaf that was looked at, else the newest message. */
static enum den_status find_head(struct den_connection *connection, int64_t thread,
                                 int64_t *out_row, struct den_error *err)
{
    struct den_query query;

    *out_row = 0;
    den_query_start(&query, connection, err,
                    "SELECT m.row FROM messages m JOIN threads t ON t.row = m.thread "
                    "WHERE m.thread = ? ORDER BY m.id IS t.head DESC, m.row DESC LIMIT 1",
                    "i", thread);
    if (den_query_next(&query, err))
        *out_row = den_query_integer(&query, 0);
    den_query_end(&query);
    return err->status;
}

static enum den_status write_markdown(struct den_connection *connection, int64_t row,
                                      const json_t *thread, struct den_buffer *out,
                                      struct den_error *err)
{
    json_t *path = NULL, *message;
    const char *title = text_of(thread, "title");
    int64_t head;
    size_t i;

    den_buffer_append_text(out, "# ");
    for (; *title; title++)
        den_buffer_append_byte(out, *title == '\n' || *title == '\r' ? ' ' : *title);
    den_buffer_append_text(out, "\n\n");
    append_day(thread, "created", out);
    den_buffer_append_text(out, "\n");
    if (find_head(connection, row, &head, err) != DEN_OK || head == 0)
        return err->status;
    if (den_message_path(connection, head, &path, err) == DEN_OK)
        json_array_foreach(path, i, message) append_message(message, out);
    json_decref(path);
    return den_buffer_status(out, "export", err);
}

/* --- JSON --- */

static enum den_status read_folders(struct den_connection *connection, json_t **out,
                                    struct den_error *err)
{
    json_t *list = json_array();
    struct den_query query;

    den_query_start(&query, connection, err, "SELECT id, name FROM folders ORDER BY created", "");
    while (den_query_next(&query, err))
        json_array_append_new(list, json_pack("{s:o, s:o}", "id", den_text_json(&query, 0), "name",
                                              den_text_json(&query, 1)));
    den_query_end(&query);
    if (err->status == DEN_OK)
        *out = list;
    else
        json_decref(list);
    return err->status;
}

/* All up to the first thread. */
static enum den_status write_head(struct den_connection *connection, struct den_buffer *out,
                                  struct den_error *err)
{
    json_t *folders = NULL;

    if (read_folders(connection, &folders, err) != DEN_OK)
        return err->status;
    den_buffer_appendf(out,
                       "{\"format\":\"den.threads\",\"version\":1,\"exported\":%lld,\"folders\":",
                       (long long)den_clock_unix_ms());
    den_json_write(folders, out, err);
    json_decref(folders);
    den_buffer_append_text(out, ",\"threads\":[\n");
    return den_buffer_status(out, "export", err);
}

static enum den_status add_workspace(struct den_connection *connection, int64_t row, json_t *thread,
                                     struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err,
                    "SELECT w.name FROM threads t JOIN workspaces w ON w.row = t.workspace "
                    "WHERE t.row = ?",
                    "i", row);
    if (den_query_next(&query, err))
        json_object_set_new(thread, "workspace_name", den_text_json(&query, 0));
    den_query_end(&query);
    return err->status;
}

static enum den_status write_thread(struct den_connection *connection, int64_t row,
                                    struct den_buffer *out, struct den_error *err)
{
    json_t *thread = NULL;

    if (den_thread_read_full(connection, row, &thread, err) == DEN_OK &&
        add_workspace(connection, row, thread, err) == DEN_OK)
        den_json_write(thread, out, err);
    json_decref(thread);
    return err->status;
}

/* --- */

enum den_status den_thread_export(struct den_threads *threads, const char *id,
                                  enum den_export_format format, struct den_buffer *out,
                                  char name[DEN_EXPORT_NAME_BYTES], struct den_error *err)
{
    struct den_connection *connection;
    json_t *thread = NULL;
    int64_t row;

    if (den_database_read(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_thread_find(connection, id, &row, err) == DEN_OK &&
        den_thread_read(connection, row, &thread, err) == DEN_OK) {
        make_name(text_of(thread, "title"), format == DEN_EXPORT_JSON ? "json" : "md", name);
        if (format == DEN_EXPORT_MARKDOWN) {
            write_markdown(connection, row, thread, out, err);
        } else if (write_head(connection, out, err) == DEN_OK &&
                   write_thread(connection, row, out, err) == DEN_OK) {
            den_buffer_append_text(out, "\n]}\n");
            den_buffer_status(out, "export", err);
        }
    }
    json_decref(thread);
    return den_connection_end(connection, err);
}

struct sink {
    den_export_sink write;
    void *context;
    struct den_buffer piece;
};

static enum den_status pass_on(struct sink *sink, struct den_error *err)
{
    if (den_buffer_status(&sink->piece, "export", err) != DEN_OK)
        return err->status;
    if (!sink->write(sink->context, sink->piece.data, sink->piece.length))
        return den_fail(err, DEN_IO, "export: the file can't be written");
    den_buffer_clear(&sink->piece);
    return DEN_OK;
}

static enum den_status write_all(struct den_connection *connection, struct sink *sink,
                                 struct den_error *err)
{
    struct den_query query;
    bool is_first = true;

    den_query_start(&query, connection, err,
                    "SELECT row FROM threads WHERE deleted IS NULL ORDER BY row", "");
    while (den_query_next(&query, err)) {
        if (!is_first)
            den_buffer_append_text(&sink->piece, ",\n");
        is_first = false;
        if (write_thread(connection, den_query_integer(&query, 0), &sink->piece, err) == DEN_OK)
            pass_on(sink, err);
    }
    den_query_end(&query);
    return err->status;
}

enum den_status den_threads_export(struct den_threads *threads, den_export_sink write,
                                   void *context, struct den_error *err)
{
    struct sink sink = { .write = write, .context = context };
    struct den_connection *connection;

    if (den_database_read(threads->database, &connection, err) != DEN_OK)
        return err->status;
    den_buffer_init(&sink.piece, DEN_EXPORT_BYTES_MAX);
    if (write_head(connection, &sink.piece, err) == DEN_OK && pass_on(&sink, err) == DEN_OK &&
        write_all(connection, &sink, err) == DEN_OK) {
        den_buffer_append_text(&sink.piece, "\n]}\n");
        pass_on(&sink, err);
    }
    den_buffer_deinit(&sink.piece);
    return den_connection_end(connection, err);
}
