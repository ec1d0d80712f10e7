/* What comes in: uploads, paths of this machine, web addresses. Each becomes a job's task in the
 * transaction that makes its document, before anybody is told that it was taken. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "desk/ingest_parts.h"
#include "desk/originals_parts.h"
#include "desk/threads_parts.h"
#include "input/format.h"

struct den_document_links den_ingest_links(const json_t *fields)
{
    return (struct den_document_links){
        .workspace = json_string_value(json_object_get(fields, "workspace")),
        .thread = json_string_value(json_object_get(fields, "thread")),
        .tags = json_object_get(fields, "tags"),
    };
}

enum den_status den_ingest_sniff(int fd, const char *name, int *out_format, struct den_error *err)
{
    char *start = malloc(DEN_FORMAT_SNIFF_BYTES);
    ssize_t length;

    if (!start)
        return den_fail(err, DEN_NO_MEMORY, "documents: out of memory");
    length = pread(fd, start, DEN_FORMAT_SNIFF_BYTES, 0);
    if (length < 0)
        den_fail_errno(err, DEN_IO, "%s can't be read", name);
    else
        *out_format = (int)den_format_sniff(start, (size_t)length, name);
    free(start);
    return err->status;
}

enum den_status den_ingest_open_kept(struct den_ingest *ingest, const char *hash, int *out_fd,
                                     struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX];
    int fd;

    if (den_originals_path(ingest->originals, hash, path, err) != DEN_OK)
        return err->status;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return den_fail_errno(err, DEN_IO, "originals: the file %s can't be opened", path);
    *out_fd = fd;
    return DEN_OK;
}

/* The fields of a job, of which uploads to the same place share one. */
static json_t *job_fields(const char *origin, const struct den_document_links *links)
{
    return json_pack("{s:s, s:s*, s:s*, s:O*}", "origin", origin, "workspace", links->workspace,
                     "thread", links->thread, "tags", links->tags);
}

/* --- uploads --- */

enum den_status den_ingest_check_upload(struct den_ingest *ingest,
                                        const struct den_ingest_upload *upload,
                                        struct den_error *err)
{
    const struct den_document_links links = { upload->workspace, upload->thread, upload->tags };
    struct den_connection *connection;

    if (!upload->name || !*upload->name)
        return den_fail(err, DEN_INVALID, "'name' is missing: the file's name");
    if (den_database_read(ingest->database, &connection, err) != DEN_OK)
        return err->status;
    den_document_links_check(connection, &links, err);
    return den_connection_end(connection, err);
}

static enum den_status sniff_upload(struct den_ingest *ingest,
                                    const struct den_ingest_upload *upload, const char *name,
                                    struct den_document_row *out, struct den_error *err)
{
    int fd, format = DEN_FORMAT_UNKNOWN;

    if (den_ingest_open_kept(ingest, upload->hash, &fd, err) != DEN_OK)
        return err->status;
    den_ingest_sniff(fd, name, &format, err);
    close(fd);
    *out = (struct den_document_row){ .hash = upload->hash,
                                      .name = name,
                                      .origin = "upload",
                                      .address = "",
                                      .format = den_format_text((enum den_format)format),
                                      .media_type =
                                          den_format_media_type((enum den_format)format, name),
                                      .state = "waiting",
                                      .bytes = upload->bytes };
    return err->status;
}

static enum den_status queue(struct den_connection *connection, const struct den_document_row *row,
                             const struct den_document_links *links, int64_t document,
                             int64_t *out_job, struct den_error *err)
{
    json_t *fields = job_fields("upload", links);
    const struct den_job_row job = {
        .kind = "add", .title = row->name, .fields = fields, .joins = true
    };
    struct den_task_row task = {
        .document = document, .name = row->name, .address = "", .bytes = row->bytes
    };

    if (den_job_open(connection, &job, out_job, err) == DEN_OK) {
        task.job = *out_job;
        den_task_add(connection, &task, err);
    }
    json_decref(fields);
    return err->status;
}

/* The document with these bytes: linked, and read again only if that had failed. */
static enum den_status reuse(struct den_connection *connection, int64_t document,
                             const struct den_document_links *links, bool *out_reads,
                             struct den_error *err)
{
    if (den_document_link(connection, document, links, err) != DEN_OK)
        return err->status;
    den_execute(connection, err,
                "UPDATE documents SET state = 'waiting', error_code = NULL, error_message = NULL "
                "WHERE row = ? AND state = 'failed'",
                "i", document);
    *out_reads = err->status == DEN_OK && den_connection_changes(connection) > 0;
    return err->status;
}

static enum den_status add_upload(struct den_ingest *ingest, const struct den_ingest_upload *upload,
                                  const struct den_document_row *row, json_t **out,
                                  bool *out_existed, struct den_error *err)
{
    const struct den_document_links links = { upload->workspace, upload->thread, upload->tags };
    json_t *document_json = NULL, *job_json = NULL;
    struct den_connection *connection;
    int64_t document = 0, job = 0;
    bool reads = true;

    if (den_database_write(ingest->database, &connection, err) != DEN_OK)
        return err->status;
    den_document_with_hash(connection, upload->hash, &document, err);
    *out_existed = document != 0;
    if (document != 0)
        reuse(connection, document, &links, &reads, err);
    else if (den_document_insert(connection, row, &document, err) == DEN_OK)
        den_document_link(connection, document, &links, err);
    if (reads && err->status == DEN_OK)
        queue(connection, row, &links, document, &job, err);
    if (err->status == DEN_OK)
        den_document_read(connection, document, &document_json, err);
    if (err->status == DEN_OK && job != 0)
        den_job_json(ingest->jobs, connection, job, &job_json, err);
    if (den_connection_end(connection, err) == DEN_OK) {
        *out = json_pack("{s:O, s:O?}", "document", document_json, "job", job_json);
        den_documents_changed(ingest->documents, document);
        if (job != 0)
            den_jobs_added(ingest->jobs, job);
        if (*out_existed)
            den_ingest_wake(ingest);
    }
    json_decref(document_json);
    json_decref(job_json);
    return err->status;
}

enum den_status den_ingest_add_upload(struct den_ingest *ingest,
                                      const struct den_ingest_upload *upload, json_t **out,
                                      bool *out_existed, struct den_error *err)
{
    char name[DEN_DOCUMENT_NAME_BYTES_MAX + 1];
    struct den_document_row row;

    den_document_clean_name(upload->name, name);
    if (sniff_upload(ingest, upload, name, &row, err) == DEN_OK)
        add_upload(ingest, upload, &row, out, out_existed, err);
    den_originals_let_go(ingest->originals, upload->hash);
    if (err->status != DEN_OK) {
        den_originals_doubt(ingest->originals, upload->hash);
        den_originals_settle(ingest->originals);
    }
    return err->status;
}

/* --- paths and web addresses --- */

static enum den_status read_links(const json_t *fields, struct den_document_links *out,
                                  struct den_error *err)
{
    const json_t *tags = json_object_get(fields, "tags");

    *out = (struct den_document_links){ .tags = json_is_null(tags) ? NULL : tags };
    if (den_text_get(fields, "workspace", DEN_ID_LENGTH_MAX, &out->workspace, err) == DEN_OK)
        den_text_get(fields, "thread", DEN_ID_LENGTH_MAX, &out->thread, err);
    return err->status;
}

static enum den_status check_path(const json_t *path, size_t index, struct den_error *err)
{
    const char *text = json_string_value(path);
    struct stat info;

    if (!text || text[0] != '/' || strlen(text) != json_string_length(path))
        return den_fail(err, DEN_INVALID, "'paths[%zu]' must be an absolute path", index);
    if (strlen(text) >= DEN_PATH_BYTES_MAX)
        return den_fail(err, DEN_INVALID, "'paths[%zu]' is longer than %d bytes", index,
                        DEN_PATH_BYTES_MAX - 1);
    if (stat(text, &info) != 0)
        return den_fail_errno(err, errno == ENOENT ? DEN_NOT_FOUND : DEN_IO, "'paths[%zu]': %.500s",
                              index, text);
    if (!S_ISDIR(info.st_mode) && !S_ISREG(info.st_mode))
        return den_fail(err, DEN_INVALID, "'paths[%zu]': %.500s is no file and no folder", index,
                        text);
    if (access(text, S_ISDIR(info.st_mode) ? R_OK | X_OK : R_OK) != 0)
        return den_fail_errno(err, DEN_FORBIDDEN, "'paths[%zu]': %.500s", index, text);
    return DEN_OK;
}

static enum den_status check_paths(const json_t *paths, struct den_error *err)
{
    const json_t *path;
    size_t i;

    if (json_array_size(paths) == 0 || json_array_size(paths) > DEN_JOB_PATHS_MAX)
        return den_fail(err, DEN_INVALID, "'paths' must be a list of 1 to %d paths",
                        DEN_JOB_PATHS_MAX);
    json_array_foreach(paths, i, path)
    {
        if (check_path(path, i, err) != DEN_OK)
            return err->status;
    }
    return DEN_OK;
}

static enum den_status open_job(struct den_ingest *ingest, const struct den_job_row *row,
                                const char *address, json_t **out, struct den_error *err)
{
    const struct den_document_links links = den_ingest_links(row->fields);
    struct den_connection *connection;
    json_t *json = NULL;
    int64_t job = 0;

    if (den_database_write(ingest->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_document_links_check(connection, &links, err) == DEN_OK)
        den_job_open(connection, row, &job, err);
    if (address && err->status == DEN_OK) {
        const struct den_task_row task = { .job = job, .name = address, .address = address };

        den_task_add(connection, &task, err);
    }
    if (err->status == DEN_OK)
        den_job_json(ingest->jobs, connection, job, &json, err);
    if (den_connection_end(connection, err) == DEN_OK) {
        *out = json_pack("{s:O}", "job", json);
        den_jobs_added(ingest->jobs, job);
    }
    json_decref(json);
    return err->status;
}

enum den_status den_ingest_add_paths(struct den_ingest *ingest, const json_t *fields, json_t **out,
                                     struct den_error *err)
{
    const json_t *paths = json_object_get(fields, "paths");
    struct den_job_row job = { .kind = "add" };
    struct den_document_links links;
    json_t *wanted;

    if (check_paths(paths, err) != DEN_OK || read_links(fields, &links, err) != DEN_OK)
        return err->status;
    wanted = job_fields("file", &links);
    json_object_set(wanted, "paths", (json_t *)(uintptr_t)paths);
    json_object_set_new(wanted, "unlisted", json_true());
    job.fields = wanted;
    job.title = json_string_value(json_array_get(paths, 0));
    open_job(ingest, &job, NULL, out, err);
    json_decref(wanted);
    return err->status;
}

enum den_status den_ingest_add_web(struct den_ingest *ingest, const json_t *fields, json_t **out,
                                   struct den_error *err)
{
    struct den_job_row job = { .kind = "add" };
    struct den_document_links links;
    const char *address = NULL;
    json_t *wanted;

    if (den_text_get(fields, "address", DEN_URL_BYTES_MAX, &address, err) != DEN_OK ||
        read_links(fields, &links, err) != DEN_OK)
        return err->status;
    if (!address || (strncmp(address, "http://", 7) != 0 && strncmp(address, "https://", 8) != 0))
        return den_fail(err, DEN_INVALID, "'address' must begin with http:// or https://");
    wanted = job_fields("web", &links);
    job.fields = wanted;
    job.title = address;
    open_job(ingest, &job, address, out, err);
    json_decref(wanted);
    return err->status;
}
