/* /api/workspaces/ID/export, /api/workspaces/import, /api/backup and /api/restore.
 *
 * A file is made whole in a scratch folder before the reply begins: what goes wrong (a full disk, a
 * file that is missing) is an error with a sentence, not a download that breaks off. It has lost
 * its name by the time that it is sent, and its disk when it was. A body goes to such a folder
 * too, piece by piece. */
#include "api/api_portable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/api_documents.h"
#include "api/api_threads.h"
#include "api/reply.h"
#include "desk/backup.h"
#include "desk/library.h"
#include "desk/portable.h"
#include "desk/scratch_folder.h"
#include "desk/workspaces.h"

/* --- the desk's parts --- */

static struct den_portable portable_of(const struct den_request *request)
{
    const struct den_desk *desk = den_request_desk(request);

    return (struct den_portable){ .database = den_desk_database(desk),
                                  .originals = den_library_originals(den_desk_library(desk)),
                                  .threads = den_desk_threads(desk),
                                  .library = den_desk_library(desk) };
}

static struct den_backup backup_of(const struct den_request *request)
{
    const struct den_desk *desk = den_request_desk(request);

    return (struct den_backup){ .database = den_desk_database(desk),
                                .originals = den_library_originals(den_desk_library(desk)),
                                .threads = den_desk_threads(desk),
                                .answers = den_desk_answers(desk),
                                .library = den_desk_library(desk),
                                .reports = den_desk_reports(desk) };
}

static enum den_status open_scratch(const struct den_request *request, struct den_scratch *out,
                                    struct den_error *err)
{
    char home[DEN_PATH_BYTES_MAX];

    den_scratch_home(den_desk_database(den_request_desk(request)), home);
    return den_scratch_open(home, out, err);
}

/* --- out --- */

static enum MHD_Result reply_file(struct den_request *request, const char *path, const char *name,
                                  struct den_error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct MHD_Response *response;
    struct stat info;

    if (fd < 0 || fstat(fd, &info) != 0) {
        den_fail_errno(err, DEN_IO, "%s can't be read back", path);
        if (fd >= 0)
            close(fd);
        return den_reply_error(request, err, NULL);
    }
    response = MHD_create_response_from_fd64((uint64_t)info.st_size, fd);
    if (!response) {
        close(fd);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/zip");
    den_reply_attachment(response, name);
    return den_reply_queue(request, MHD_HTTP_OK, response, "no-store");
}

typedef enum den_status (*maker)(struct den_request *request, const char *path, json_t **out,
                                 struct den_error *err);

static enum MHD_Result make_and_send(struct den_request *request, maker make, const char *name)
{
    struct den_scratch scratch = { .fd = -1 };
    char path[DEN_PATH_BYTES_MAX];
    struct den_error err = { 0 };
    json_t *manifest = NULL;
    enum MHD_Result result;

    if (open_scratch(request, &scratch, &err) == DEN_OK &&
        den_scratch_file(&scratch, "made.zip", path, &err) == DEN_OK &&
        make(request, path, &manifest, &err) == DEN_OK)
        result = reply_file(request, path, name, &err);
    else
        result = den_reply_error(request, &err, NULL);
    json_decref(manifest);
    den_scratch_close(&scratch); /* the open file lives on */
    return result;
}

static enum den_status make_export(struct den_request *request, const char *path, json_t **out,
                                   struct den_error *err)
{
    const struct den_portable portable = portable_of(request);

    return den_workspace_export(&portable, den_request_value(request, 0), path, out, err);
}

/* Slashes would be folders. */
static void name_export(const json_t *workspace, char *out, size_t capacity)
{
    const char *name = json_string_value(json_object_get(workspace, "name"));
    char *at;

    snprintf(out, capacity, "%s.den-workspace", name ? name : "workspace");
    for (at = out; *at; at++)
        if (*at == '/' || *at == '\\' || (unsigned char)*at < ' ')
            *at = '_';
}

enum MHD_Result den_route_workspace_export(struct den_request *request)
{
    char name[DEN_NAME_BYTES_MAX + 32];
    struct den_error err = { 0 };
    json_t *workspace = NULL;

    if (den_workspace_get(den_request_threads(request), den_request_value(request, 0), &workspace,
                          &err) != DEN_OK)
        return den_reply_error(request, &err, NULL);
    name_export(workspace, name, sizeof name);
    json_decref(workspace);
    return make_and_send(request, make_export, name);
}

static enum den_status make_backup(struct den_request *request, const char *path, json_t **out,
                                   struct den_error *err)
{
    const struct den_backup backup = backup_of(request);

    return den_backup_write(&backup, path, out, err);
}

enum MHD_Result den_route_backup(struct den_request *request)
{
    const time_t now = time(NULL);
    char name[64] = "den.den-backup";
    struct tm day;

    if (localtime_r(&now, &day))
        strftime(name, sizeof name, "den-%Y-%m-%d.den-backup", &day);
    return make_and_send(request, make_backup, name);
}

/* --- in --- */

struct reception {
    struct den_scratch scratch;
    char path[DEN_PATH_BYTES_MAX];
    int fd;
};

static void drop_reception(void *received)
{
    struct reception *reception = received;

    if (reception->fd >= 0)
        close(reception->fd);
    den_scratch_close(&reception->scratch);
    free(reception);
}

static enum den_status begin_reception(struct den_request *request, struct den_error *err)
{
    struct reception *reception = calloc(1, sizeof *reception);

    if (!reception)
        return den_fail(err, DEN_NO_MEMORY, "the file: out of memory");
    reception->fd = reception->scratch.fd = -1;
    if (open_scratch(request, &reception->scratch, err) == DEN_OK &&
        den_scratch_file(&reception->scratch, "received.zip", reception->path, err) == DEN_OK) {
        reception->fd = open(reception->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (reception->fd < 0)
            den_disk_fail(err, "receiving the file", reception->path);
    }
    if (err->status != DEN_OK) {
        drop_reception(reception);
        return err->status;
    }
    request->received = reception;
    request->drop_received = drop_reception;
    return DEN_OK;
}

enum den_status den_receive_bundle(struct den_request *request, const char *bytes, size_t length,
                                   struct den_error *err)
{
    struct reception *reception;

    if (!request->received && begin_reception(request, err) != DEN_OK)
        return err->status;
    reception = request->received;
    while (length > 0) {
        ssize_t count = write(reception->fd, bytes, length);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return den_disk_fail(err, "receiving the file", reception->path);
        bytes += count;
        length -= (size_t)count;
    }
    return DEN_OK;
}

typedef enum den_status (*taker)(struct den_request *request, const char *path, json_t **out,
                                 struct den_error *err);

/* The scratch folder's path would tell a client nothing. */
static void hide_path(const char *path, struct den_error *err)
{
    const size_t length = strlen(path);
    char *at = strstr(err->message, path);

    if (!at)
        return;
    memmove(at + strlen("the file"), at + length, strlen(at + length) + 1);
    memcpy(at, "the file", strlen("the file"));
}

static enum MHD_Result take(struct den_request *request, taker function, unsigned http)
{
    struct den_error err = { 0 };
    json_t *taken = NULL;

    if (den_receive_bundle(request, NULL, 0, &err) == DEN_OK) { /* the body may be empty */
        const struct reception *reception = request->received;

        if (function(request, reception->path, &taken, &err) != DEN_OK)
            hide_path(reception->path, &err);
    }
    return den_reply_result(request, http, taken, &err);
}

static enum den_status take_import(struct den_request *request, const char *path, json_t **out,
                                   struct den_error *err)
{
    const struct den_portable portable = portable_of(request);

    return den_workspace_import(&portable, path, out, err);
}

enum MHD_Result den_route_workspace_import(struct den_request *request)
{
    return take(request, take_import, MHD_HTTP_CREATED);
}

static enum den_status take_restore(struct den_request *request, const char *path, json_t **out,
                                    struct den_error *err)
{
    const struct den_backup backup = backup_of(request);

    return den_backup_restore(&backup, path, out, err);
}

enum MHD_Result den_route_restore(struct den_request *request)
{
    return take(request, take_restore, MHD_HTTP_OK);
}
