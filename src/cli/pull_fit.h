/* What `den pull` says before it downloads: whether the model will run here, with what context and
 * about how fast, by the one formula that the page and `den models` use. */
#ifndef DEN_CLI_PULL_FIT_H
#define DEN_CLI_PULL_FIT_H

#include <stdbool.h>

#include "desk/download_job.h"

struct den_pull_fit {
    bool is_json;   /* an object on stdout instead of a line on stderr */
    bool is_forced; /* a model that is too large is fetched all the same */
};

/* A den_download_approve; `context` is a struct den_pull_fit. DEN_TOO_LARGE for what can't run
 * here. */
enum den_status den_pull_fit_approve(void *context, struct den_http *http,
                                     const struct den_hub_plan *plan, struct den_error *err);

#endif
