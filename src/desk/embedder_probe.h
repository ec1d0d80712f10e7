/* Measures a new embedder, once, so that its cosines mean what another's do: see
 * den_space_calibrate(). */
#ifndef DEN_DESK_EMBEDDER_PROBE_H
#define DEN_DESK_EMBEDDER_PROBE_H

#include "desk/retrieval.h"

/* Does nothing where the space's current embedder has been measured or there is none. Called before
 * a search; costs some fifty short texts the first time. */
enum den_status den_embedder_probe(struct den_retrieval *retrieval, struct den_error *err);

#endif
