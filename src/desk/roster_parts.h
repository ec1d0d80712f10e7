/* The inside of a roster: roster.c keeps the models and their workers, roster_list.c tells which
 * there are. */
#ifndef DEN_DESK_ROSTER_PARTS_H
#define DEN_DESK_ROSTER_PARTS_H

#include <pthread.h>

#include "desk/catalogue.h"
#include "desk/roster.h"

enum { DEN_ROLES = DEN_WORKER_ROLES };

struct den_roster_member {
    char name[128];
    char path[DEN_PATH_BYTES_MAX];
    struct den_worker *worker; /* NULL: never asked yet */
    size_t taken;
    double used_at; /* den_clock_seconds() when it was last taken or given back */
    bool is_starting;
};

/* Which installed model a role without a chosen one came to, so that not every request reads the
 * catalogue for it. It holds for a second: models are installed and removed meanwhile. */
struct den_roster_found {
    struct den_roster_member *member; /* NULL: none; nameless: forgotten since */
    double at;                        /* den_clock_seconds() */
};

struct den_roster {
    struct den_worker_options worker;
    char *cpu_features;
    size_t memory_bytes;
    pthread_mutex_t lock;
    pthread_cond_t started;
    /* guarded by `lock` */
    struct den_roster_member *members[DEN_MODELS_MAX];
    size_t member_count;
    struct den_roster_found found[DEN_ROLES];
    char defaults[DEN_ROLES]
                 [DEN_PATH_BYTES_MAX]; /* what a role's model is called; "": not chosen */
};

/* "chat", "embedding", "reranker" */
extern const char *const den_role_names[DEN_ROLES];

/* "smollm2:latest" is what Ollama's clients make of "smollm2". */
void den_roster_plain_name(char *out, size_t capacity, const char *name);
/* The last part of a path. */
const char *den_roster_base_name(const char *path);
/* Before a model was loaded: a folder of sentence-transformers has modules.json, a cross-encoder's
 * config.json names a classifier, and a reranker's name mostly says so. Nothing is parsed here. */
enum den_worker_role den_roster_guess_role(const char *role, const char *path);
/* By name or path; NULL: was never asked for. The lock is held. */
struct den_roster_member *den_roster_member(struct den_roster *roster, const char *name);
/* DEN_NOT_FOUND with the names of what is installed. */
enum den_status den_roster_fail_unknown(const struct den_catalogue *catalogue, const char *name,
                                        struct den_error *err);

#endif
