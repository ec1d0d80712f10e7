/* See watched.h. One thread waits for inotify, for the clock and for changes of the list; folders
 * belong to it alone. The list itself is the database's, read again whenever it may have changed,
 * so that nothing has to be kept in step. */
#include "desk/watched.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "desk/documents_parts.h"
#include "desk/ingest.h"
#include "desk/threads_parts.h"
#include "desk/watched_parts.h"
#include "store/database_copy.h"

static const double SETTLE_SECONDS = 1, SCAN_SECONDS = 3600, POLL_SECONDS = 60, WAIT_SECONDS = 2;
static const double PATIENCE_SECONDS = 10; /* with a folder that is written to all the time */

#define COLUMNS                                                                                    \
    "f.id, f.path, w.id, f.created, f.scanned, f.error, (SELECT count(*) FROM watched_files s "    \
    "WHERE s.folder = f.row), f.row"
#define FROM "FROM watched_folders f LEFT JOIN workspaces w ON w.row = f.workspace"

/* --- inotify --- */

bool den_watched_notify(struct den_watched *watched, const struct den_watched_folder *folder,
                        const char *path)
{
    const uint32_t mask = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                          IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW;
    size_t place = 0, i;
    int number;

    while (place < watched->count && watched->folders[place] != folder)
        place++;
    number = watched->notify_fd >= 0 ? inotify_add_watch(watched->notify_fd, path, mask) : -1;
    if (number < 0)
        return watched->notify_fd >= 0 && errno == ENOENT; /* it has gone since */
    for (i = 0; i < watched->watch_count; i++)
        if (watched->watches[i].number == number && watched->watches[i].folder == place)
            return true;
    if (watched->watch_count == watched->watch_capacity) {
        size_t capacity = 2 * watched->watch_capacity + 64;
        struct den_watch *more = realloc(watched->watches, capacity * sizeof *more);

        if (!more)
            return false;
        watched->watches = more;
        watched->watch_capacity = capacity;
    }
    watched->watches[watched->watch_count++] =
        (struct den_watch){ .number = number, .folder = place };
    return true;
}

static void mark_changed(struct den_watched *watched, size_t folder)
{
    struct den_watched_folder *changed = watched->folders[folder];
    const double now = den_clock_seconds();

    if (changed->changed_at == 0)
        changed->changed_at = now;
    if (now < changed->changed_at + PATIENCE_SECONDS || changed->scan_at > now + PATIENCE_SECONDS)
        changed->scan_at = now + watched->settle_seconds;
}

/* Every folder, where the kernel says that it has lost count. */
static void take_event(struct den_watched *watched, const struct inotify_event *event)
{
    size_t i;

    for (i = 0; event->mask & IN_Q_OVERFLOW && i < watched->count; i++)
        mark_changed(watched, i);
    for (i = 0; i < watched->watch_count; i++)
        if (watched->watches[i].number == event->wd)
            mark_changed(watched, watched->watches[i].folder);
    for (i = 0; event->mask & IN_IGNORED && i < watched->watch_count; i++)
        if (watched->watches[i].number == event->wd)
            watched->watches[i--] = watched->watches[--watched->watch_count];
}

static void take_events(struct den_watched *watched)
{
    _Alignas(struct inotify_event) char bytes[16384];
    ssize_t length;
    size_t at;

    while (watched->notify_fd >= 0 && (length = read(watched->notify_fd, bytes, sizeof bytes)) > 0)
        for (at = 0; at < (size_t)length;
             at += sizeof(struct inotify_event) + ((struct inotify_event *)(bytes + at))->len)
            take_event(watched, (const struct inotify_event *)(bytes + at));
}

/* --- the thread's folders --- */

static void drop_folders(struct den_watched *watched)
{
    size_t i;

    for (i = 0; i < watched->count; i++)
        free(watched->folders[i]);
    watched->count = watched->watch_count = 0;
    if (watched->notify_fd >= 0)
        close(watched->notify_fd);
    watched->notify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
}

static void load_folders(struct den_watched *watched)
{
    struct den_connection *connection;
    struct den_error err = { 0 };
    struct den_query query;

    drop_folders(watched);
    if (den_database_read(watched->database, &connection, &err) != DEN_OK)
        return;
    den_query_start(&query, connection, &err, "SELECT " COLUMNS " " FROM " ORDER BY f.row", "");
    while (watched->count < DEN_WATCHED_MAX && den_query_next(&query, &err)) {
        struct den_watched_folder *folder = calloc(1, sizeof *folder);

        if (!folder)
            break;
        folder->row = den_query_integer(&query, 7);
        snprintf(folder->id, sizeof folder->id, "%s", den_query_text(&query, 0));
        snprintf(folder->path, sizeof folder->path, "%s", den_query_text(&query, 1));
        snprintf(folder->workspace, sizeof folder->workspace, "%s", den_query_text(&query, 2));
        watched->folders[watched->count++] = folder;
    }
    den_query_end(&query);
    den_connection_end(connection, &err);
}

static void record(struct den_watched *watched, const struct den_watched_folder *folder,
                   const struct den_error *result)
{
    static const char limited[] =
        "the kernel watches no more folders (sysctl fs.inotify.max_user_watches); this one is "
        "looked through once a minute instead";
    const char *error = result->status != DEN_OK ? result->message
                        : folder->is_polled      ? limited
                                                 : NULL;
    struct den_connection *connection;
    struct den_error err = { 0 };

    if (den_database_write(watched->database, &connection, &err) != DEN_OK)
        return;
    den_execute(connection, &err,
                "UPDATE watched_folders SET scanned = ?2, error = ?3 WHERE row = ?1", "iit",
                folder->row, den_clock_unix_ms(), error);
    den_connection_end(connection, &err);
}

static void scan_folder(struct den_watched *watched, struct den_watched_folder *folder)
{
    struct den_error err = { 0 };
    bool again = false;

    if (!den_database_hold(watched->database)) { /* the row would be another's */
        folder->scan_at = den_clock_seconds() + watched->settle_seconds;
        return;
    }
    folder->changed_at = 0;
    den_watched_scan(watched, folder, &again, &err);
    if (!again)
        record(watched, folder, &err);
    folder->scan_at =
        den_clock_seconds() + (again                                       ? watched->settle_seconds
                               : folder->is_polled || err.status != DEN_OK ? POLL_SECONDS
                                                                           : watched->scan_seconds);
    den_database_let_go(watched->database);
}

/* Until the next folder's time, or something happens. */
static void wait_some(struct den_watched *watched)
{
    struct pollfd fds[2] = { { .fd = watched->wake_fd, .events = POLLIN },
                             { .fd = watched->notify_fd, .events = POLLIN } };
    double left = WAIT_SECONDS;
    uint64_t count;
    size_t i;

    for (i = 0; i < watched->count; i++)
        if (watched->folders[i]->scan_at - den_clock_seconds() < left)
            left = watched->folders[i]->scan_at - den_clock_seconds();
    poll(fds, 2, left > 0 ? (int)(left * 1000) + 1 : 0);
    if (fds[0].revents && read(watched->wake_fd, &count, sizeof count) < 0)
        errno = 0; /* quiet already */
}

/* Another program (den add --watch) may have changed the list. */
static void look_at_list(struct den_watched *watched)
{
    struct den_connection *connection;
    struct den_error err = { 0 };
    struct den_query query;
    size_t count = 0;
    bool is_same = true;

    if (den_database_read(watched->database, &connection, &err) != DEN_OK)
        return;
    den_query_start(&query, connection, &err, "SELECT row, id FROM watched_folders ORDER BY row",
                    "");
    for (; is_same && den_query_next(&query, &err); count++)
        is_same = count < watched->count &&
                  watched->folders[count]->row == den_query_integer(&query, 0) &&
                  strcmp(watched->folders[count]->id, den_query_text(&query, 1)) == 0;
    den_query_end(&query);
    if (den_connection_end(connection, &err) == DEN_OK && (!is_same || count != watched->count))
        atomic_store(&watched->is_changed, true);
}

static void *watch(void *context)
{
    struct den_watched *watched = context;
    size_t i;

    atomic_store(&watched->is_changed, true);
    while (!atomic_load(&watched->is_closing)) {
        look_at_list(watched);
        if (den_ingest_is_working(watched->ingest) && atomic_exchange(&watched->is_changed, false))
            load_folders(watched);
        take_events(watched);
        for (i = 0; i < watched->count && !atomic_load(&watched->is_closing); i++)
            if (watched->folders[i]->scan_at <= den_clock_seconds())
                scan_folder(watched, watched->folders[i]);
        wait_some(watched);
    }
    return NULL;
}

/* --- life --- */

enum den_status den_watched_open(const struct den_watched_options *options,
                                 struct den_watched **out, struct den_error *err)
{
    struct den_watched *watched = calloc(1, sizeof *watched);

    if (!watched)
        return den_fail(err, DEN_NO_MEMORY, "watched folders: out of memory");
    watched->database = options->database;
    watched->documents = options->documents;
    watched->jobs = options->jobs;
    watched->ingest = options->ingest;
    watched->settle_seconds =
        options->settle_seconds > 0 ? options->settle_seconds : SETTLE_SECONDS;
    watched->scan_seconds = options->scan_seconds > 0 ? options->scan_seconds : SCAN_SECONDS;
    watched->notify_fd = -1;
    watched->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watched->wake_fd < 0 || pthread_create(&watched->thread, NULL, watch, watched) != 0) {
        den_watched_close(watched);
        return den_fail(err, DEN_NO_MEMORY, "watched folders: no descriptor or no thread is left");
    }
    watched->has_thread = true;
    *out = watched;
    return DEN_OK;
}

static void wake(struct den_watched *watched)
{
    const uint64_t one = 1;

    atomic_store(&watched->is_changed, true);
    if (write(watched->wake_fd, &one, sizeof one) < 0)
        errno = 0; /* it is awake already */
}

void den_watched_close(struct den_watched *watched)
{
    size_t i;

    if (!watched)
        return;
    atomic_store(&watched->is_closing, true);
    if (watched->has_thread) {
        wake(watched);
        pthread_join(watched->thread, NULL);
    }
    for (i = 0; i < watched->count; i++)
        free(watched->folders[i]);
    free(watched->watches);
    if (watched->notify_fd >= 0)
        close(watched->notify_fd);
    if (watched->wake_fd >= 0)
        close(watched->wake_fd);
    free(watched);
}

/* --- the list --- */

static json_t *nullable(struct den_query *query, int column, bool is_text)
{
    if (den_query_is_null(query, column))
        return json_null();
    return is_text ? den_text_json(query, column) : json_integer(den_query_integer(query, column));
}

static json_t *folder_json(struct den_query *query)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", den_text_json(query, 0), "path",
                     den_text_json(query, 1), "workspace", nullable(query, 2, true), "created",
                     nullable(query, 3, false), "scanned", nullable(query, 4, false), "error",
                     nullable(query, 5, true), "files", nullable(query, 6, false));
}

enum den_status den_watched_list(struct den_watched *watched, json_t **out, struct den_error *err)
{
    struct den_connection *connection;
    struct den_query query;
    json_t *list = json_array();

    if (den_database_read(watched->database, &connection, err) == DEN_OK) {
        den_query_start(&query, connection, err, "SELECT " COLUMNS " " FROM " ORDER BY f.path", "");
        while (den_query_next(&query, err))
            if (json_array_append_new(list, folder_json(&query)) != 0)
                den_fail(err, DEN_NO_MEMORY, "watched folders: out of memory");
        den_query_end(&query);
        den_connection_end(connection, err);
    }
    if (err->status == DEN_OK)
        *out = json_pack("{s:O}", "watched", list);
    json_decref(list);
    return err->status;
}

static enum den_status check_path(const json_t *fields, char out[DEN_PATH_BYTES_MAX],
                                  struct den_error *err)
{
    const char *path = NULL;
    char *whole;
    struct stat info;

    if (den_text_get(fields, "path", DEN_PATH_BYTES_MAX - 1, &path, err) != DEN_OK)
        return err->status;
    if (!path || *path != '/')
        return den_fail(err, DEN_INVALID, "'path' must be the absolute path of a folder");
    whole = realpath(path, NULL);
    if (!whole)
        return den_fail_errno(err, errno == ENOENT ? DEN_NOT_FOUND : DEN_IO, "'path': %.500s",
                              path);
    snprintf(out, DEN_PATH_BYTES_MAX, "%s", whole);
    free(whole);
    if (stat(out, &info) != 0 || !S_ISDIR(info.st_mode))
        return den_fail(err, DEN_INVALID, "'path': %.500s is no folder", path);
    if (access(out, R_OK | X_OK) != 0)
        return den_fail_errno(err, DEN_FORBIDDEN, "'path': %.500s", path);
    return DEN_OK;
}

static enum den_status insert(struct den_connection *connection, const char *path,
                              const char *workspace, struct den_error *err)
{
    char id[DEN_ID_LENGTH_MAX + 1];
    struct den_query query;

    den_query_start(&query, connection, err, "SELECT count(*) FROM watched_folders", "");
    if (den_query_next(&query, err) && den_query_integer(&query, 0) >= DEN_WATCHED_MAX)
        den_fail(err, DEN_BUSY, "%d folders are watched already; remove some", DEN_WATCHED_MAX);
    den_query_end(&query);
    if (err->status != DEN_OK || den_id_make(id, err) != DEN_OK)
        return err->status;
    return den_execute(connection, err,
                       "INSERT INTO watched_folders (id, path, workspace, created) VALUES (?1, ?2, "
                       "(SELECT row FROM workspaces WHERE id = ?3), ?4)",
                       "ttti", id, path, workspace, den_clock_unix_ms());
}

static enum den_status find(struct den_connection *connection, const char *path,
                            const char *workspace, json_t **out, struct den_error *err)
{
    struct den_query query;

    *out = NULL;
    den_query_start(&query, connection, err,
                    "SELECT " COLUMNS " " FROM " WHERE f.path = ? AND w.id IS ?", "tt", path,
                    workspace);
    if (den_query_next(&query, err))
        *out = folder_json(&query);
    den_query_end(&query);
    return err->status;
}

enum den_status den_watched_add(struct den_watched *watched, const json_t *fields, json_t **out,
                                bool *out_existed, struct den_error *err)
{
    struct den_document_links links = { 0 };
    struct den_connection *connection;
    char path[DEN_PATH_BYTES_MAX];
    json_t *folder = NULL;

    if (check_path(fields, path, err) != DEN_OK ||
        den_text_get(fields, "workspace", DEN_ID_LENGTH_MAX, &links.workspace, err) != DEN_OK ||
        den_database_write(watched->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_document_links_check(connection, &links, err) == DEN_OK)
        find(connection, path, links.workspace, &folder, err);
    *out_existed = folder != NULL;
    if (err->status == DEN_OK && !folder &&
        insert(connection, path, links.workspace, err) == DEN_OK)
        find(connection, path, links.workspace, &folder, err);
    if (den_connection_end(connection, err) != DEN_OK) {
        json_decref(folder);
        return err->status;
    }
    wake(watched);
    *out = folder;
    return DEN_OK;
}

enum den_status den_watched_remove(struct den_watched *watched, const char *id,
                                   struct den_error *err)
{
    struct den_connection *connection;

    if (den_database_write(watched->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_execute(connection, err, "DELETE FROM watched_folders WHERE id = ?", "t", id) ==
            DEN_OK &&
        den_connection_changes(connection) == 0)
        den_fail(err, DEN_NOT_FOUND, "no watched folder '%.64s'", den_id_is_valid(id) ? id : "");
    if (den_connection_end(connection, err) == DEN_OK)
        wake(watched);
    return err->status;
}
