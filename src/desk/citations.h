/* Citations: markers "[1]" at the sentences that a passage supports.
 *
 * What a model writes is taken sentence by sentence. A marker of the model's stays where its
 * passage supports the sentence; where another passage does and its own doesn't, the number is set
 * right; where none does it stays and is told to be unsupported. Numbers of no passage are removed.
 * A claim without a marker gets that of the passage that supports it best, and none where none
 * does. So small models, which write no markers or wrong ones, are cited as well as large ones. */
#ifndef DEN_DESK_CITATIONS_H
#define DEN_DESK_CITATIONS_H

#include <jansson.h>
#include <stddef.h>

#include "base/status.h"

/* What embeds: (count, width) of unit length, free() it. Any failure means words alone decide. */
struct den_citation_embedder {
    void *context;
    enum den_status (*embed)(void *context, const char *const *texts, size_t count, float **out,
                             size_t *out_width, struct den_error *err);
};

struct den_cited {
    char *content;     /* with the markers */
    json_t *citations; /* [{"start", "end", "passages": [n], "supported", "score"}]: UTF-16 */
};
/* `passages`: array of {"number", "text", "title", "heading"}; `embedder` may be NULL. */
enum den_status den_citations_make(const char *content, const json_t *passages,
                                   const struct den_citation_embedder *embedder,
                                   struct den_cited *out, struct den_error *err);
void den_cited_deinit(struct den_cited *cited);

#endif
