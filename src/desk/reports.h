/* Reports: what a model makes of whole documents, however long they are, while nobody waits.
 *
 * A summary of documents, a comparison of two, or a table with a row for each. A report is a row of
 * the table `jobs`, so that it outlives the program, and a number of steps (table `report_steps`),
 * each of which asks the model once or not at all. A step's outcome is on the disk before the next
 * one begins: a program that is killed goes on where it was. One report runs at a time, and its
 * requests are of the batch class: a chat never waits for more than the step that is under way.
 *
 * Nothing is told without the place where it stands: sentences have markers of passages that were
 * compared with them, cells have the passage that their value was found in, and what could not be
 * found says so.
 *
 * As JSON: {"id", "kind", "title", "state", "created", "started", "ended", "total", "done",
 * "seconds_left", "error", "workspace", "model", "documents": [{"id", "name"}], "question",
 * "columns": [{"name", "description"}], "result"}. The result of summaries and comparisons is
 * {"text", "passages", "citations"} as in an answer's sources, that of tables {"rows":
 * [{"document", "name", "cells": [{"text", "passage": index or null, "supported"}]}], "passages"};
 * one that is under way has what there is so far. Those who listen hear "report" {report without
 * its result} and "report_deleted" {"id"}. */
#ifndef DEN_DESK_REPORTS_H
#define DEN_DESK_REPORTS_H

#include <jansson.h>
#include <stddef.h>

#include "base/status.h"
#include "desk/answers.h"

struct den_buffer;
struct den_database;
struct den_events;
struct den_reports;

/* All must outlive the reports; `source` has the models, and the retrieval that finds passages. */
struct den_reports_options {
    struct den_database *database;
    struct den_events *events; /* NULL: nobody listens */
    struct den_answer_source source;
};
/* What was unfinished goes on, unless another Den that uses the same database works on reports. */
enum den_status den_reports_open(const struct den_reports_options *options,
                                 struct den_reports **out, struct den_error *err);
/* Ends what is being asked; it goes on the next time. */
void den_reports_close(struct den_reports *reports);
/* Ends early what is being asked; it goes on as soon as the database can be held again. */
void den_reports_interrupt(struct den_reports *reports);

/* `fields`: kind, workspace, documents, model, question, columns (docs/API.md). */
enum den_status den_report_create(struct den_reports *reports, const json_t *fields, json_t **out,
                                  struct den_error *err);
struct den_report_list {
    const char *workspace; /* id; NULL: all */
    const char *before;    /* the "next" of the list before; NULL: from the newest */
    size_t limit;          /* 0: 50 */
};
/* {"reports": [report without "result"], "next": text or null}: the newest first. */
enum den_status den_reports_list(struct den_reports *reports, const struct den_report_list *list,
                                 json_t **out, struct den_error *err);
enum den_status den_report_get(struct den_reports *reports, const char *id, json_t **out,
                               struct den_error *err);
/* `fields`: state "paused" or "running" (which also takes up what has failed again), title. */
enum den_status den_report_change(struct den_reports *reports, const char *id, const json_t *fields,
                                  json_t **out, struct den_error *err);
/* Ends it first where it runs. */
enum den_status den_report_delete(struct den_reports *reports, const char *id,
                                  struct den_error *err);

enum den_report_format { DEN_REPORT_CSV, DEN_REPORT_MARKDOWN };
/* Appends the report as a file; `out_name` is one for it. DEN_UNSUPPORTED: only tables are CSV. */
enum { DEN_REPORT_NAME_BYTES = 96 };
enum den_status den_report_export(struct den_reports *reports, const char *id,
                                  enum den_report_format format, struct den_buffer *out,
                                  char out_name[DEN_REPORT_NAME_BYTES], struct den_error *err);
/* The id of a document that goes by this id or name (whole, or without its folders).
 * DEN_NOT_FOUND; DEN_INVALID: several have the name. */
enum den_status den_report_document(struct den_reports *reports, const char *name, json_t **out_id,
                                    struct den_error *err);

#endif
