/* Watched folders: what lies in them is in the library, and stays as it is there.
 *
 * A folder is looked through when it is added, when Den starts, each hour, and a second after
 * something was written in it. What is new or has another time or size becomes a task of the queue
 * (jobs.h); a file whose bytes turn out to be the same is not read again, one that was renamed
 * keeps its document. What is gone from the folder goes from the library, once nothing of the
 * folder is waiting to be read. inotify only says when to look: what it says is never believed, so
 * that a lost or late message costs nothing but time. */
#ifndef DEN_DESK_WATCHED_H
#define DEN_DESK_WATCHED_H

#include <jansson.h>
#include <stdbool.h>

#include "base/status.h"

struct den_database;
struct den_documents;
struct den_ingest;
struct den_jobs;
struct den_watched;

/* All must outlive it. */
struct den_watched_options {
    struct den_database *database;
    struct den_documents *documents;
    struct den_jobs *jobs;
    struct den_ingest *ingest;
    double settle_seconds; /* 0: 1 */
    double scan_seconds;   /* 0: 3600 */
};
enum den_status den_watched_open(const struct den_watched_options *options,
                                 struct den_watched **out, struct den_error *err);
void den_watched_close(struct den_watched *watched);

/* {"watched": [{id, path, workspace, created, scanned, error, files}]} */
enum den_status den_watched_list(struct den_watched *watched, json_t **out, struct den_error *err);
/* `fields`: {path, workspace}. *out_existed: it was watched for that workspace already. */
enum den_status den_watched_add(struct den_watched *watched, const json_t *fields, json_t **out,
                                bool *out_existed, struct den_error *err);
/* Its documents stay. */
enum den_status den_watched_remove(struct den_watched *watched, const char *id,
                                   struct den_error *err);

#endif
