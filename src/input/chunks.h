/* Chunks: a part's text cut into the passages that are searched.
 *
 * A chunk is as long as the embedder reads well, counted in its own tokens, and follows the text's
 * structure: it begins at a block, holds whole blocks while they fit, breaks a long paragraph at
 * sentences (English and Chinese ones), a table between rows (with its header row repeated in
 * `heading`), code at blank lines. A heading stays with what follows it, and the path of headings
 * above a chunk is its context. Chunks do not overlap: neighbours are known and are joined when a
 * passage is shown to a model. */
#ifndef DEN_INPUT_CHUNKS_H
#define DEN_INPUT_CHUNKS_H

#include "input/document.h"

struct den_chunk {
    size_t start, end;        /* bytes of the part's text */
    enum den_block_kind kind; /* of its first block that is no heading */
    size_t tokens;
    char *heading; /* "Terms > Payment"; with a table's header row after it, if it was cut */
};

struct den_chunk_options {
    size_t tokens_max;  /* of one chunk with its heading; 0: 220 */
    size_t tokens_good; /* small blocks are joined up to this; 0: 160 */
    /* Tokens of each of `count` texts; called with many at a time. */
    enum den_status (*count_tokens)(void *context, const char *const *texts, const size_t *lengths,
                                    size_t count, size_t *out_counts, struct den_error *err);
    void *context;
};

/* Headings that are open at the end of a part go on in the next: a chapter spans pages. Begins as
 * { 0 }; freed by den_heading_path_free(). */
struct den_heading_path {
    char *titles[6];
    enum den_part_kind kind; /* which part it belongs to: another sheet or mail begins anew */
    size_t number;
    char *label;
};
void den_heading_path_free(struct den_heading_path *path);

/* *out_chunks is freed by den_chunks_free(). */
enum den_status den_chunks_make(const struct den_part *part, struct den_heading_path *path,
                                const struct den_chunk_options *options,
                                struct den_chunk **out_chunks, size_t *out_count,
                                struct den_error *err);
void den_chunks_free(struct den_chunk *chunks, size_t count);

#endif
