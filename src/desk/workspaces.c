/* See workspaces.h. */
#include "desk/workspaces.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"
#include "desk/answer_parameters.h"
#include "desk/events.h"
#include "desk/threads_parts.h"
#include "desk/workspaces_parts.h"

enum { COUNT_DEFAULT = 6 };

/* --- retrieval --- */

static const char *const rewrites[] = {
    [DEN_REWRITE_AUTO] = "auto", [DEN_REWRITE_OFF] = "off", [DEN_REWRITE_MODEL] = "model"
};

struct den_retrieval_settings den_retrieval_defaults(void)
{
    return (struct den_retrieval_settings){ .count = COUNT_DEFAULT, .diversity = (double)NAN };
}

static enum den_status read_rewrite(const json_t *fields, enum den_rewrite *out,
                                    struct den_error *err)
{
    const char *name = NULL;
    size_t i;

    if (den_json_get_text(fields, "rewrite", &name, err) != DEN_OK || !name)
        return err->status;
    for (i = 0; i < sizeof rewrites / sizeof rewrites[0]; i++)
        if (strcmp(name, rewrites[i]) == 0) {
            *out = (enum den_rewrite)i;
            return DEN_OK;
        }
    return den_fail(err, DEN_INVALID, "'rewrite' is '%.64s'; it must be auto, off or model", name);
}

enum den_status den_retrieval_settings_read(const json_t *fields,
                                            struct den_retrieval_settings *out,
                                            struct den_error *err)
{
    static const char *const known[] = { "count", "budget_tokens", "diversity", "only_documents",
                                         "rewrite" };
    const char *name;
    json_t *value;
    size_t i;

    if (!fields || json_is_null(fields))
        return DEN_OK;
    if (!json_is_object(fields))
        return den_fail(err, DEN_INVALID, "'retrieval' must be an object");
    json_object_foreach((json_t *)(uintptr_t)fields, name, value)
    {
        for (i = 0; i < sizeof known / sizeof known[0]; i++)
            if (strcmp(known[i], name) == 0)
                break;
        if (i == sizeof known / sizeof known[0])
            return den_fail(err, DEN_INVALID, "'retrieval' has no field '%.64s'", name);
    }
    if (json_is_null(json_object_get(fields, "diversity")))
        out->diversity = (double)NAN;
    if (den_json_get_integer(fields, "count", 1, DEN_RETRIEVAL_COUNT_MAX, &out->count, err) !=
            DEN_OK ||
        den_json_get_integer(fields, "budget_tokens", 0, DEN_CONTEXT_TOKENS_MAX,
                             &out->budget_tokens, err) != DEN_OK ||
        den_json_get_number(fields, "diversity", 0, 1, &out->diversity, err) != DEN_OK ||
        den_json_get_bool(fields, "only_documents", &out->only_documents, err) != DEN_OK)
        return err->status;
    return read_rewrite(fields, &out->rewrite, err);
}

json_t *den_retrieval_settings_json(const struct den_retrieval_settings *settings)
{
    json_t *diversity = isnan(settings->diversity) ? json_null() : json_real(settings->diversity);

    return json_pack("{s:I, s:I, s:o, s:b, s:s}", "count", (json_int_t)settings->count,
                     "budget_tokens", (json_int_t)settings->budget_tokens, "diversity", diversity,
                     "only_documents", (int)settings->only_documents, "rewrite",
                     rewrites[settings->rewrite]);
}

/* --- rows --- */

#define COLUMNS                                                                                    \
    "w.id, w.name, w.created, w.updated, w.model, w.system, w.parameters, w.retrieval, w.tags, "   \
    "(SELECT count(*) FROM workspace_documents d WHERE d.workspace = w.row), "                     \
    "(SELECT count(*) FROM threads t WHERE t.workspace = w.row AND t.deleted IS NULL)"

static json_t *retrieval_json(struct den_query *query, int column)
{
    struct den_retrieval_settings settings = den_retrieval_defaults();
    struct den_error ignored = { 0 };
    json_t *kept = den_value_json(query, column);

    den_retrieval_settings_read(kept, &settings, &ignored);
    json_decref(kept);
    return den_retrieval_settings_json(&settings);
}

static json_t *workspace_json(struct den_query *query)
{
    return json_pack("{s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:I}", "id",
                     den_text_json(query, 0), "name", den_text_json(query, 1), "created",
                     (json_int_t)den_query_integer(query, 2), "updated",
                     (json_int_t)den_query_integer(query, 3), "model", den_text_json(query, 4),
                     "system", den_text_json(query, 5), "parameters", den_value_json(query, 6),
                     "retrieval", retrieval_json(query, 7), "tags", den_value_json(query, 8),
                     "documents", (json_int_t)den_query_integer(query, 9), "threads",
                     (json_int_t)den_query_integer(query, 10));
}

static enum den_status read_one(struct den_query *query, json_t **out, struct den_error *err)
{
    json_t *workspace = NULL;

    if (den_query_next(query, err)) {
        workspace = workspace_json(query);
        if (!workspace)
            den_fail(err, DEN_NO_MEMORY, "workspaces: out of memory");
    } else if (err->status == DEN_OK) {
        den_fail(err, DEN_NOT_FOUND, "there is no such workspace");
    }
    den_query_end(query);
    if (err->status == DEN_OK)
        *out = workspace;
    return err->status;
}

enum den_status den_workspace_read(struct den_connection *connection, int64_t row, json_t **out,
                                   struct den_error *err)
{
    struct den_query query;

    if (den_query_start(&query, connection, err,
                        "SELECT " COLUMNS " FROM workspaces w WHERE w.row = ?", "i", row) != DEN_OK)
        return err->status;
    return read_one(&query, out, err);
}

enum den_status den_workspace_find(struct den_connection *connection, const char *id,
                                   int64_t *out_row, struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err, "SELECT row FROM workspaces WHERE id = ?", "t", id);
    if (den_query_next(&query, err))
        *out_row = den_query_integer(&query, 0);
    else if (err->status == DEN_OK)
        den_fail(err, DEN_NOT_FOUND, "there is no workspace '%.64s'",
                 den_id_is_valid(id) ? id : "");
    den_query_end(&query);
    return err->status;
}

enum den_status den_workspace_choose(struct den_connection *connection, const json_t *fields,
                                     int64_t *out_row, struct den_error *err)
{
    const char *id = NULL;

    *out_row = 0;
    if (den_json_get_text(fields, "workspace", &id, err) == DEN_OK && id &&
        den_workspace_find(connection, id, out_row, err) != DEN_OK)
        den_fail_at(err, "'workspace'");
    return err->status;
}

void den_workspace_tell(struct den_threads *threads, const char *id, bool is_deleted)
{
    if (threads->events)
        den_events_publish(threads->events, NULL, is_deleted ? "workspace_deleted" : "workspace",
                           json_pack("{s:s}", "id", id));
}

enum den_status den_workspace_touch(struct den_connection *connection, int64_t row,
                                    struct den_error *err)
{
    return den_execute(connection, err,
                       "UPDATE workspaces SET updated = max(updated, ?) WHERE row = ?", "ii",
                       den_clock_unix_ms(), row);
}

/* --- fields --- */

struct fields {
    const char *name, *model, *system;
    char *parameters, *retrieval, *tags; /* owned; NULL: not given */
};

static void free_fields(struct fields *fields)
{
    free(fields->parameters);
    free(fields->retrieval);
    free(fields->tags);
}

static enum den_status read_name(const json_t *json, const char **out, struct den_error *err)
{
    if (den_text_get(json, "name", DEN_NAME_BYTES_MAX, out, err) != DEN_OK)
        return err->status;
    if (*out && (*out)[strspn(*out, " \t\r\n")] == '\0')
        return den_fail(err, DEN_INVALID, "'name' must not be empty");
    return DEN_OK;
}

static enum den_status read_tags(const json_t *json, char **out, struct den_error *err)
{
    const json_t *tags = json_object_get(json, "tags");
    size_t i;

    if (!tags || json_is_null(tags))
        return DEN_OK;
    if (!json_is_array(tags) || json_array_size(tags) > DEN_WORKSPACE_TAGS_MAX)
        return den_fail(err, DEN_INVALID, "'tags' must be a list of at most %d texts",
                        DEN_WORKSPACE_TAGS_MAX);
    for (i = 0; i < json_array_size(tags); i++) {
        size_t length = json_string_length(json_array_get(tags, i));

        if (length == 0 || length > DEN_NAME_BYTES_MAX)
            return den_fail(err, DEN_INVALID, "'tags[%zu]' must be a text of 1 to %d bytes", i,
                            DEN_NAME_BYTES_MAX);
    }
    return den_json_text(tags, out, err);
}

/* `old` is what it is now: fields that are not given stay. */
static enum den_status read_retrieval(const json_t *json, const json_t *old, char **out,
                                      struct den_error *err)
{
    struct den_retrieval_settings settings = den_retrieval_defaults();
    const json_t *given = json_object_get(json, "retrieval");
    json_t *whole;

    if (!given || json_is_null(given))
        return DEN_OK;
    if (den_retrieval_settings_read(old, &settings, err) != DEN_OK ||
        den_retrieval_settings_read(given, &settings, err) != DEN_OK)
        return err->status;
    whole = den_retrieval_settings_json(&settings);
    den_json_text(whole, out, err);
    json_decref(whole);
    return err->status;
}

static enum den_status read_fields(const json_t *json, const json_t *old, struct fields *out,
                                   struct den_error *err)
{
    const json_t *parameters = json_object_get(json, "parameters");

    *out = (struct fields){ 0 };
    if (read_name(json, &out->name, err) != DEN_OK ||
        den_text_get(json, "model", DEN_NAME_BYTES_MAX, &out->model, err) != DEN_OK ||
        den_text_get(json, "system", DEN_CONTENT_BYTES_MAX, &out->system, err) != DEN_OK ||
        den_answer_parameters_check(parameters, err) != DEN_OK ||
        read_retrieval(json, json_object_get(old, "retrieval"), &out->retrieval, err) != DEN_OK ||
        read_tags(json, &out->tags, err) != DEN_OK)
        return err->status;
    if (json_is_object(parameters) && den_json_text(parameters, &out->parameters, err) != DEN_OK)
        return err->status;
    if (out->parameters && strlen(out->parameters) > DEN_PARAMETERS_BYTES_MAX)
        return den_fail(err, DEN_TOO_LARGE, "'parameters' may have %d bytes of JSON at most",
                        DEN_PARAMETERS_BYTES_MAX);
    return DEN_OK;
}

/* DEN_IN_USE where a workspace other than row `self` has the name. */
static enum den_status check_name(struct den_connection *connection, const char *name, int64_t self,
                                  struct den_error *err)
{
    struct den_query query;

    if (!name)
        return DEN_OK;
    den_query_start(&query, connection, err,
                    "SELECT 1 FROM workspaces WHERE name = ? COLLATE NOCASE AND row <> ?", "ti",
                    name, self);
    if (den_query_next(&query, err))
        den_fail(err, DEN_IN_USE, "'name': there is a workspace '%.64s' already", name);
    den_query_end(&query);
    return err->status;
}

/* --- making --- */

static enum den_status match_workspace(struct den_connection *connection, const char *id,
                                       const struct fields *fields, int64_t *out_row,
                                       struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err,
                    "SELECT row, name = ?2 AND model = coalesce(?3, model) AND "
                    "system = coalesce(?4, system) FROM workspaces WHERE id = ?1",
                    "tttt", id, fields->name, fields->model, fields->system);
    if (den_query_next(&query, err)) {
        *out_row = den_query_integer(&query, 0);
        if (den_query_integer(&query, 1) == 0)
            den_fail(err, DEN_IN_USE, "'id': there is another workspace '%s'", id);
    }
    den_query_end(&query);
    return err->status;
}

static enum den_status insert_workspace(struct den_connection *connection, const char *id,
                                        const struct fields *fields, int64_t *out_row,
                                        struct den_error *err)
{
    int64_t now = den_clock_unix_ms(), count = 0;
    struct den_query query;

    den_query_start(&query, connection, err, "SELECT count(*) FROM workspaces", "");
    if (den_query_next(&query, err))
        count = den_query_integer(&query, 0);
    den_query_end(&query);
    if (count >= DEN_WORKSPACES_MAX)
        return den_fail(err, DEN_TOO_LARGE, "there are %d workspaces; more are not kept",
                        DEN_WORKSPACES_MAX);
    if (check_name(connection, fields->name, 0, err) == DEN_OK &&
        den_execute(connection, err,
                    "INSERT INTO workspaces (id, name, created, updated, model, system, "
                    "parameters, retrieval, tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    "ttiittttt", id, fields->name, now, now, fields->model ? fields->model : "",
                    fields->system ? fields->system : "",
                    fields->parameters ? fields->parameters : "{}",
                    fields->retrieval ? fields->retrieval : "{}",
                    fields->tags ? fields->tags : "[]") == DEN_OK)
        *out_row = den_connection_last_row(connection);
    return err->status;
}

static bool is_taken(struct den_connection *connection, const char *sql, const char *text,
                     struct den_error *err)
{
    struct den_query query;
    bool found;

    den_query_start(&query, connection, err, sql, "t", text);
    found = den_query_next(&query, err);
    den_query_end(&query);
    return found;
}

/* NAME, else "NAME (2)" and so on; a long one is cut for it. */
static enum den_status choose_name(struct den_connection *connection, const char *name,
                                   char out[DEN_NAME_BYTES_MAX + 1], struct den_error *err)
{
    static const char sql[] = "SELECT 1 FROM workspaces WHERE name = ? COLLATE NOCASE";
    size_t length = strlen(name), number;

    snprintf(out, DEN_NAME_BYTES_MAX + 1, "%s", name);
    if (length > DEN_NAME_BYTES_MAX - 16)
        length = DEN_NAME_BYTES_MAX - 16;
    length -= den_utf8_incomplete_tail(name, length);
    for (number = 2; is_taken(connection, sql, out, err) && number <= DEN_WORKSPACES_MAX + 1;
         number++)
        snprintf(out, DEN_NAME_BYTES_MAX + 1, "%.*s (%zu)", (int)length, name, number);
    return err->status;
}

enum den_status den_workspace_insert(struct den_connection *connection, const json_t *fields,
                                     int64_t *out_row, struct den_error *err)
{
    char id[DEN_ID_LENGTH_MAX + 1], name[DEN_NAME_BYTES_MAX + 1];
    struct fields given = { 0 };

    if (read_fields(fields, NULL, &given, err) == DEN_OK && !given.name)
        den_fail(err, DEN_INVALID, "'name' is missing; it must be a string");
    if (err->status == DEN_OK && choose_name(connection, given.name, name, err) == DEN_OK) {
        const char *wanted = json_string_value(json_object_get(fields, "id"));

        snprintf(id, sizeof id, "%s", wanted && den_id_is_valid(wanted) ? wanted : "");
        if (!*id || is_taken(connection, "SELECT 1 FROM workspaces WHERE id = ?", id, err))
            den_id_make(id, err);
        given.name = name;
    }
    if (err->status == DEN_OK)
        insert_workspace(connection, id, &given, out_row, err);
    free_fields(&given);
    return err->status;
}

/* What remains of every change: end the transaction, tell, hand out. */
static enum den_status conclude(struct den_connection *connection, int64_t row, json_t **out,
                                struct den_error *err)
{
    json_t *workspace = NULL;

    if (err->status == DEN_OK)
        den_workspace_read(connection, row, &workspace, err);
    if (den_connection_end(connection, err) != DEN_OK) {
        json_decref(workspace);
        return err->status;
    }
    *out = workspace;
    return DEN_OK;
}

enum den_status den_workspace_create(struct den_threads *threads, const json_t *fields,
                                     json_t **out, bool *out_existed, struct den_error *err)
{
    char id[DEN_ID_LENGTH_MAX + 1];
    struct den_connection *connection;
    struct fields given = { 0 };
    int64_t row = 0;
    bool existed;

    if (den_id_choose(fields, "id", id, err) == DEN_OK &&
        read_fields(fields, NULL, &given, err) == DEN_OK && !given.name)
        den_fail(err, DEN_INVALID, "'name' is missing; it must be a string");
    if (err->status != DEN_OK ||
        den_database_write(threads->database, &connection, err) != DEN_OK) {
        free_fields(&given);
        return err->status;
    }
    match_workspace(connection, id, &given, &row, err);
    existed = row != 0;
    if (err->status == DEN_OK && !existed)
        insert_workspace(connection, id, &given, &row, err);
    free_fields(&given);
    if (conclude(connection, row, out, err) != DEN_OK)
        return err->status;
    if (!existed)
        den_workspace_tell(threads, id, false);
    *out_existed = existed;
    return DEN_OK;
}

/* --- using --- */

enum den_status den_workspaces_list(struct den_threads *threads, json_t **out,
                                    struct den_error *err)
{
    struct den_connection *connection;
    json_t *list = json_array();
    struct den_query query;

    if (den_database_read(threads->database, &connection, err) == DEN_OK) {
        den_query_start(&query, connection, err,
                        "SELECT " COLUMNS " FROM workspaces w ORDER BY w.name COLLATE NOCASE", "");
        while (den_query_next(&query, err))
            if (json_array_append_new(list, workspace_json(&query)) != 0)
                den_fail(err, DEN_NO_MEMORY, "workspaces: out of memory");
        den_query_end(&query);
        den_connection_end(connection, err);
    }
    if (err->status == DEN_OK)
        *out = json_pack("{s:O}", "workspaces", list);
    json_decref(list);
    return err->status;
}

enum den_status den_workspace_get(struct den_threads *threads, const char *id, json_t **out,
                                  struct den_error *err)
{
    struct den_connection *connection;
    int64_t row;

    if (den_database_read(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_workspace_find(connection, id, &row, err) == DEN_OK)
        den_workspace_read(connection, row, out, err);
    return den_connection_end(connection, err);
}

enum den_status den_workspace_by_name(struct den_threads *threads, const char *name, json_t **out,
                                      struct den_error *err)
{
    struct den_connection *connection;
    struct den_query query;

    if (den_database_read(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_query_start(&query, connection, err,
                        "SELECT " COLUMNS " FROM workspaces w WHERE w.id = ?1 OR "
                        "w.name = ?1 COLLATE NOCASE ORDER BY w.id = ?1 DESC LIMIT 1",
                        "t", name) == DEN_OK &&
        read_one(&query, out, err) == DEN_NOT_FOUND)
        den_fail(err, DEN_NOT_FOUND, "there is no workspace '%.64s'", name);
    return den_connection_end(connection, err);
}

enum den_status den_workspace_change(struct den_threads *threads, const char *id,
                                     const json_t *fields, json_t **out, struct den_error *err)
{
    struct den_connection *connection;
    struct fields given = { 0 };
    json_t *old = NULL;
    int64_t row = 0;

    if (den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_workspace_find(connection, id, &row, err) == DEN_OK &&
        den_workspace_read(connection, row, &old, err) == DEN_OK &&
        read_fields(fields, old, &given, err) == DEN_OK &&
        check_name(connection, given.name, row, err) == DEN_OK)
        den_execute(connection, err,
                    "UPDATE workspaces SET name = coalesce(?2, name), model = coalesce(?3, model), "
                    "system = coalesce(?4, system), parameters = coalesce(?5, parameters), "
                    "retrieval = coalesce(?6, retrieval), tags = coalesce(?7, tags), "
                    "updated = max(updated, ?8) WHERE row = ?1",
                    "itttttti", row, given.name, given.model, given.system, given.parameters,
                    given.retrieval, given.tags, den_clock_unix_ms());
    free_fields(&given);
    json_decref(old);
    if (conclude(connection, row, out, err) == DEN_OK)
        den_workspace_tell(threads, id, false);
    return err->status;
}

enum den_status den_workspace_delete(struct den_threads *threads, const char *id,
                                     struct den_error *err)
{
    struct den_connection *connection;
    int64_t row;

    if (den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_workspace_find(connection, id, &row, err) == DEN_OK)
        den_execute(connection, err, "DELETE FROM workspaces WHERE row = ?", "i", row);
    if (den_connection_end(connection, err) == DEN_OK)
        den_workspace_tell(threads, id, true);
    return err->status;
}
