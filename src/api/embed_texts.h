/* Texts of a JSON body to vectors, for every surface that embeds. */
#ifndef DEN_API_EMBED_TEXTS_H
#define DEN_API_EMBED_TEXTS_H

#include "desk/desk.h"

struct den_embedded {
    float *vectors; /* (count, width) of unit length */
    size_t count;
    size_t width;
    size_t tokens; /* read, of all texts */
};

struct den_embed_options {
    const json_t *texts; /* array of strings */
    bool truncate;
    int64_t dimensions; /* 0: all */
};

/* DEN_INVALID where the model has fewer dimensions. */
enum den_status den_embed_texts(struct den_worker *worker, const struct den_embed_options *options,
                                struct den_embedded *out, struct den_error *err);
void den_embedded_deinit(struct den_embedded *embedded);
/* Array of numbers. */
json_t *den_embedded_json(const struct den_embedded *embedded, size_t index);

#endif
