/* See embedder_probe.h. Two searches that come at once may both measure: they find the same. */
#include "desk/embedder_probe.h"

#include <stdlib.h>

enum den_status den_embedder_probe(struct den_retrieval *retrieval, struct den_error *err)
{
    struct den_space *space = den_retrieval_space(retrieval);
    struct den_space_embedder embedder = { 0 };
    float *vectors = NULL;
    size_t width = 0;

    if (den_space_current_embedder(space, &embedder, err) != DEN_OK || embedder.row == 0 ||
        embedder.is_calibrated ||
        den_retrieval_embed(retrieval, den_space_probes, DEN_SPACE_PROBES, &vectors, &width, err) !=
            DEN_OK)
        return err->status;
    if (width == embedder.width) /* else it was changed meanwhile: the next search measures */
        den_space_calibrate(space, &embedder, vectors, err);
    free(vectors);
    return err->status;
}
