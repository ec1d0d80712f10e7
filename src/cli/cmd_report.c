/* den report: a summary, a comparison or a table of documents, and how far it is.
 *
 * As den add, the verb works on the database itself. Where den serve is running on it, that one
 * does the work and this only waits and shows; else it is done here. What Ctrl-C leaves goes on
 * when Den runs the next time. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "cli/asked_documents.h"
#include "cli/model_options.h"
#include "desk/report_export.h"
#include "desk/reports.h"

enum { LOOK_MS = 250, PLAIN_TICKS = 20 };

struct reporting {
    const struct den_arguments *arguments;
    struct den_cli_documents open;
    struct den_reports *reports;
    bool is_terminal, is_plain; /* progress is shown in place; nothing but the result is */
};

static enum den_status open_all(struct reporting *reporting, struct den_error *err)
{
    struct den_reports_options options = { 0 };

    if (den_cli_documents_open(NULL, &reporting->open, err) != DEN_OK)
        return err->status;
    options.database = reporting->open.files.database;
    options.source = den_answer_source_of(reporting->open.roster, reporting->open.retrieval);
    return den_reports_open(&options, &reporting->reports, err);
}

static void close_all(struct reporting *reporting)
{
    den_reports_close(reporting->reports);
    den_cli_documents_close(&reporting->open);
}

/* --- asking for it --- */

/* "NAME: DESCRIPTION", or the name alone. */
static enum den_status add_column(const char *text, json_t *columns, struct den_error *err)
{
    const char *colon = strchr(text, ':');
    const size_t length = colon ? (size_t)(colon - text) : strlen(text);
    const char *rest = colon ? colon + 1 : "";

    if (json_array_append_new(columns, json_pack("{s:s%, s:s}", "name", text, length, "description",
                                                 rest + strspn(rest, " "))) != 0)
        return den_fail(err, DEN_INVALID, "--column is not valid UTF-8");
    return DEN_OK;
}

static enum den_status add_columns(const struct reporting *reporting, json_t *fields,
                                   struct den_error *err)
{
    const char *const *columns;
    const size_t count = den_argument_all(reporting->arguments, "column", &columns);
    json_t *list = json_array();
    size_t i;

    for (i = 0; i < count && err->status == DEN_OK; i++)
        add_column(columns[i], list, err);
    if (count > 0)
        json_object_set(fields, "columns", list);
    json_decref(list);
    return err->status;
}

static enum den_status add_documents(const struct reporting *reporting, json_t *fields,
                                     struct den_error *err)
{
    const size_t count = den_operand_count(reporting->arguments);
    json_t *list = json_array();
    size_t i;

    for (i = 1; i < count; i++) {
        json_t *id = NULL;

        if (den_report_document(reporting->reports, den_operand(reporting->arguments, i), &id,
                                err) != DEN_OK)
            break;
        json_array_append_new(list, id);
    }
    if (count > 1)
        json_object_set(fields, "documents", list);
    json_decref(list);
    return err->status;
}

static enum den_status add_text(const struct reporting *reporting, const char *key, json_t *fields,
                                struct den_error *err)
{
    const char *text = den_argument_text(reporting->arguments, key);

    if (text && json_object_set_new(fields, key, json_string(text)) != 0)
        return den_fail(err, DEN_INVALID, "--%s is not valid UTF-8", key);
    return DEN_OK;
}

static enum den_status make_fields(const struct reporting *reporting, json_t *fields,
                                   struct den_error *err)
{
    const char *name = den_argument_text(reporting->arguments, "workspace");
    json_t *workspace = NULL;

    json_object_set_new(fields, "kind", json_string(den_operand(reporting->arguments, 0)));
    if (name &&
        den_workspace_by_name(reporting->open.files.threads, name, &workspace, err) == DEN_OK)
        json_object_set(fields, "workspace", json_object_get(workspace, "id"));
    json_decref(workspace);
    if (err->status != DEN_OK || add_text(reporting, "model", fields, err) != DEN_OK ||
        add_text(reporting, "question", fields, err) != DEN_OK ||
        add_documents(reporting, fields, err) != DEN_OK)
        return err->status;
    if (!name && den_operand_count(reporting->arguments) < 2)
        return den_fail(err, DEN_INVALID,
                        "a DOCUMENT or --workspace is missing; it says what the report is about");
    return add_columns(reporting, fields, err);
}

/* --- waiting for it --- */

static void show(const struct reporting *reporting, const json_t *report)
{
    const long long left = (long long)json_integer_value(json_object_get(report, "seconds_left"));

    fprintf(stderr, "%s%s, %lld of %lld steps", reporting->is_terminal ? "\r\033[K" : "",
            json_string_value(json_object_get(report, "state")),
            (long long)json_integer_value(json_object_get(report, "done")),
            (long long)json_integer_value(json_object_get(report, "total")));
    if (left > 0)
        fprintf(stderr, ", %lld:%02lld left", left / 60, left % 60);
    fputs(reporting->is_terminal ? "" : "\n", stderr);
}

/* *out: the report, ended; DEN_CANCELLED by Ctrl-C. */
static enum den_status wait_for(const struct reporting *reporting, const char *id, json_t **out,
                                struct den_error *err)
{
    size_t tick;

    for (tick = 0;; tick++) {
        json_t *report = NULL;

        if (den_report_get(reporting->reports, id, &report, err) != DEN_OK)
            return err->status;
        if (json_is_integer(json_object_get(report, "ended"))) {
            if (reporting->is_terminal)
                fputs("\r\033[K", stderr);
            *out = report;
            return DEN_OK;
        }
        if (reporting->is_terminal ||
            (!reporting->is_plain && tick % PLAIN_TICKS == PLAIN_TICKS - 1))
            show(reporting, report);
        json_decref(report);
        if (atomic_load(den_cli_interrupted()))
            return den_fail(err, DEN_CANCELLED,
                            "stopped waiting; the report goes on when Den runs, and den serve "
                            "shows it");
        usleep(LOOK_MS * 1000);
    }
}

static enum den_status print(const struct reporting *reporting, json_t *report,
                             struct den_error *err)
{
    const char *error = json_string_value(json_object_get(report, "error"));
    struct den_buffer out;

    if (den_argument_flag(reporting->arguments, "json"))
        return den_cli_print_json(json_incref(report), err);
    if (error)
        return den_fail(err, DEN_INTERNAL, "the report failed: %s", error);
    den_buffer_init(&out, DEN_HTTP_REPLY_BYTES_MAX);
    if (den_argument_flag(reporting->arguments, "csv"))
        den_report_write_csv(report, &out);
    else
        den_report_write_markdown(report, &out);
    if (den_buffer_status(&out, "the report", err) == DEN_OK)
        fwrite(out.data, 1, out.length, stdout);
    den_buffer_deinit(&out);
    return err->status;
}

static enum den_status make_report(const struct reporting *reporting, struct den_error *err)
{
    json_t *fields = json_object(), *made = NULL, *ended = NULL;

    if (make_fields(reporting, fields, err) == DEN_OK &&
        den_report_create(reporting->reports, fields, &made, err) == DEN_OK &&
        wait_for(reporting, json_string_value(json_object_get(made, "id")), &ended, err) == DEN_OK)
        print(reporting, ended, err);
    json_decref(fields);
    json_decref(made);
    json_decref(ended);
    return err->status;
}

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    struct reporting reporting = { .arguments = arguments };
    const bool is_table = strcmp(den_operand(arguments, 0), "table") == 0;

    if (den_argument_flag(arguments, "csv") && !is_table)
        return den_fail(err, DEN_INVALID, "--csv is for tables; this is a %s",
                        den_operand(arguments, 0));
    if (is_table && !den_argument_given(arguments, "column"))
        return den_fail(err, DEN_INVALID, "--column is missing; a table has one at least");
    reporting.is_plain = den_argument_flag(arguments, "json");
    reporting.is_terminal = !reporting.is_plain && isatty(STDERR_FILENO);
    den_cli_catch_interrupt();
    if (open_all(&reporting, err) == DEN_OK)
        make_report(&reporting, err);
    close_all(&reporting);
    return err->status;
}

static const struct den_option options[] = {
    { .name = "workspace",
      .letter = 'w',
      .kind = DEN_OPTION_TEXT,
      .value = "NAME",
      .help = "of all documents of this workspace, unless some are named" },
    { .name = "column",
      .kind = DEN_OPTION_TEXT,
      .value = "TEXT",
      .help = "a column of a table, \"NAME: DESCRIPTION\"; given once for each" },
    { .name = "question",
      .kind = DEN_OPTION_TEXT,
      .value = "TEXT",
      .help = "what matters most in a summary" },
    { .name = "model",
      .letter = 'm',
      .kind = DEN_OPTION_TEXT,
      .value = "NAME",
      .help = "the model that writes; without it, the workspace's, else the default" },
    { .name = "csv", .kind = DEN_OPTION_FLAG, .help = "print a table as CSV" },
    DEN_OPTION_JSON,
};

const struct den_verb den_verb_report = {
    .name = "report",
    .summary = "summarise, compare or tabulate documents of any length",
    .operands = "summary|comparison|table [DOCUMENT...]",
    .operands_min = 1,
    .operands_max = -1,
    .description =
        "A summary reads the documents piece by piece and joins what it wrote until one text is "
        "left. A comparison of two documents tells which numbers and dates differ, what else does, "
        "what both say and what only one says. A table has a row for each document and the values "
        "that its columns describe. Documents go by their name in the library or their id. Each "
        "sentence and each value has the number of the passage that it stands on; those follow, "
        "with the page or sheet they are from.\n\n"
        "Works while den serve runs, which then does the work; Ctrl-C ends only the waiting, and "
        "what is left goes on when Den runs the next time.",
    .examples = "den report summary thesis.pdf\n"
                "den report summary --workspace House --question \"What has to be paid?\"\n"
                "den report comparison lease-2019.pdf lease-2024.pdf\n"
                "den report table -w Invoices --column \"Amount: the total to pay\" --column Date "
                "--csv\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
