/* Downloads: the models that are on their way to this machine.
 *
 * A queue with a few threads. A download is added by its source (hub_source.h), waits, runs, can be
 * paused, gone on with and forgotten; the list is kept in $DEN_HOME/downloads/queue.json, so that
 * what was waiting or running when the program ended goes on when it starts again. Everybody who
 * listens hears "downloads" when something changed, twice a second at most while bytes come, and
 * "models" when a new one is there.
 *
 * A download as JSON: {id, name, source, state, bytes_done, bytes_total, bytes_per_s, seconds_left,
 * error}; `name`, `bytes_total`, `seconds_left` and `error` are null while they are not known.
 * State is "waiting", "running", "paused", "done" or "failed". */
#ifndef DEN_DESK_DOWNLOADS_H
#define DEN_DESK_DOWNLOADS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/status.h"

struct den_downloads;
struct den_events;

struct den_downloads_options {
    const char *models;        /* $DEN_HOME/models */
    const char *folder;        /* of the list */
    const char *hub;           /* NULL: HF_ENDPOINT, or the public one */
    const char *token;         /* NULL: HF_TOKEN */
    struct den_events *events; /* must outlive it; NULL: nobody listens */
};
/* Starts what the last program left. */
enum den_status den_downloads_open(const struct den_downloads_options *options,
                                   struct den_downloads **out, struct den_error *err);
/* Stops what runs, at a place from which it can go on. */
void den_downloads_close(struct den_downloads *downloads);

/* {"downloads": [...]}, the newest last. */
enum den_status den_downloads_list(struct den_downloads *downloads, json_t **out,
                                   struct den_error *err);
enum den_status den_downloads_get(struct den_downloads *downloads, const char *id, json_t **out,
                                  struct den_error *err);
/* A source that is in the list and not done is not added again: *out is that one, started again if
 * it had failed, *out_existed true. DEN_BUSY beyond DEN_DOWNLOADS_MAX. */
enum den_status den_downloads_add(struct den_downloads *downloads, const char *source, json_t **out,
                                  bool *out_existed, struct den_error *err);
/* `state` is "paused" or "running". */
enum den_status den_downloads_set(struct den_downloads *downloads, const char *id,
                                  const char *state, json_t **out, struct den_error *err);
/* Stops it, removes what was fetched of a model that is not whole, and forgets it. */
enum den_status den_downloads_remove(struct den_downloads *downloads, const char *id,
                                     struct den_error *err);

#endif
