/* Model manager: which models there are, installed or not, whether they fit, what runs, and which
 * one serves which role. What it returns is JSON, as docs/API.md describes it. */
#ifndef DEN_DESK_MODEL_MANAGER_H
#define DEN_DESK_MODEL_MANAGER_H

#include "desk/roster.h"
#include "worker/forecast.h"

/* {"models": [...], "memory": {...}}. `roster` NULL (the command line): nothing is running. */
enum den_status den_models_list(struct den_roster *roster, json_t **out, struct den_error *err);
/* One of the list. DEN_NOT_FOUND. */
enum den_status den_models_get(struct den_roster *roster, const char *name, json_t **out,
                               struct den_error *err);

struct den_models_question {
    const char *source;  /* a name or a source of the catalogue, or an installed model's name */
    uint64_t bytes;      /* of the files of a source that the catalogue does not know; 0: unknown */
    const json_t *shape; /* of such a source, where its file has been looked into; else NULL */
    size_t context_tokens; /* 0: as `den serve` would run it */
    size_t conversations;  /* 0: 1 */
};
/* DEN_NOT_FOUND where neither the catalogue nor `bytes` says how large it is. */
enum den_status den_models_fit(struct den_roster *roster,
                               const struct den_models_question *question, struct den_fit *out,
                               struct den_error *err);

/* Loads it, which takes as long as that takes. */
enum den_status den_models_load(struct den_roster *roster, const char *name, struct den_error *err);
/* Ends its worker and removes its files. DEN_IN_USE while it answers. */
enum den_status den_models_remove(struct den_roster *roster, const char *name,
                                  struct den_error *err);

/* {"chat": NAME, "embedding": NAME, "reranker": NAME}: which models serve the roles; null: none is
 * installed. */
enum den_status den_models_roles(struct den_roster *roster, json_t **out, struct den_error *err);
/* Sets those that `change` names, for now and for the next start ($DEN_HOME/roles.json). */
enum den_status den_models_set_roles(struct den_roster *roster, const json_t *change,
                                     struct den_error *err);
/* The kept name of a role, "" where none is kept or its model has gone; for the start, before there
 * is a roster. */
void den_models_kept_role(enum den_worker_role role, char *out, size_t capacity);

#endif
