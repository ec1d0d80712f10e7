/* Workspaces: what belongs together, and how it is asked.
 *
 * A workspace holds documents and threads, and what its questions start from: a model, a system
 * prompt, parameters, and settings for retrieval. A document can be in several workspaces without
 * being read or embedded again: what ties them is a row. Objects come and go as JSON in the shape
 * that docs/API.md gives. What was changed is on the disk before a function returns, and is told to
 * those who listen as "workspace" {"id"} or "workspace_deleted" {"id"}. */
#ifndef DEN_DESK_WORKSPACES_H
#define DEN_DESK_WORKSPACES_H

#include "desk/threads.h"

enum {
    DEN_WORKSPACES_MAX = 1000,      /* the list is sent whole */
    DEN_WORKSPACE_TAGS_MAX = 32,    /* shown in one line */
    DEN_RETRIEVAL_COUNT_MAX = 50,   /* passages: more than any prompt has room for */
    DEN_WORKSPACE_LINKS_MAX = 10000 /* documents linked by one request */
};

/* How a workspace's questions are answered: `retrieval` of a workspace. */
enum den_rewrite { DEN_REWRITE_AUTO, DEN_REWRITE_OFF, DEN_REWRITE_MODEL };
struct den_retrieval_settings {
    int64_t count;         /* passages at most */
    int64_t budget_tokens; /* of the prompt, for passages; 0: a share of the model's context */
    double diversity;      /* NAN: space/'s own */
    bool only_documents;   /* what is not in the documents is not answered */
    enum den_rewrite rewrite;
};
struct den_retrieval_settings den_retrieval_defaults(void);
/* Writes what `fields` has (an object, or NULL); absent and null fields leave what is there. */
enum den_status den_retrieval_settings_read(const json_t *fields,
                                            struct den_retrieval_settings *out,
                                            struct den_error *err);
json_t *den_retrieval_settings_json(const struct den_retrieval_settings *settings);

/* {"workspaces": [workspace]}, by name. */
enum den_status den_workspaces_list(struct den_threads *threads, json_t **out,
                                    struct den_error *err);
/* `fields`: name, and optionally id, model, system, parameters, retrieval, tags. DEN_IN_USE where
 * another has the name. */
enum den_status den_workspace_create(struct den_threads *threads, const json_t *fields,
                                     json_t **out, bool *out_existed, struct den_error *err);
enum den_status den_workspace_get(struct den_threads *threads, const char *id, json_t **out,
                                  struct den_error *err);
enum den_status den_workspace_change(struct den_threads *threads, const char *id,
                                     const json_t *fields, json_t **out, struct den_error *err);
/* Its documents and threads stay. */
enum den_status den_workspace_delete(struct den_threads *threads, const char *id,
                                     struct den_error *err);
/* By id or, failing that, by name (in any case of letters): the whole workspace. */
enum den_status den_workspace_by_name(struct den_threads *threads, const char *name, json_t **out,
                                      struct den_error *err);

/* --- its documents (workspace_documents.c) --- */

struct den_workspace_document_list {
    size_t limit;       /* 0: 50 */
    const char *before; /* the cursor that the list before gave; NULL: from the start */
    const char *words;  /* a part of the name or title; NULL: all */
    const char *state;  /* NULL: any */
};
/* {"documents": [document with "pinned"], "next": cursor or null}, newest first. */
enum den_status den_workspace_documents(struct den_threads *threads, const char *id,
                                        const struct den_workspace_document_list *list,
                                        json_t **out, struct den_error *err);
/* `fields`: {"documents": [ids]}. All or none. */
enum den_status den_workspace_link(struct den_threads *threads, const char *id,
                                   const json_t *fields, json_t **out, struct den_error *err);
enum den_status den_workspace_unlink(struct den_threads *threads, const char *id,
                                     const char *document, struct den_error *err);
/* `fields`: {"pinned": bool}. */
enum den_status den_workspace_pin(struct den_threads *threads, const char *id, const char *document,
                                  const json_t *fields, json_t **out, struct den_error *err);
/* Documents of one thread only: `fields`: {"documents": [ids]}; the thread. */
enum den_status den_thread_attach(struct den_threads *threads, const char *id, const json_t *fields,
                                  json_t **out, struct den_error *err);
enum den_status den_thread_detach(struct den_threads *threads, const char *id, const char *document,
                                  struct den_error *err);

#endif
