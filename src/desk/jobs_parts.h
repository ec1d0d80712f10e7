/* The inside of the jobs: jobs.c has what users ask of them and who runs them, jobs_rows.c their
 * rows, jobs_json.c how they are shown. */
#ifndef DEN_DESK_JOBS_PARTS_H
#define DEN_DESK_JOBS_PARTS_H

#include <pthread.h>

#include "base/limits.h"
#include "desk/jobs.h"
#include "store/database.h"
#include "store/query.h"

/* How fast a job goes: what had been done at two moments, the older one 30 s to 60 s ago. */
struct den_job_pace {
    int64_t job; /* 0: the place is free */
    double since, next_since;
    double done, next_done; /* files */
    double bytes, next_bytes;
};

/* How far the vectors of a large document are. */
struct den_job_embedded {
    int64_t document; /* 0: the place is free */
    unsigned permille;
};

enum {
    DEN_JOB_EMBEDDED_MAX = 4,
    DEN_JOB_CLAIMS_MAX = DEN_INGEST_READERS + 1,
    DEN_JOB_PACES_MAX = 16,
    DEN_JOBS_TOLD_MAX = 32
};

struct den_jobs {
    struct den_database *database;
    struct den_events *events; /* NULL: nobody listens */
    pthread_mutex_t lock;      /* guards what follows */
    pthread_cond_t added;
    bool is_stopping;
    struct den_task *claims[DEN_JOB_CLAIMS_MAX]; /* NULL: the place is free */
    int64_t last_job;                            /* the one whose turn it was */
    struct den_job_pace paces[DEN_JOB_PACES_MAX];
    struct den_job_embedded embedded[DEN_JOB_EMBEDDED_MAX];
    size_t changed_count;
    int64_t changed[DEN_JOBS_TOLD_MAX];
    double tell_after; /* den_clock_seconds() */
};

/* DEN_NOT_FOUND. */
enum den_status den_job_find(struct den_connection *connection, const char *id, int64_t *out_row,
                             char out_state[16], struct den_error *err);
/* Ends the job if nothing is left to do in it. */
enum den_status den_job_settle(struct den_connection *connection, int64_t job,
                               struct den_error *err);
/* The last DEN_JOBS_KEPT_MAX that have ended stay. */
enum den_status den_jobs_prune(struct den_connection *connection, struct den_error *err);

/* Of the job that `query` is at; the lock is not held. */
json_t *den_job_row_json(struct den_jobs *jobs, struct den_query *query);
#define DEN_JOB_COLUMNS                                                                            \
    "j.row, j.id, j.kind, j.title, j.state, j.created, j.started, j.ended, j.error, "              \
    "json_extract(j.fields, '$.workspace'), count(t.row), "                                        \
    "coalesce(sum(t.state = 'done'), 0), coalesce(sum(t.state = 'failed'), 0), "                   \
    "coalesce(sum(t.state = 'skipped'), 0), coalesce(sum(t.bytes), 0), "                           \
    "coalesce(sum(t.bytes * CASE WHEN t.state IN ('done', 'skipped', 'failed') THEN 10 WHEN "      \
    "t.state = 'running' THEN 3 ELSE 0 END), 0) / 10"
enum den_status den_job_tasks_json(struct den_jobs *jobs, struct den_connection *connection,
                                   int64_t job, json_t **out, struct den_error *err);
/* {"there": count, "unknown": count, "tasks": [{name, error, document, kept_as}]}: what was there
 * already, and what no reader knows; DEN_JOB_PASSED_SHOWN_MAX of each are named. */
enum den_status den_job_passed_json(struct den_connection *connection, int64_t job, json_t **out,
                                    struct den_error *err);

#endif
