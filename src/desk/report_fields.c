/* What may be asked of a report: the body of POST /api/reports, checked, completed by what the
 * workspace says, and written as the job's fields: {"workspace", "model", "question", "columns",
 * "documents": [{"id", "name"}]}. The documents are settled here, so that a report that goes on
 * tomorrow is about those it was asked of today. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "desk/report_parts.h"
#include "desk/threads_parts.h"

struct asked {
    const struct den_report_kind *kind;
    const char *kind_name, *workspace, *model, *question;
    const json_t *documents, *columns;
};

static enum den_status read_array(const json_t *given, const char *key, size_t most,
                                  const json_t **out, struct den_error *err)
{
    const json_t *list = json_object_get(given, key);

    if (!list || json_is_null(list))
        return DEN_OK;
    if (!json_is_array(list) || json_array_size(list) == 0)
        return den_fail(err, DEN_INVALID, "'%s' must be a list that is not empty", key);
    if (json_array_size(list) > most)
        return den_fail(err, DEN_INVALID, "'%s' has %zu entries; a report takes at most %zu", key,
                        json_array_size(list), most);
    *out = list;
    return DEN_OK;
}

static enum den_status read_asked(const json_t *given, struct asked *out, struct den_error *err)
{
    if (den_json_get_text(given, "kind", &out->kind_name, err) != DEN_OK ||
        den_text_get(given, "workspace", DEN_ID_LENGTH_MAX, &out->workspace, err) != DEN_OK ||
        den_text_get(given, "model", DEN_NAME_BYTES_MAX, &out->model, err) != DEN_OK ||
        den_text_get(given, "question", DEN_REPORT_QUESTION_BYTES_MAX, &out->question, err) !=
            DEN_OK ||
        read_array(given, "documents", DEN_REPORT_DOCUMENTS_MAX, &out->documents, err) != DEN_OK ||
        read_array(given, "columns", DEN_REPORT_COLUMNS_MAX, &out->columns, err) != DEN_OK)
        return err->status;
    out->kind = out->kind_name ? den_report_kind_find(out->kind_name) : NULL;
    if (!out->kind)
        return den_fail(err, DEN_INVALID,
                        "'kind' must be \"summary\", \"comparison\" or \"table\"");
    if (!out->workspace && !out->documents)
        return den_fail(err, DEN_INVALID,
                        "'documents' or 'workspace' is missing; it says what the report is about");
    if (out->kind == &den_report_table && !out->columns)
        return den_fail(err, DEN_INVALID, "'columns' is missing; a table has one at least");
    if (out->kind != &den_report_table && out->columns)
        return den_fail(err, DEN_INVALID, "'columns' belong to a table, not to a %s",
                        out->kind->name);
    return DEN_OK;
}

/* --- columns --- */

/* {"name", "description"}; the name stands for a description that is not there. */
static enum den_status read_column(const json_t *given, size_t index, json_t *out,
                                   struct den_error *err)
{
    const char *name = NULL, *description = NULL;

    if (!json_is_object(given))
        return den_fail(err, DEN_INVALID, "'columns[%zu]' must be an object with a 'name'", index);
    if (den_text_get(given, "name", DEN_NAME_BYTES_MAX, &name, err) != DEN_OK ||
        den_text_get(given, "description", DEN_TITLE_BYTES_MAX, &description, err) != DEN_OK)
        return den_fail_at(err, "'columns[%zu]'", index);
    if (!name || name[strspn(name, " \t\r\n")] == '\0')
        return den_fail(err, DEN_INVALID, "'columns[%zu].name' is missing", index);
    if (!description || description[strspn(description, " \t\r\n")] == '\0')
        description = name;
    if (json_array_append_new(
            out, json_pack("{s:s, s:s}", "name", name, "description", description)) != 0)
        return den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
    return DEN_OK;
}

static enum den_status read_columns(const json_t *given, json_t *out, struct den_error *err)
{
    json_t *column;
    size_t i;

    json_array_foreach(given, i, column)
    {
        if (read_column(column, i, out, err) != DEN_OK)
            break;
    }
    return err->status;
}

/* --- documents --- */

static enum den_status add_document(struct den_query *query, json_t *out, struct den_error *err)
{
    if (json_array_append_new(out, json_pack("{s:o, s:o}", "id", den_text_json(query, 0), "name",
                                             den_text_json(query, 1))) != 0)
        return den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
    return DEN_OK;
}

/* Those that were read; what is still being read is not waited for. */
static enum den_status add_workspace(struct den_connection *connection, const char *workspace,
                                     json_t *out, struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err,
                    "SELECT d.id, d.name FROM workspaces w JOIN workspace_documents l ON "
                    "l.workspace = w.row JOIN documents d ON d.row = l.document WHERE w.id = ? AND "
                    "EXISTS (SELECT 1 FROM items i WHERE i.document = d.row) ORDER BY d.name "
                    "COLLATE NOCASE, d.row LIMIT ?",
                    "ti", workspace, (int64_t)DEN_REPORT_DOCUMENTS_MAX + 1);
    while (den_query_next(&query, err) && add_document(&query, out, err) == DEN_OK)
        ;
    den_query_end(&query);
    if (err->status == DEN_OK && json_array_size(out) > DEN_REPORT_DOCUMENTS_MAX)
        den_fail(err, DEN_INVALID,
                 "'workspace' has more than %d documents; name those that the report is about",
                 DEN_REPORT_DOCUMENTS_MAX);
    if (err->status == DEN_OK && json_array_size(out) == 0)
        den_fail(err, DEN_INVALID, "'workspace' has no documents that were read");
    return err->status;
}

static bool is_there(const json_t *documents, const char *id)
{
    json_t *document;
    size_t i;

    json_array_foreach(documents, i, document)
    {
        if (strcmp(json_string_value(json_object_get(document, "id")), id) == 0)
            return true;
    }
    return false;
}

static enum den_status add_one(struct den_connection *connection, const json_t *given, size_t index,
                               json_t *out, struct den_error *err)
{
    const char *id = json_string_value(given);
    struct den_query query;

    if (!id || !den_id_is_valid(id))
        return den_fail(err, DEN_INVALID, "'documents[%zu]' must be the id of a document", index);
    if (is_there(out, id))
        return den_fail(err, DEN_INVALID, "'documents[%zu]': '%s' is there twice", index, id);
    den_query_start(&query, connection, err,
                    "SELECT id, name, EXISTS (SELECT 1 FROM items i WHERE i.document = d.row), "
                    "state FROM documents d WHERE id = ?",
                    "t", id);
    if (!den_query_next(&query, err)) {
        if (err->status == DEN_OK)
            den_fail(err, DEN_NOT_FOUND, "'documents[%zu]': there is no document '%s'", index, id);
    } else if (den_query_integer(&query, 2) == 0) {
        den_fail(err, DEN_INVALID, "'documents[%zu]': no text was read from '%.200s' yet; it is %s",
                 index, den_query_text(&query, 1), den_query_text(&query, 3));
    } else {
        add_document(&query, out, err);
    }
    den_query_end(&query);
    return err->status;
}

static enum den_status read_documents(struct den_connection *connection, const struct asked *asked,
                                      json_t *out, struct den_error *err)
{
    size_t i;

    if (!asked->documents)
        add_workspace(connection, asked->workspace, out, err);
    for (i = 0; i < json_array_size(asked->documents) && err->status == DEN_OK; i++)
        add_one(connection, json_array_get(asked->documents, i), i, out, err);
    if (err->status == DEN_OK && asked->kind == &den_report_comparison && json_array_size(out) != 2)
        den_fail(err, DEN_INVALID, "'documents': a comparison is of two documents, not of %zu",
                 json_array_size(out));
    if (err->status == DEN_OK &&
        json_array_size(out) * json_array_size(asked->columns) > DEN_REPORT_STEPS_MAX)
        den_fail(err, DEN_INVALID, "'columns': the table would have %zu cells; at most %d are made",
                 json_array_size(out) * json_array_size(asked->columns), DEN_REPORT_STEPS_MAX);
    return err->status;
}

/* --- the workspace and the title --- */

/* Its name, and the model that is asked where the report names none. */
static enum den_status read_workspace(struct den_connection *connection, const char *id,
                                      json_t *fields, char out_name[DEN_TITLE_BYTES_MAX],
                                      struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err, "SELECT name, model FROM workspaces WHERE id = ?", "t",
                    id);
    if (den_query_next(&query, err)) {
        snprintf(out_name, DEN_TITLE_BYTES_MAX, "%s", den_query_text(&query, 0));
        if (!json_object_get(fields, "model"))
            json_object_set_new(fields, "model", den_text_json(&query, 1));
    } else if (err->status == DEN_OK) {
        den_fail(err, DEN_NOT_FOUND, "'workspace': there is no workspace '%.64s'",
                 den_id_is_valid(id) ? id : "");
    }
    den_query_end(&query);
    return err->status;
}

static const char *name_at(const json_t *documents, size_t index)
{
    const char *name = json_string_value(json_object_get(json_array_get(documents, index), "name"));
    const char *slash = name ? strrchr(name, '/') : NULL;

    return slash ? slash + 1 : name ? name : "";
}

static void make_title(const struct asked *asked, const json_t *fields, const char *workspace,
                       char out[DEN_TITLE_BYTES_MAX])
{
    const json_t *documents = json_object_get(fields, "documents");
    char what[DEN_TITLE_BYTES_MAX];

    if (json_array_size(documents) == 1)
        snprintf(what, sizeof what, "%.400s", name_at(documents, 0));
    else if (json_array_size(documents) == 2)
        snprintf(what, sizeof what, "%.400s and %.400s", name_at(documents, 0),
                 name_at(documents, 1));
    else if (*workspace)
        snprintf(what, sizeof what, "%.400s", workspace);
    else
        snprintf(what, sizeof what, "%zu documents", json_array_size(documents));
    snprintf(out, DEN_TITLE_BYTES_MAX, "%s%.900s",
             asked->kind == &den_report_summary      ? "Summary of "
             : asked->kind == &den_report_comparison ? "Comparison of "
                                                     : "Table of ",
             what);
    den_text_shorten(out, 200, what, sizeof what);
    snprintf(out, DEN_TITLE_BYTES_MAX, "%s", what);
}

enum den_status den_report_fields(struct den_connection *connection, const json_t *given,
                                  json_t **out, char out_title[DEN_TITLE_BYTES_MAX],
                                  struct den_error *err)
{
    json_t *fields = json_object(), *documents = json_array(), *columns = json_array();
    char workspace[DEN_TITLE_BYTES_MAX] = "";
    struct asked asked = { 0 };

    if (read_asked(given, &asked, err) != DEN_OK)
        goto done;
    if (asked.model && *asked.model)
        json_object_set_new(fields, "model", json_string(asked.model));
    if (asked.workspace) {
        json_object_set_new(fields, "workspace", json_string(asked.workspace));
        if (read_workspace(connection, asked.workspace, fields, workspace, err) != DEN_OK)
            goto done;
    }
    if (asked.question)
        json_object_set_new(fields, "question", json_string(asked.question));
    if (read_columns(asked.columns, columns, err) != DEN_OK ||
        read_documents(connection, &asked, documents, err) != DEN_OK)
        goto done;
    if (json_object_set(fields, "documents", documents) != 0 ||
        json_object_set(fields, "columns", columns) != 0) {
        den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
        goto done;
    }
    make_title(&asked, fields, workspace, out_title);
    *out = json_incref(fields);
done:
    json_decref(columns);
    json_decref(documents);
    json_decref(fields);
    return err->status;
}
