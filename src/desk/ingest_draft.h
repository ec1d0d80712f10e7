/* Draft: what was read from one document, until all of it can be kept at once.
 *
 * Parts come one by one (a draft is a den_document_sink), are cut into passages, and go to a file
 * without a name in Den's home, so that memory holds one part, whatever the document's size. When
 * the reading has ended well, den_draft_keep() copies the file into the database in the caller's
 * transaction. A draft that is destroyed, or whose program dies, leaves nothing. */
#ifndef DEN_DESK_INGEST_DRAFT_H
#define DEN_DESK_INGEST_DRAFT_H

#include <stddef.h>
#include <stdint.h>

#include "input/chunks.h"
#include "input/document.h"

struct den_connection;
struct den_draft;

/* `chunks` says how tokens are counted. */
enum den_status den_draft_create(const char *folder, const struct den_chunk_options *chunks,
                                 struct den_draft **out, struct den_error *err);
void den_draft_destroy(struct den_draft *draft);
struct den_document_sink den_draft_sink(struct den_draft *draft);

struct den_draft_facts {
    size_t parts, items, tokens;
    const char *title, *author, *note; /* "" where nothing is known */
};
struct den_draft_facts den_draft_facts(const struct den_draft *draft);

/* Replaces parts and items of the document `row`. */
enum den_status den_draft_keep(struct den_draft *draft, struct den_connection *connection,
                               int64_t row, struct den_error *err);

#endif
