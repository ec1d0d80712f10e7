/* A look through a watched folder: what is there beside what was there.
 *
 * Files of the folder as it is go, in the order of their paths, beside the rows of the table
 * watched_files in the same order, so that thousands of files need two passes and no memory to
 * speak of. New and changed files become tasks; rows without a file are removed in a later look,
 * when those tasks are done: a file that was renamed is found again by its bytes first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "desk/documents_parts.h"
#include "desk/folder_walk.h"
#include "desk/ingest_parts.h"
#include "desk/threads_parts.h"
#include "desk/watched_parts.h"

/* What a row says, found by its path. */
struct known {
    char *path;
    int64_t modified, bytes;
    bool is_seen;
};

struct scan {
    struct den_watched *watched;
    struct den_watched_folder *folder;
    struct known *known; /* by path */
    size_t known_count;
    json_t *fresh; /* array of [path, below, bytes] */
    bool is_young; /* something was written just now */
};

/* --- before --- */

static enum den_status read_known(struct scan *scan, struct den_error *err)
{
    struct den_connection *connection;
    size_t capacity = 0;
    struct den_query query;

    if (den_database_read(scan->watched->database, &connection, err) != DEN_OK)
        return err->status;
    den_query_start(&query, connection, err,
                    "SELECT path, modified, bytes FROM watched_files WHERE folder = ? ORDER BY "
                    "path",
                    "i", scan->folder->row);
    while (den_query_next(&query, err)) {
        if (scan->known_count == capacity) {
            struct known *more;

            capacity = 2 * capacity + 64;
            more = realloc(scan->known, capacity * sizeof *more);
            if (!more) {
                den_fail(err, DEN_NO_MEMORY, "watched folders: out of memory");
                break;
            }
            scan->known = more;
        }
        scan->known[scan->known_count++] =
            (struct known){ .path = strdup(den_query_text(&query, 0)),
                            .modified = den_query_integer(&query, 1),
                            .bytes = den_query_integer(&query, 2) };
    }
    den_query_end(&query);
    return den_connection_end(connection, err);
}

/* Whether tasks of the folder have not ended. */
static bool is_busy(struct scan *scan, struct den_error *err)
{
    struct den_connection *connection;
    struct den_query query;
    bool found;

    if (den_database_read(scan->watched->database, &connection, err) != DEN_OK)
        return true;
    den_query_start(&query, connection, err,
                    "SELECT 1 FROM jobs WHERE kind = 'watch' AND state IN ('waiting', 'running', "
                    "'paused') AND json_extract(fields, '$.folder') = ?",
                    "t", scan->folder->id);
    found = den_query_next(&query, err);
    den_query_end(&query);
    den_connection_end(connection, err);
    return found;
}

/* --- now --- */

static int compare(const void *path, const void *known)
{
    const char *other = ((const struct known *)known)->path;

    return strcmp(path, other ? other : "");
}

static enum den_status see_file(void *context, const char *path, const char *below,
                                const struct stat *info, struct den_error *err)
{
    struct scan *scan = context;
    const int64_t modified = (int64_t)info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec;
    const int64_t age_ms = den_clock_unix_ms() - modified / 1000000;
    struct known *known = scan->known_count > 0 ? bsearch(below, scan->known, scan->known_count,
                                                          sizeof *scan->known, compare)
                                                : NULL;

    if (known) {
        known->is_seen = true;
        if (known->modified == modified && known->bytes == (int64_t)info->st_size)
            return DEN_OK;
    }
    if (age_ms >= 0 && age_ms < (int64_t)(scan->watched->settle_seconds * 1000)) {
        scan->is_young = true; /* it may be written still */
        return DEN_OK;
    }
    if (json_array_append_new(scan->fresh,
                              json_pack("[s, s, I]", path, below, (json_int_t)info->st_size)) != 0)
        return DEN_OK; /* a name that is no UTF-8: it could not be shown */
    if (json_array_size(scan->fresh) > DEN_JOB_TASKS_MAX)
        return den_fail(err, DEN_TOO_LARGE, "the folder has more than %d files", DEN_JOB_TASKS_MAX);
    return DEN_OK;
}

static enum den_status see_folder(void *context, const char *path, struct den_error *err)
{
    struct scan *scan = context;

    (void)err;
    if (!scan->folder->is_polled && !den_watched_notify(scan->watched, scan->folder, path))
        scan->folder->is_polled = true;
    return DEN_OK;
}

/* --- what follows --- */

static enum den_status queue_some(struct scan *scan, size_t first, int64_t *job,
                                  struct den_error *err)
{
    const char *slash = strrchr(scan->folder->path, '/');
    char name[DEN_PATH_BYTES_MAX * 2];
    json_t *fields =
        json_pack("{s:s, s:s, s:s*}", "origin", "folder", "folder", scan->folder->id, "workspace",
                  *scan->folder->workspace ? scan->folder->workspace : NULL);
    const struct den_job_row row = {
        .kind = "watch", .title = scan->folder->path, .fields = fields, .joins = true
    };
    struct den_connection *connection;
    size_t i;

    if (den_database_write(scan->watched->database, &connection, err) == DEN_OK) {
        den_job_open(connection, &row, job, err);
        for (i = first; i < json_array_size(scan->fresh) && i < first + DEN_TASK_BATCH; i++) {
            const json_t *file = json_array_get(scan->fresh, i);
            const struct den_task_row task = {
                .job = *job,
                .name = name,
                .address = json_string_value(json_array_get(file, 0)),
                .bytes = (uint64_t)json_integer_value(json_array_get(file, 2))
            };

            snprintf(name, sizeof name, "%s/%s", slash ? slash + 1 : scan->folder->path,
                     json_string_value(json_array_get(file, 1)));
            if (err->status == DEN_OK)
                den_task_add(connection, &task, err);
        }
        den_connection_end(connection, err);
    }
    json_decref(fields);
    return err->status;
}

static enum den_status queue(struct scan *scan, struct den_error *err)
{
    int64_t job = 0;
    size_t i;

    for (i = 0; i < json_array_size(scan->fresh) && err->status == DEN_OK; i += DEN_TASK_BATCH)
        queue_some(scan, i, &job, err);
    if (job != 0)
        den_jobs_added(scan->watched->jobs, job);
    return err->status;
}

/* A document that came from a folder goes with the last file that it was. */
static void drop_document(struct den_connection *connection, int64_t document,
                          struct den_error *err)
{
    den_tasks_of_document(connection, document, "cancelled", err);
    den_execute(connection, err,
                "DELETE FROM documents WHERE row = ?1 AND origin = 'folder' AND NOT EXISTS (SELECT "
                "1 FROM watched_files WHERE document = ?1)",
                "i", document);
    /* one that lies elsewhere as well is called by that place */
    den_execute(connection, err,
                "UPDATE documents SET address = (SELECT w.path || '/' || f.path FROM watched_files "
                "f JOIN watched_folders w ON w.row = f.folder WHERE f.document = ?1 LIMIT 1) "
                "WHERE row = ?1 AND origin = 'folder' AND NOT EXISTS (SELECT 1 FROM watched_files "
                "f JOIN watched_folders w ON w.row = f.folder WHERE f.document = ?1 AND "
                "w.path || '/' || f.path = documents.address)",
                "i", document);
}

static int64_t document_of(struct den_connection *connection, int64_t folder, const char *path,
                           struct den_error *err)
{
    struct den_query query;
    int64_t document = 0;

    den_query_start(&query, connection, err,
                    "SELECT document FROM watched_files WHERE folder = ? AND path = ?", "it",
                    folder, path);
    if (den_query_next(&query, err))
        document = den_query_integer(&query, 0);
    den_query_end(&query);
    return document;
}

static enum den_status remove_gone(struct scan *scan, struct den_error *err)
{
    struct den_watched *watched = scan->watched;
    struct den_connection *connection;
    struct den_error ignored = { 0 };
    bool has_removed = false;
    size_t i;

    if (den_database_write(watched->database, &connection, err) != DEN_OK)
        return err->status;
    for (i = 0; i < scan->known_count && err->status == DEN_OK; i++) {
        int64_t document;

        if (scan->known[i].is_seen || !scan->known[i].path)
            continue;
        document = document_of(connection, scan->folder->row, scan->known[i].path, err);
        den_execute(connection, err, "DELETE FROM watched_files WHERE folder = ? AND path = ?",
                    "it", scan->folder->row, scan->known[i].path);
        if (document != 0)
            drop_document(connection, document, err);
        has_removed = true;
    }
    if (den_connection_end(connection, err) == DEN_OK && has_removed)
        den_originals_sweep(watched->documents->originals, &ignored);
    return err->status;
}

static enum den_status look(struct scan *scan, bool *out_again, struct den_error *err)
{
    const struct den_folder_walk walk = { .context = scan,
                                          .file = see_file,
                                          .folder = see_folder,
                                          .cancel = &scan->watched->is_closing,
                                          .home_device = scan->watched->ingest->home_device,
                                          .home_inode = scan->watched->ingest->home_inode };
    bool has_gone = false;
    size_t i;

    if (is_busy(scan, err)) {
        *out_again = true;
        return err->status;
    }
    if (read_known(scan, err) != DEN_OK ||
        den_folder_walk(scan->folder->path, &walk, err) != DEN_OK)
        return err->status;
    if (atomic_load(&scan->watched->is_closing))
        return DEN_OK;
    for (i = 0; i < scan->known_count; i++)
        has_gone = has_gone || !scan->known[i].is_seen;
    *out_again = scan->is_young || (has_gone && json_array_size(scan->fresh) > 0);
    if (json_array_size(scan->fresh) > 0)
        return queue(scan, err);
    return has_gone && !scan->is_young ? remove_gone(scan, err) : DEN_OK;
}

enum den_status den_watched_scan(struct den_watched *watched, struct den_watched_folder *folder,
                                 bool *out_again, struct den_error *err)
{
    struct scan scan = { .watched = watched, .folder = folder, .fresh = json_array() };
    size_t i;

    look(&scan, out_again, err);
    for (i = 0; i < scan.known_count; i++)
        free(scan.known[i].path);
    free(scan.known);
    json_decref(scan.fresh);
    return err->status;
}

/* --- from the ingest --- */

enum den_status den_watched_note(struct den_connection *connection,
                                 const struct den_watched_seen *seen, struct den_error *err)
{
    struct den_query query;
    int64_t folder = 0, before = 0;
    char path[DEN_PATH_BYTES_MAX] = "";
    size_t length;

    den_query_start(&query, connection, err, "SELECT row, path FROM watched_folders WHERE id = ?",
                    "t", seen->folder);
    if (den_query_next(&query, err)) {
        folder = den_query_integer(&query, 0);
        length = den_query_bytes(&query, 1);
        if (strlen(seen->address) > length + 1)
            snprintf(path, sizeof path, "%s", seen->address + length + 1);
    }
    den_query_end(&query);
    if (err->status != DEN_OK || folder == 0 || !*path)
        return err->status;
    before = document_of(connection, folder, path, err);
    den_execute(connection, err,
                "INSERT INTO watched_files (folder, path, document, modified, bytes) VALUES (?1, "
                "?2, nullif(?3, 0), ?4, ?5) ON CONFLICT (folder, path) DO UPDATE SET document = "
                "excluded.document, modified = excluded.modified, bytes = excluded.bytes",
                "itiii", folder, path, seen->document, seen->modified_ns, (int64_t)seen->bytes);
    if (before != 0 && before != seen->document)
        drop_document(connection, before, err);
    return err->status;
}
