/* The inside of reports: reports.c has what users ask of them, report_fields.c what may be asked,
 * report_rows.c their rows, report_queue.c the thread that runs them, report_model.c how the model
 * is asked, report_summary.c, report_comparison.c and report_table.c the three kinds.
 *
 * Steps, by their kind; texts are what the model wrote, cut to whole sentences:
 *   piece  of a summary: {"first", "last", "slice", "slices"} (items of the document by ordinal,
 *          and which part of them where one alone is too long) -> {"text"}
 *   merge  of a document's texts of one level into one of the next: {"steps": [rows]} -> {"text"}
 *   whole  the same over all documents
 *   point  of a comparison: {"kind": "numbers", "differs", "agrees", "only_a" or "only_b", "a" and
 *          "b": passage or null, "quote_a", "quote_b"} -> {"text": or null, "score_a", "score_b"}
 *   cell   of a table; its level is the column: {} -> {"text", "supported", "passage": or null} */
#ifndef DEN_DESK_REPORT_PARTS_H
#define DEN_DESK_REPORT_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/limits.h"
#include "desk/reports.h"
#include "store/database.h"
#include "store/query.h"

struct den_reports {
    struct den_database *database;
    struct den_events *events;
    struct den_answer_source source;
    int lock_fd; /* held by the one Den that runs the database's reports; -1: another does */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t wake; /* something was added or is to end */
    /* guarded by `lock` */
    bool is_closing, has_news;
    int64_t running;           /* row of the report that runs; 0: none */
    bool wants_stop;           /* it is to end early: paused, removed, or the program ends */
    struct den_ticket *ticket; /* what is being asked; NULL: nothing */
    double since, told;        /* when it began to run and was last told of: den_clock_seconds() */
    int64_t since_done;        /* steps that were done then */
};

/* The report that runs; of the queue's thread alone. */
struct den_report {
    struct den_reports *reports;
    int64_t row;
    char id[DEN_ID_LENGTH_MAX + 1];
    const struct den_report_kind *kind;
    json_t *fields; /* what was asked for, and "plan" once there is one */
    bool has_model_noted;
};

struct den_report_step {
    int64_t row; /* 0: not kept yet */
    char kind[8];
    char document[DEN_ID_LENGTH_MAX + 1];
    int64_t level;
    json_t *input;
    json_t *output; /* NULL: not done */
};
void den_report_step_deinit(struct den_report_step *step);

/* One of the three kinds. All but result() run on the queue's thread, outside of transactions. */
struct den_report_kind {
    const char *name;
    /* Keeps the first steps by den_report_plan(). */
    enum den_status (*plan)(struct den_report *report, struct den_error *err);
    enum den_status (*run)(struct den_report *report, const struct den_report_step *step,
                           json_t **out, struct den_error *err);
    /* All steps are done: adds those that follow from them; NULL: there never are any. */
    enum den_status (*more)(struct den_report *report, bool *out_added, struct den_error *err);
    /* The last step: what is kept as the result; NULL: what result() gives. */
    enum den_status (*finish)(struct den_report *report, json_t **out, struct den_error *err);
    /* What there is so far, from the rows alone. */
    enum den_status (*result)(struct den_connection *connection, int64_t row, const json_t *fields,
                              json_t **out, struct den_error *err);
};
extern const struct den_report_kind den_report_summary, den_report_comparison, den_report_table;
/* NULL: there is none of that name. */
const struct den_report_kind *den_report_kind_find(const char *name);

/* --- what is asked for (report_fields.c) --- */

/* Checked and completed from `given`, inside a transaction: what is kept as a job's fields, and the
 * title that it has for a start. */
enum den_status den_report_fields(struct den_connection *connection, const json_t *given,
                                  json_t **out, char out_title[DEN_TITLE_BYTES_MAX],
                                  struct den_error *err);

/* --- rows (report_rows.c); inside the caller's transaction --- */

#define DEN_REPORT_COLUMNS                                                                         \
    "j.row, j.id, j.kind, j.title, j.state, j.created, j.started, j.ended, j.error, j.fields, "    \
    "(SELECT count(*) FROM report_steps s WHERE s.job = j.row), "                                  \
    "(SELECT count(*) FROM report_steps s WHERE s.job = j.row AND s.output IS NULL)"
#define DEN_REPORT_KINDS "('summary', 'comparison', 'table')"

/* Without "result". */
json_t *den_report_json(struct den_reports *reports, struct den_query *query);
enum den_status den_report_read(struct den_reports *reports, struct den_connection *connection,
                                int64_t row, json_t **out, struct den_error *err);
/* DEN_NOT_FOUND. */
enum den_status den_report_find(struct den_connection *connection, const char *id, int64_t *out_row,
                                char out_state[16], struct den_error *err);
enum den_status den_report_step_add(struct den_connection *connection, int64_t job,
                                    const struct den_report_step *step, struct den_error *err);
/* Calls `take` for each step of `kind` (NULL: any) that is done, in order, until it returns false;
 * the step is the caller's to change, but not to keep. */
typedef bool (*den_report_step_taker)(void *context, struct den_report_step *step);
enum den_status den_report_steps(struct den_connection *connection, int64_t job, const char *kind,
                                 den_report_step_taker take, void *context, struct den_error *err);

/* --- for the kinds, on the queue's thread --- */

/* Keeps `steps` and, as fields["plan"], `plan` (taken over; NULL: the one that is there) in one
 * transaction. */
struct den_report_plan {
    const struct den_report_step *steps;
    size_t count;
    json_t *plan;
};
enum den_status den_report_plan(struct den_report *report, const struct den_report_plan *plan,
                                struct den_error *err);
/* DEN_CANCELLED where it is to end early. */
enum den_status den_report_go_on(struct den_report *report, struct den_error *err);
/* Tells those who listen that it has changed; seldom, unless `now`. */
void den_report_tell(struct den_reports *reports, int64_t row, bool now);

/* --- the queue (report_queue.c) --- */

enum den_status den_report_queue_start(struct den_reports *reports, struct den_error *err);
void den_report_queue_stop(struct den_reports *reports);
/* There is something to do. */
void den_report_queue_wake(struct den_reports *reports);
/* What runs of the report `row` ends early. */
void den_report_queue_interrupt(struct den_reports *reports, int64_t row);

#endif
