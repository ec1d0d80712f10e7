/* Reading again: a document that failed, or one whose reader finds more now than it did.
 *
 * What failed is tried by the task that failed, in its own job, so that a job's count of failures
 * comes right; if that task is forgotten, or nothing had failed, the original is read anew by a
 * task of a job "again". Which version of its reader a document was read by stands in its row. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "desk/ingest_parts.h"
#include "input/format.h"

/* --- the documents --- */

/* Those that are about to be read, or are being read, are left as they are. */
static bool mark_waiting(struct den_connection *connection, int64_t document, struct den_error *err)
{
    den_execute(connection, err,
                "UPDATE documents SET state = 'waiting', error_code = NULL, error_message = NULL "
                "WHERE row = ? AND state IN ('failed', 'embedding', 'ready')",
                "i", document);
    return err->status == DEN_OK && den_connection_changes(connection) > 0;
}

static enum den_status open_job(struct den_connection *connection, const char *title,
                                int64_t *out_job, struct den_error *err)
{
    json_t *fields = json_pack("{s:s, s:b}", "origin", "upload", "again", 1);
    const struct den_job_row row = {
        .kind = "add", .title = title, .fields = fields, .joins = true
    };

    den_job_open(connection, &row, out_job, err);
    json_decref(fields);
    return err->status;
}

/* *job 0: none was opened yet. */
static enum den_status add_task(struct den_connection *connection, int64_t document, int64_t *job,
                                struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err, "SELECT name, bytes FROM documents WHERE row = ?", "i",
                    document);
    if (den_query_next(&query, err)) {
        struct den_task_row task = { .document = document,
                                     .name = den_query_text(&query, 0),
                                     .address = "",
                                     .bytes = (uint64_t)den_query_integer(&query, 1) };

        if (*job != 0 || open_job(connection, task.name, job, err) == DEN_OK) {
            task.job = *job;
            den_task_add(connection, &task, err);
        }
    }
    den_query_end(&query);
    return err->status;
}

static enum den_status add_named(struct den_connection *connection, const json_t *list,
                                 int64_t *job, struct den_error *err)
{
    const json_t *item;
    size_t i;

    if (json_array_size(list) == 0 || json_array_size(list) > DEN_JOB_PATHS_MAX)
        return den_fail(err, DEN_INVALID, "'documents' must be a list of 1 to %d ids",
                        DEN_JOB_PATHS_MAX);
    json_array_foreach(list, i, item)
    {
        const char *id = json_string_value(item);
        int64_t row = 0;

        if (!id)
            return den_fail(err, DEN_INVALID, "'documents[%zu]' must be a document's id", i);
        if (den_document_find(connection, id, &row, err) != DEN_OK)
            return den_fail_at(err, "'documents'");
        if (mark_waiting(connection, row, err))
            add_task(connection, row, job, err);
        if (err->status != DEN_OK)
            return err->status;
    }
    return DEN_OK;
}

/* Of one format; two statements, however many they are. */
static enum den_status add_outdated(struct den_connection *connection, enum den_format format,
                                    int64_t *job, struct den_error *err)
{
    static const char which[] = "SELECT min(row) FROM documents WHERE format = ?1 AND reader < ?2 "
                                "AND state IN ('ready', 'failed')";
    const int64_t version = den_format_reader_version(format);
    struct den_query query;
    bool found;

    if (version <= 1)
        return DEN_OK;
    den_query_start(&query, connection, err, which, "ti", den_format_text(format), version);
    found = den_query_next(&query, err) && !den_query_is_null(&query, 0);
    den_query_end(&query);
    if (!found || (*job == 0 && open_job(connection, "documents whose readers find more now", job,
                                         err) != DEN_OK))
        return err->status;
    den_execute(connection, err,
                "INSERT INTO tasks (job, document, name, address, bytes, state) SELECT ?3, row, "
                "name, '', bytes, 'waiting' FROM documents WHERE format = ?1 AND reader < ?2 AND "
                "state IN ('ready', 'failed') ORDER BY row",
                "tii", den_format_text(format), version, *job);
    return den_execute(connection, err,
                       "UPDATE documents SET state = 'waiting', error_code = NULL, error_message = "
                       "NULL WHERE format = ?1 AND reader < ?2 AND state IN ('ready', 'failed')",
                       "ti", den_format_text(format), version);
}

enum den_status den_ingest_read_again(struct den_ingest *ingest, const json_t *fields, json_t **out,
                                      struct den_error *err)
{
    const json_t *list = json_object_get(fields, "documents");
    struct den_connection *connection;
    json_t *json = NULL;
    int64_t job = 0;
    int format;

    if (den_database_write(ingest->database, &connection, err) != DEN_OK)
        return err->status;
    if (list && !json_is_null(list))
        add_named(connection, list, &job, err);
    else
        for (format = DEN_FORMAT_UNKNOWN; format <= DEN_FORMAT_ARCHIVE; format++)
            add_outdated(connection, (enum den_format)format, &job, err);
    if (err->status == DEN_OK && job != 0)
        den_job_json(ingest->jobs, connection, job, &json, err);
    if (den_connection_end(connection, err) == DEN_OK) {
        *out = json_pack("{s:O?}", "job", json);
        if (job != 0)
            den_jobs_added(ingest->jobs, job);
    }
    json_decref(json);
    return err->status;
}

/* --- one that failed --- */

/* The last task that failed at it waits again, with its job; *out_job 0: there is none. */
static enum den_status revive_task(struct den_connection *connection, int64_t document,
                                   int64_t *out_job, struct den_error *err)
{
    struct den_query query;
    int64_t task = 0;

    *out_job = 0;
    den_query_start(&query, connection, err,
                    "SELECT row, job FROM tasks WHERE document = ? AND state IN ('failed', "
                    "'cancelled') ORDER BY row DESC LIMIT 1",
                    "i", document);
    if (den_query_next(&query, err)) {
        task = den_query_integer(&query, 0);
        *out_job = den_query_integer(&query, 1);
    }
    den_query_end(&query);
    if (task != 0)
        den_task_retry(connection, task, *out_job, err);
    return err->status;
}

static bool has_failed(struct den_connection *connection, int64_t document, struct den_error *err)
{
    struct den_query query;
    bool found;

    den_query_start(&query, connection, err,
                    "SELECT 1 FROM documents WHERE row = ? AND state = 'failed'", "i", document);
    found = den_query_next(&query, err);
    den_query_end(&query);
    return found;
}

static enum den_status retry(struct den_connection *connection, int64_t document, int64_t *out_job,
                             struct den_error *err)
{
    const bool failed = has_failed(connection, document, err);

    *out_job = 0;
    if (!mark_waiting(connection, document, err))
        return err->status;
    if (failed)
        revive_task(connection, document, out_job, err);
    if (err->status == DEN_OK && *out_job == 0)
        add_task(connection, document, out_job, err);
    return err->status;
}

enum den_status den_ingest_retry(struct den_ingest *ingest, const char *id, json_t **out,
                                 struct den_error *err)
{
    json_t *document = NULL, *json = NULL;
    struct den_connection *connection;
    int64_t row = 0, job = 0;

    if (den_database_write(ingest->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_document_find(connection, id, &row, err) == DEN_OK)
        retry(connection, row, &job, err);
    if (err->status == DEN_OK)
        den_document_read(connection, row, &document, err);
    if (err->status == DEN_OK && job != 0)
        den_job_json(ingest->jobs, connection, job, &json, err);
    if (den_connection_end(connection, err) == DEN_OK) {
        *out = json_pack("{s:O, s:O?}", "document", document, "job", json);
        den_documents_changed(ingest->documents, row);
        if (job != 0)
            den_jobs_added(ingest->jobs, job);
    }
    json_decref(document);
    json_decref(json);
    return err->status;
}
