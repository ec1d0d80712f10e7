/* See thread_import.h. */
#include "desk/thread_import.h"

#include "base/clock.h"
#include "base/json.h"
#include "desk/import_formats.h"
#include "desk/import_text.h"
#include "desk/import_tree.h"
#include "desk/threads_parts.h"

struct import {
    struct den_threads *threads;
    json_int_t thread_count, message_count, index;
    json_t *skipped;
};

/* A failure of the conversation, rather than of the machine, is one to go on after. */
static bool is_its_own_fault(enum den_status status)
{
    return status != DEN_IO && status != DEN_NO_MEMORY && status != DEN_BUSY &&
           status != DEN_INTERNAL;
}

static void skip(struct import *import, struct den_error *err)
{
    json_t *why = json_string(err->message);

    if (json_array_size(import->skipped) < DEN_IMPORT_REASONS_MAX)
        json_array_append_new(import->skipped,
                              json_pack("{s:I, s:o}", "index", import->index, "why",
                                        why ? why : json_string(den_status_text(err->status))));
    else
        json_decref(why);
    *err = (struct den_error){ 0 };
}

/* Folders of Den's own exports; those that are there already stay as they are. */
static enum den_status import_folders(struct import *import, const struct den_import_text *text,
                                      struct den_error *err)
{
    struct den_connection *connection;
    json_t *folders = NULL, *folder;
    struct den_error trouble = { 0 };
    size_t i;

    if (text->folders_end <= text->folders_at || text->folders_end > text->length ||
        den_import_text_parse(text, text->folders_at, text->folders_end, &folders, &trouble) !=
            DEN_OK)
        return DEN_OK;
    if (den_database_write(import->threads->database, &connection, err) == DEN_OK) {
        json_array_foreach(folders, i, folder)
        {
            const char *id = json_string_value(json_object_get(folder, "id"));
            const char *name = json_string_value(json_object_get(folder, "name"));

            if (id && name && i < DEN_FOLDERS_MAX && den_id_is_valid(id))
                den_execute(connection, err,
                            "INSERT INTO folders (id, name, created) VALUES (?, substr(?, 1, 256), "
                            "?) ON CONFLICT DO NOTHING",
                            "tti", id, name, den_clock_unix_ms());
        }
        den_connection_end(connection, err);
    }
    json_decref(folders);
    return err->status;
}

static enum den_status import_one(struct import *import, json_t *conversation,
                                  struct den_error *err)
{
    struct den_connection *connection;
    json_t *thread = NULL;
    size_t messages = 0;
    int64_t row = 0;

    if (den_import_convert(conversation, &thread, err) != DEN_OK)
        return err->status;
    if (den_database_write(import->threads->database, &connection, err) == DEN_OK) {
        den_import_insert(connection, thread, &row, &messages, err);
        den_connection_end(connection, err);
    }
    json_decref(thread);
    if (err->status != DEN_OK)
        return err->status;
    import->thread_count++;
    import->message_count += (json_int_t)messages;
    den_threads_tell_row(import->threads, row);
    return DEN_OK;
}

enum den_status den_threads_import(struct den_threads *threads, const char *data, size_t length,
                                   json_t **out, struct den_error *err)
{
    struct import import = { .threads = threads };
    struct den_import_text text;
    json_t *conversation = NULL;

    if (length > DEN_IMPORT_BYTES_MAX)
        return den_fail(err, DEN_TOO_LARGE, "import: the file has %zu bytes; at most %u are read",
                        length, DEN_IMPORT_BYTES_MAX);
    if (den_import_text_open(&text, data, length, err) != DEN_OK)
        return err->status;
    import.skipped = json_array();
    import_folders(&import, &text, err);
    for (; err->status == DEN_OK && den_import_text_next(&text, &conversation, err);
         import.index++) {
        if (err->status == DEN_OK)
            import_one(&import, conversation, err);
        if (err->status != DEN_OK && is_its_own_fault(err->status))
            skip(&import, err);
        json_decref(conversation);
        conversation = NULL;
    }
    if (err->status == DEN_OK)
        *out = json_pack("{s:I, s:I, s:O}", "threads", import.thread_count, "messages",
                         import.message_count, "skipped", import.skipped);
    json_decref(import.skipped);
    return err->status;
}
