/* Workspaces, written as one file: see portable.h.
 *
 * All rows are read in one transaction, so that the file is one settled state; they go to files of
 * lines in a scratch folder first, from which the zip is then made. Memory is that of one part or
 * one conversation. Originals are pinned meanwhile: none that a row names can vanish. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "desk/documents_parts.h"
#include "desk/originals_parts.h"
#include "desk/portable_parts.h"
#include "desk/scratch_folder.h"
#include "desk/workspaces.h"
#include "desk/workspaces_parts.h"

/* A file of lines, or of bytes. */
struct sheet {
    FILE *file;
    char path[DEN_PATH_BYTES_MAX];
    struct den_buffer line;
};

struct writing {
    const struct den_portable *portable;
    struct den_connection *connection;
    struct den_bundle_writer *bundle;
    struct den_scratch scratch;
    struct sheet documents, vectors, threads;
    int64_t workspace, embedder; /* rows */
    char embedder_name[128];
    size_t width;
    size_t document_count, passages, vector_count, thread_count, messages;
};

/* --- sheets --- */

static enum den_status open_sheet(struct writing *writing, struct sheet *sheet, const char *name,
                                  struct den_error *err)
{
    if (den_scratch_file(&writing->scratch, name, sheet->path, err) != DEN_OK)
        return err->status;
    sheet->file = fopen(sheet->path, "wxe");
    return sheet->file ? DEN_OK : den_disk_fail(err, "export", sheet->path);
}

static enum den_status write_bytes(struct sheet *sheet, const void *bytes, size_t length,
                                   struct den_error *err)
{
    if (err->status != DEN_OK || fwrite(bytes, 1, length, sheet->file) == length)
        return err->status;
    return den_disk_fail(err, "export", sheet->path);
}

/* {key: value}; takes `value` over. NULL: there was no memory for it. */
static enum den_status write_line(struct sheet *sheet, const char *key, json_t *value,
                                  struct den_error *err)
{
    json_t *line = value && err->status == DEN_OK ? json_pack("{s:O}", key, value) : NULL;

    if (line && den_json_write(line, &sheet->line, err) == DEN_OK &&
        den_buffer_append_byte(&sheet->line, '\n'))
        write_bytes(sheet, sheet->line.data, sheet->line.length, err);
    if (err->status == DEN_OK && !line)
        den_fail(err, DEN_NO_MEMORY, "export: out of memory");
    if (err->status == DEN_OK)
        den_buffer_status(&sheet->line, "export: a part or a conversation", err);
    den_buffer_clear(&sheet->line);
    json_decref(line);
    json_decref(value);
    return err->status;
}

static enum den_status close_sheet(struct sheet *sheet, struct den_error *err)
{
    FILE *file = sheet->file;

    sheet->file = NULL;
    if (file && fclose(file) != 0 && err->status == DEN_OK)
        den_disk_fail(err, "export", sheet->path);
    return err->status;
}

/* --- documents --- */

static enum den_status write_parts(struct writing *writing, int64_t document, struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, writing->connection, err,
                    "SELECT kind, number, label, width, height, scanned, text, blocks, words FROM "
                    "parts WHERE document = ? ORDER BY ordinal",
                    "i", document);
    while (den_query_next(&query, err))
        write_line(
            &writing->documents, "part",
            json_pack("{s:o, s:I, s:o, s:f, s:f, s:b, s:o, s:o, s:o}", "kind",
                      den_text_json(&query, 0), "number", (json_int_t)den_query_integer(&query, 1),
                      "label", den_text_json(&query, 2), "width", den_query_real(&query, 3),
                      "height", den_query_real(&query, 4), "scanned",
                      (int)(den_query_integer(&query, 5) != 0), "text", den_text_json(&query, 6),
                      "blocks", den_value_json(&query, 7), "words", den_value_json(&query, 8)),
            err);
    den_query_end(&query);
    return err->status;
}

static enum den_status write_items(struct writing *writing, int64_t document, struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, writing->connection, err,
                    "SELECT p.ordinal, i.modality, i.kind, i.start, i.stop, i.heading, i.text, "
                    "i.tokens, v.vector FROM items i JOIN parts p ON p.row = i.part LEFT JOIN "
                    "vectors v ON v.item = i.row AND v.embedder = ?2 WHERE i.document = ?1 "
                    "ORDER BY i.ordinal",
                    "ii", document, writing->embedder);
    while (den_query_next(&query, err)) {
        const bool has_vector =
            writing->width > 0 && den_query_bytes(&query, 8) == writing->width * sizeof(uint16_t);

        if (has_vector)
            write_bytes(&writing->vectors, den_query_blob(&query, 8), den_query_bytes(&query, 8),
                        err);
        writing->vector_count += has_vector;
        writing->passages++;
        write_line(&writing->documents, "item",
                   json_pack("{s:I, s:o, s:o, s:I, s:I, s:o, s:o, s:I, s:b}", "part",
                             (json_int_t)den_query_integer(&query, 0), "modality",
                             den_text_json(&query, 1), "kind", den_text_json(&query, 2), "start",
                             (json_int_t)den_query_integer(&query, 3), "stop",
                             (json_int_t)den_query_integer(&query, 4), "heading",
                             den_text_json(&query, 5), "text", den_text_json(&query, 6), "tokens",
                             (json_int_t)den_query_integer(&query, 7), "vector", (int)has_vector),
                   err);
    }
    den_query_end(&query);
    return err->status;
}

static json_t *document_json(struct den_query *query)
{
    const int more = DEN_DOCUMENT_COLUMN_COUNT;
    json_t *document = den_document_json(query);

    if (!document)
        return NULL;
    json_object_del(document, "workspaces");
    json_object_set_new(document, "original", den_text_json(query, more + 1));
    json_object_set_new(document, "linked", json_boolean(den_query_integer(query, more + 2)));
    json_object_set_new(document, "pinned", json_boolean(den_query_integer(query, more + 3)));
    return document;
}

#define WANTED                                                                                     \
    "d.row IN (SELECT document FROM workspace_documents WHERE workspace = ?1 UNION SELECT "        \
    "l.document FROM thread_documents l JOIN threads t ON t.row = l.thread WHERE t.workspace = "   \
    "?1 AND t.deleted IS NULL)"

static enum den_status write_documents(struct writing *writing, struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, writing->connection, err,
                    "SELECT " DEN_DOCUMENT_COLUMNS ", d.row, d.original, EXISTS (SELECT 1 FROM "
                    "workspace_documents k WHERE k.workspace = ?1 AND k.document = d.row), EXISTS "
                    "(SELECT 1 FROM workspace_documents k WHERE k.workspace = ?1 AND k.document = "
                    "d.row AND k.pinned = 1) FROM documents d WHERE " WANTED " ORDER BY d.row",
                    "i", writing->workspace);
    while (den_query_next(&query, err)) {
        const int64_t row = den_query_integer(&query, DEN_DOCUMENT_COLUMN_COUNT);

        write_line(&writing->documents, "document", document_json(&query), err);
        if (write_parts(writing, row, err) == DEN_OK)
            write_items(writing, row, err);
        writing->document_count++;
    }
    den_query_end(&query);
    return err->status;
}

/* The files, which are read when the zip is finished. */
static enum den_status add_originals(struct writing *writing, struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, writing->connection, err,
                    "SELECT DISTINCT d.original FROM documents d WHERE " WANTED
                    " ORDER BY d.original",
                    "i", writing->workspace);
    while (den_query_next(&query, err)) {
        char path[DEN_PATH_BYTES_MAX], name[DEN_HASH_HEX + 32];

        snprintf(name, sizeof name, "originals/%s", den_query_text(&query, 0));
        if (den_originals_path(writing->portable->originals, den_query_text(&query, 0), path,
                               err) == DEN_OK)
            den_bundle_add_file(writing->bundle, name, path, false, err);
    }
    den_query_end(&query);
    return err->status;
}

/* --- threads --- */

static enum den_status write_folders(struct writing *writing, struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, writing->connection, err,
                    "SELECT id, name FROM folders f WHERE EXISTS (SELECT 1 FROM threads t WHERE "
                    "t.folder = f.id AND t.workspace = ? AND t.deleted IS NULL) ORDER BY created",
                    "i", writing->workspace);
    while (den_query_next(&query, err))
        write_line(&writing->threads, "folder",
                   json_pack("{s:o, s:o}", "id", den_text_json(&query, 0), "name",
                             den_text_json(&query, 1)),
                   err);
    den_query_end(&query);
    return err->status;
}

/* What answers were told about the user stays here. */
static void drop_memories(json_t *thread)
{
    json_t *message;
    size_t i;

    json_array_foreach(json_object_get(thread, "messages"), i, message)
    {
        json_object_del(message, "memories");
    }
}

static enum den_status write_threads(struct writing *writing, struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, writing->connection, err,
                    "SELECT row FROM threads WHERE workspace = ? AND deleted IS NULL ORDER BY row",
                    "i", writing->workspace);
    while (den_query_next(&query, err)) {
        json_t *thread = NULL;

        if (den_thread_read_full(writing->connection, den_query_integer(&query, 0), &thread, err) !=
            DEN_OK)
            break;
        drop_memories(thread);
        writing->thread_count++;
        writing->messages += json_array_size(json_object_get(thread, "messages"));
        write_line(&writing->threads, "thread", thread, err);
    }
    den_query_end(&query);
    return err->status;
}

/* --- all of it --- */

static enum den_status find_embedder(struct writing *writing, struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, writing->connection, err,
                    "SELECT row, name, width FROM embedders WHERE current = 1", "");
    if (den_query_next(&query, err)) {
        writing->embedder = den_query_integer(&query, 0);
        snprintf(writing->embedder_name, sizeof writing->embedder_name, "%s",
                 den_query_text(&query, 1));
        writing->width = (size_t)den_query_integer(&query, 2);
    }
    den_query_end(&query);
    return err->status;
}

static json_t *manifest_json(const struct writing *writing)
{
    json_t *embedder = writing->embedder ? json_pack("{s:s, s:I}", "name", writing->embedder_name,
                                                     "width", (json_int_t)writing->width)
                                         : json_null();

    return json_pack("{s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "format", "den.workspace",
                     "version", DEN_PORTABLE_VERSION, "created", (json_int_t)den_clock_unix_ms(),
                     "documents", (json_int_t)writing->document_count, "threads",
                     (json_int_t)writing->thread_count, "messages", (json_int_t)writing->messages,
                     "passages", (json_int_t)writing->passages, "vectors",
                     (json_int_t)writing->vector_count, "embedder", embedder);
}

static enum den_status write_rows(struct writing *writing, const char *workspace,
                                  struct den_error *err)
{
    json_t *json = NULL;

    if (den_workspace_find(writing->connection, workspace, &writing->workspace, err) != DEN_OK ||
        den_workspace_read(writing->connection, writing->workspace, &json, err) != DEN_OK)
        return err->status;
    den_bundle_add_json(writing->bundle, "workspace.json", json, err);
    json_decref(json);
    if (err->status != DEN_OK || find_embedder(writing, err) != DEN_OK ||
        write_documents(writing, err) != DEN_OK || write_folders(writing, err) != DEN_OK ||
        write_threads(writing, err) != DEN_OK)
        return err->status;
    return add_originals(writing, err);
}

static enum den_status write_sheets(struct writing *writing, const char *workspace,
                                    struct den_error *err)
{
    if (open_sheet(writing, &writing->documents, "documents.jsonl", err) == DEN_OK &&
        open_sheet(writing, &writing->vectors, "vectors.f16", err) == DEN_OK &&
        open_sheet(writing, &writing->threads, "threads.jsonl", err) == DEN_OK &&
        den_database_read(writing->portable->database, &writing->connection, err) == DEN_OK) {
        write_rows(writing, workspace, err);
        den_connection_end(writing->connection, err);
    }
    close_sheet(&writing->documents, err);
    close_sheet(&writing->vectors, err);
    return close_sheet(&writing->threads, err);
}

static enum den_status bind(struct writing *writing, json_t **out, struct den_error *err)
{
    json_t *manifest = manifest_json(writing);

    if (!manifest)
        den_fail(err, DEN_NO_MEMORY, "export: out of memory");
    if (err->status == DEN_OK &&
        den_bundle_add_json(writing->bundle, "manifest.json", manifest, err) == DEN_OK &&
        den_bundle_add_file(writing->bundle, "documents.jsonl", writing->documents.path, true,
                            err) == DEN_OK &&
        den_bundle_add_file(writing->bundle, "vectors.f16", writing->vectors.path, false, err) ==
            DEN_OK &&
        den_bundle_add_file(writing->bundle, "threads.jsonl", writing->threads.path, true, err) ==
            DEN_OK) {
        struct den_bundle_writer *bundle = writing->bundle;

        writing->bundle = NULL;
        den_bundle_finish(bundle, err);
    }
    if (err->status == DEN_OK)
        *out = manifest;
    else
        json_decref(manifest);
    return err->status;
}

enum den_status den_workspace_export(const struct den_portable *portable, const char *workspace,
                                     const char *path, json_t **out, struct den_error *err)
{
    struct writing writing = { .portable = portable, .scratch = { .fd = -1 } };
    struct den_originals_pin pin = { .fd = -1 };
    char home[DEN_PATH_BYTES_MAX];

    den_buffer_init(&writing.documents.line, DEN_BUNDLE_LINE_BYTES_MAX);
    den_buffer_init(&writing.threads.line, DEN_BUNDLE_LINE_BYTES_MAX);
    den_scratch_home(portable->database, home);
    if (den_originals_pin(portable->originals, &pin, err) == DEN_OK &&
        den_scratch_open(home, &writing.scratch, err) == DEN_OK &&
        den_bundle_create(path, &writing.bundle, err) == DEN_OK &&
        write_sheets(&writing, workspace, err) == DEN_OK)
        bind(&writing, out, err);
    den_bundle_drop(writing.bundle);
    den_scratch_close(&writing.scratch);
    den_originals_unpin(portable->originals, &pin);
    den_buffer_deinit(&writing.documents.line);
    den_buffer_deinit(&writing.threads.line);
    return err->status;
}
