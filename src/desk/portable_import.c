/* Workspaces, read from a file: see portable.h.
 *
 * Files come first, each hashed on its way to the disk; they are pinned, so that nobody removes
 * them before their rows are there. Then everything else, in one transaction. Whatever goes wrong,
 * the files without a row go and the database is what it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/clock.h"
#include "desk/documents_parts.h"
#include "desk/import_tree.h"
#include "desk/ingest.h"
#include "desk/jobs.h"
#include "desk/library.h"
#include "desk/originals_parts.h"
#include "desk/portable_parts.h"
#include "desk/scratch_folder.h"
#include "desk/workspaces_parts.h"

enum { BLOCK_BYTES = 256 << 10 };

/* --- files --- */

static enum den_status receive(struct den_originals *originals, struct den_bundle_member *member,
                               struct den_incoming **out, struct den_error *err)
{
    unsigned char *block = malloc(BLOCK_BYTES);
    size_t length = 1;

    if (!block)
        return den_fail(err, DEN_NO_MEMORY, "import: out of memory");
    if (den_incoming_begin(originals, out, err) == DEN_OK)
        while (length > 0 && den_bundle_read(member, block, BLOCK_BYTES, &length, err) == DEN_OK &&
               den_incoming_append(*out, block, length, err) == DEN_OK)
            ;
    free(block);
    return err->status;
}

enum den_status den_import_original(struct den_originals *originals, struct den_bundle *bundle,
                                    const char *name, struct den_error *err)
{
    const char *hash = den_portable_hash(name);
    struct den_bundle_member *member = NULL;
    struct den_incoming *incoming = NULL;
    char found[DEN_HASH_HEX + 1];
    uint64_t bytes = 0;

    if (den_bundle_member_open(bundle, name, DEN_DOCUMENT_BYTES_MAX, &member, err) != DEN_OK)
        return err->status;
    if (receive(originals, member, &incoming, err) == DEN_OK)
        den_incoming_keep(incoming, found, &bytes, err);
    else
        den_incoming_drop(incoming);
    den_bundle_member_close(member);
    if (err->status != DEN_OK)
        return err->status;
    den_originals_doubt(originals, found); /* until a row wants it */
    den_originals_let_go(originals, found);
    if (strcmp(found, hash) != 0)
        return den_fail(err, DEN_BAD_FILE,
                        "'originals/%.12s...' has other bytes than its name says: the file is "
                        "damaged or was changed",
                        hash);
    return DEN_OK;
}

enum den_status den_import_room(struct den_originals *originals, const struct den_bundle *bundle,
                                const char *what, struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX];
    size_t needed = 0, i;

    for (i = 0; i < den_bundle_count(bundle); i++) {
        const char *hash = den_portable_hash(den_bundle_name(bundle, i));

        if (!hash)
            continue;
        if (den_originals_path(originals, hash, path, err) != DEN_OK)
            return err->status;
        if (access(path, F_OK) != 0 &&
            !den_checked_add(needed, den_bundle_bytes(bundle, i), &needed))
            needed = SIZE_MAX;
    }
    return den_disk_check(den_originals_folder(originals), needed, what, err);
}

/* All members by name, before anything is kept. */
static enum den_status check_members(const struct den_bundle *bundle, struct den_error *err)
{
    size_t i;

    for (i = 0; i < den_bundle_count(bundle); i++) {
        const char *name = den_bundle_name(bundle, i);

        if (!den_portable_is_member(name))
            return den_fail(err, DEN_BAD_FILE,
                            "there is '%.80s' in it, which no workspace's file has", name);
        if (den_bundle_find(bundle, name) != (int64_t)i)
            return den_fail(err, DEN_BAD_FILE, "'%.80s' is in it twice", name);
    }
    return DEN_OK;
}

static enum den_status take_files(struct den_import *import, struct den_error *err)
{
    size_t i;

    den_import_room(import->portable->originals, import->bundle, "import", err);
    for (i = 0; i < den_bundle_count(import->bundle) && err->status == DEN_OK; i++) {
        const char *name = den_bundle_name(import->bundle, i);

        if (den_portable_hash(name))
            den_import_original(import->portable->originals, import->bundle, name, err);
    }
    return err->status;
}

/* Rows for all of them; those that no document wants go before the transaction ends. */
static enum den_status want_files(struct den_import *import, struct den_error *err)
{
    size_t i;

    for (i = 0; i < den_bundle_count(import->bundle) && err->status == DEN_OK; i++) {
        const char *hash = den_portable_hash(den_bundle_name(import->bundle, i));
        uint64_t bytes = den_bundle_bytes(import->bundle, i); /* as they were: it was read */

        if (hash)
            den_originals_want(import->connection, hash, bytes, err);
    }
    return err->status;
}

static enum den_status drop_unwanted(struct den_import *import, struct den_error *err)
{
    size_t i;

    for (i = 0; i < den_bundle_count(import->bundle) && err->status == DEN_OK; i++) {
        const char *hash = den_portable_hash(den_bundle_name(import->bundle, i));

        if (hash)
            den_execute(import->connection, err,
                        "DELETE FROM originals WHERE hash = ?1 AND NOT EXISTS (SELECT 1 FROM "
                        "documents WHERE original = ?1)",
                        "t", hash);
    }
    return err->status;
}

/* --- the workspace --- */

static enum den_status take_workspace(struct den_import *import, struct den_error *err)
{
    static const char *const kept[] = { "id",         "name",      "model", "system",
                                        "parameters", "retrieval", "tags" };
    json_t *whole = NULL, *fields = json_object();
    size_t i;

    if (den_bundle_json(import->bundle, "workspace.json", &whole, err) == DEN_OK) {
        for (i = 0; i < sizeof kept / sizeof kept[0]; i++)
            if (json_object_get(whole, kept[i]))
                json_object_set(fields, kept[i], json_object_get(whole, kept[i]));
        if (den_workspace_insert(import->connection, fields, &import->workspace, err) != DEN_OK) {
            if (err->status == DEN_INVALID)
                err->status = DEN_BAD_FILE;
            den_fail_at(err, "workspace.json");
        }
    }
    json_decref(whole);
    json_decref(fields);
    return err->status;
}

/* Whose vectors searches ask here. Where there is none yet, those of the file become it: the model
 * may be installed later, or has just been. */
static enum den_status choose_embedder(struct den_import *import, struct den_error *err)
{
    const struct den_portable_manifest *manifest = &import->manifest;
    struct den_query query;
    bool is_there = false;

    if (manifest->width == 0)
        return DEN_OK;
    den_query_start(&query, import->connection, err,
                    "SELECT row, name = ?1 AND width = ?2 FROM embedders WHERE current = 1", "ti",
                    manifest->embedder, (int64_t)manifest->width);
    if (den_query_next(&query, err)) {
        is_there = true;
        if (den_query_integer(&query, 1) != 0)
            import->embedder = den_query_integer(&query, 0);
    }
    den_query_end(&query);
    if (err->status != DEN_OK || is_there)
        return err->status;
    if (den_execute(import->connection, err,
                    "INSERT INTO embedders (name, width, created, current) VALUES (?1, ?2, ?3, 1) "
                    "ON CONFLICT (name) DO NOTHING",
                    "tii", manifest->embedder, (int64_t)manifest->width,
                    den_clock_unix_ms()) == DEN_OK &&
        den_connection_changes(import->connection) == 1)
        import->embedder = den_connection_last_row(import->connection);
    return err->status;
}

/* --- threads --- */

static enum den_status take_folder(struct den_import *import, const json_t *folder,
                                   struct den_error *err)
{
    const char *id = json_string_value(json_object_get(folder, "id"));
    const char *name = json_string_value(json_object_get(folder, "name"));

    if (!id || !name || !den_id_is_valid(id))
        return DEN_OK;
    return den_execute(import->connection, err,
                       "INSERT INTO folders (id, name, created) SELECT ?1, substr(?2, 1, 256), ?3 "
                       "WHERE (SELECT count(*) FROM folders) < ?4 ON CONFLICT DO NOTHING",
                       "ttii", id, name, den_clock_unix_ms(), (int64_t)DEN_FOLDERS_MAX);
}

/* What an answer stood on, with the documents of here; what is no such thing is left out. */
static void check_sources(const struct den_import *import, json_t *message)
{
    json_t *sources = json_object_get(message, "sources");

    if (!json_is_object(sources) || !den_portable_read_sources(sources, import->ids))
        json_object_del(message, "sources");
}

static bool is_taken(struct den_import *import, const char *id, struct den_error *err)
{
    struct den_query query;
    bool found;

    den_query_start(&query, import->connection, err, "SELECT 1 FROM threads WHERE id = ?", "t", id);
    found = den_query_next(&query, err);
    den_query_end(&query);
    return found;
}

static enum den_status attach(struct den_import *import, const json_t *documents, int64_t row,
                              struct den_error *err)
{
    json_t *document;
    size_t i;

    json_array_foreach(documents, i, document)
    {
        const char *old = json_string_value(json_object_get(document, "id"));
        const char *id = old ? json_string_value(json_object_get(import->ids, old)) : NULL;

        if (id)
            den_execute(import->connection, err,
                        "INSERT INTO thread_documents (thread, document, added) SELECT ?1, row, ?3 "
                        "FROM documents WHERE id = ?2 ON CONFLICT DO NOTHING",
                        "iti", row, id, den_clock_unix_ms());
    }
    return err->status;
}

/* Its workspace and its documents are tied to it here, not by what they were called there. */
static enum den_status insert_thread(struct den_import *import, json_t *thread, int64_t *out_row,
                                     size_t *out_messages, struct den_error *err)
{
    json_t *bare = json_copy(thread);

    if (!bare)
        return den_fail(err, DEN_NO_MEMORY, "import: out of memory");
    json_object_del(bare, "documents");
    json_object_del(bare, "workspace");
    json_object_del(bare, "workspace_name");
    den_import_insert(import->connection, bare, out_row, out_messages, err);
    json_decref(bare);
    if (err->status == DEN_INVALID || err->status == DEN_TOO_LARGE)
        err->status = DEN_BAD_FILE;
    return err->status == DEN_OK ? DEN_OK : den_fail_at(err, "a thread");
}

static enum den_status take_thread(struct den_import *import, json_t *thread, struct den_error *err)
{
    const char *id = json_string_value(json_object_get(thread, "id"));
    json_t *documents = json_object_get(thread, "documents"), *message;
    int64_t row = 0;
    size_t messages = 0, i;

    if (!json_is_object(thread))
        return den_fail(err, DEN_BAD_FILE, "a thread is no object");
    if (json_array_size(json_object_get(thread, "messages")) == 0)
        return DEN_OK;
    if (id && is_taken(import, id, err))
        json_object_del(thread, "id");
    json_array_foreach(json_object_get(thread, "messages"), i, message)
    {
        check_sources(import, message);
    }
    if (err->status != DEN_OK || insert_thread(import, thread, &row, &messages, err) != DEN_OK)
        return err->status;
    import->threads++;
    import->messages += messages;
    den_execute(import->connection, err, "UPDATE threads SET workspace = ?2 WHERE row = ?1", "ii",
                row, import->workspace);
    return attach(import, documents, row, err);
}

static enum den_status take_threads(struct den_import *import, struct den_error *err)
{
    struct den_bundle_member *lines = NULL;
    json_t *line = NULL;

    if (den_bundle_member_open(import->bundle, "threads.jsonl", DEN_BUNDLE_LINES_BYTES_MAX, &lines,
                               err) != DEN_OK)
        return err->status;
    while (den_bundle_next(lines, &line, err)) {
        json_t *thread = json_object_get(line, "thread"), *folder = json_object_get(line, "folder");

        if (thread)
            take_thread(import, thread, err);
        else if (folder)
            take_folder(import, folder, err);
        else
            den_fail(err, DEN_BAD_FILE, "a line is no thread and no folder");
        if (err->status != DEN_OK)
            den_fail_at(err, "threads.jsonl");
        json_decref(line);
    }
    den_bundle_member_close(lines);
    return err->status;
}

/* --- all of it --- */

static enum den_status take_rows(struct den_import *import, json_t **out_workspace,
                                 struct den_error *err)
{
    json_t *workspace = NULL;

    if (den_database_write(import->portable->database, &import->connection, err) != DEN_OK)
        return err->status;
    if (take_workspace(import, err) == DEN_OK && choose_embedder(import, err) == DEN_OK &&
        want_files(import, err) == DEN_OK && den_import_documents(import, err) == DEN_OK &&
        take_threads(import, err) == DEN_OK && drop_unwanted(import, err) == DEN_OK)
        den_workspace_read(import->connection, import->workspace, &workspace, err);
    if (den_connection_end(import->connection, err) == DEN_OK)
        *out_workspace = workspace;
    else
        json_decref(workspace);
    return err->status;
}

/* Pages read the lists again; the threads and documents come with the workspace. */
static void tell(const struct den_import *import, const json_t *workspace)
{
    struct den_library *library = import->portable->library;
    const json_t *row;
    size_t i;

    if (import->portable->threads)
        den_workspace_tell(import->portable->threads,
                           json_string_value(json_object_get(workspace, "id")), false);
    if (!library)
        return;
    json_array_foreach(import->tell, i, row)
    {
        den_documents_changed(den_library_documents(library), json_integer_value(row));
    }
    if (import->job)
        den_jobs_added(den_library_jobs(library), import->job);
    den_ingest_wake(den_library_ingest(library));
}

static enum den_status read_bundle(struct den_import *import, json_t **out, struct den_error *err)
{
    json_t *manifest = NULL, *workspace = NULL;

    if (den_bundle_json(import->bundle, "manifest.json", &manifest, err) == DEN_OK)
        den_portable_read_manifest(manifest, &import->manifest, err);
    json_decref(manifest);
    if (err->status != DEN_OK || check_members(import->bundle, err) != DEN_OK ||
        take_files(import, err) != DEN_OK || take_rows(import, &workspace, err) != DEN_OK)
        return err->status;
    tell(import, workspace);
    *out = json_pack("{s:o, s:I, s:I, s:I, s:I, s:I}", "workspace", workspace, "documents",
                     (json_int_t)import->documents, "threads", (json_int_t)import->threads,
                     "messages", (json_int_t)import->messages, "linked", (json_int_t)import->linked,
                     "waiting", (json_int_t)import->waiting);
    return *out ? DEN_OK : den_fail(err, DEN_NO_MEMORY, "import: out of memory");
}

enum den_status den_workspace_import(const struct den_portable *portable, const char *path,
                                     json_t **out, struct den_error *err)
{
    struct den_import import = { .portable = portable, .ids = json_object(), .tell = json_array() };
    struct den_originals_pin pin = { .fd = -1 };

    if (!import.ids || !import.tell)
        den_fail(err, DEN_NO_MEMORY, "import: out of memory");
    else if (den_originals_pin(portable->originals, &pin, err) == DEN_OK &&
             den_bundle_open(path, &import.bundle, err) == DEN_OK)
        read_bundle(&import, out, err);
    den_bundle_close(import.bundle);
    den_originals_unpin(portable->originals, &pin);
    json_decref(import.ids);
    json_decref(import.tell);
    return err->status;
}

bool den_portable_is(const char *path)
{
    struct den_bundle *bundle = NULL;
    struct den_error ignored = { 0 };
    bool is;

    if (den_bundle_open(path, &bundle, &ignored) != DEN_OK)
        return false;
    is = den_bundle_find(bundle, "manifest.json") >= 0;
    den_bundle_close(bundle);
    return is;
}
