/* Roster: which model serves which role, and the worker behind each.
 *
 * Every installed model can be asked by name. Its worker is started when it is first asked; one
 * that is idle puts itself to sleep (worker.h), and when the memory budget would be passed the
 * worker that was used longest ago is put to sleep first. Roles say which model answers when a
 * client names none. */
#ifndef DEN_DESK_ROSTER_H
#define DEN_DESK_ROSTER_H

#include "desk/catalogue.h"
#include "worker/worker.h"

struct den_roster;

struct den_roster_options {
    struct den_worker_options worker; /* for all; path, name and role aside */
    const char *chat_model;           /* catalogue name or path; NULL: the catalogue's default */
    const char *embedding_model;      /* NULL: the first installed one with that role */
    const char *reranker_model;       /* likewise; most have none, and do without */
    size_t memory_bytes;              /* of all workers together; 0: three quarters of the memory */
};
enum den_status den_roster_create(const struct den_roster_options *options, struct den_roster **out,
                                  struct den_error *err);
/* "chat", "embedding", "reranker" */
const char *den_roster_role_text(enum den_worker_role role);
/* All workers must have been given back. Ends their processes. */
void den_roster_destroy(struct den_roster *roster);

/* A worker for `name` (NULL or "": the role's own model; a trailing ":latest" is ignored), started
 * if need be, which takes as long as loading takes. It stays until it is given back. DEN_NOT_FOUND
 * lists the names there are; DEN_UNSUPPORTED where the model has another role. */
enum den_status den_roster_take(struct den_roster *roster, const char *name,
                                enum den_worker_role role, struct den_worker **out,
                                struct den_error *err);
void den_roster_give_back(struct den_roster *roster, struct den_worker *worker);
/* Whether the role has a model; starts nothing. */
bool den_roster_has(struct den_roster *roster, enum den_worker_role role);

/* One installed model. */
struct den_roster_entry {
    char name[128];
    char title[128];
    char license[64];
    char path[DEN_PATH_BYTES_MAX];
    enum den_worker_role role;
    bool is_role_default;
    uint64_t bytes;                     /* on disk */
    uint64_t parameters;                /* 0: not known before it was loaded once */
    int64_t modified_at;                /* Unix time of its file */
    const struct den_worker_info *info; /* NULL: never loaded since this program began */
    struct den_worker_status status;    /* ASLEEP where there is no worker */
};
/* Looks at the models folder again. *out_entries is freed with free(); `info` lives as long as the
 * roster keeps the model. */
enum den_status den_roster_list(struct den_roster *roster, struct den_roster_entry **out_entries,
                                size_t *out_count, struct den_error *err);
enum den_status den_roster_find(struct den_roster *roster, const char *name,
                                struct den_roster_entry *out, struct den_error *err);
/* DEN_NOT_FOUND, DEN_UNSUPPORTED as den_roster_take(). */
enum den_status den_roster_set_role(struct den_roster *roster, enum den_worker_role role,
                                    const char *name, struct den_error *err);
/* Workers that were ever started, which live as long as the roster: writes up to `capacity` of them
 * and returns how many. */
size_t den_roster_workers(struct den_roster *roster, struct den_worker **out, size_t capacity);
/* After so long without a request a model is put to sleep; 0: never. */
double den_roster_idle_seconds(const struct den_roster *roster);
/* What holds for all models. */
struct den_roster_limits {
    uint64_t memory_bytes; /* of all workers together */
    size_t context_tokens; /* 0: each model's own */
    int threads;           /* 0: all */
    bool int8_cache;
};
struct den_roster_limits den_roster_limits(const struct den_roster *roster);
/* Ends the model's worker for good, before its files are removed: nobody finds it under its name or
 * path any more. DEN_IN_USE while somebody has it. */
enum den_status den_roster_forget(struct den_roster *roster, const char *name,
                                  struct den_error *err);
/* Ends the model's worker now. DEN_BUSY while somebody has it. */
enum den_status den_roster_unload(struct den_roster *roster, const char *name,
                                  struct den_error *err);

#endif
