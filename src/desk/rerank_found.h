/* Reranking what a search found (desk/retrieval.h). */
#ifndef DEN_DESK_RERANK_FOUND_H
#define DEN_DESK_RERANK_FOUND_H

#include "desk/rerank.h"
#include "desk/retrieval.h"

/* How many hits the search should bring for it; 0: nothing will be reranked. */
size_t den_rerank_wanted(const struct den_rerank_source *source, enum den_rerank_way way);

/* Brings the hits and passages into their new order and keeps `count` of them. Without a model that
 * could, they stay as they are; unless one was asked for by name of its way: DEN_NOT_FOUND. */
enum den_status den_rerank_found(const struct den_rerank_source *source, enum den_rerank_way way,
                                 size_t count, struct den_found *found, struct den_error *err);

#endif
