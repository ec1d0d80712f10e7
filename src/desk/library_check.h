/* Library check: whether what the database says and what lies on the disk agree.
 *
 * Looked at are the database's pages, the references between its rows, the full-text indexes, and
 * each original by its hash. Repairing never removes what somebody made: indexes are built anew
 * from their texts, files that no document wants are removed, and a document whose file is missing
 * or damaged is marked as failed, its text kept. */
#ifndef DEN_DESK_LIBRARY_CHECK_H
#define DEN_DESK_LIBRARY_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct den_database;
struct den_originals;

struct den_library_check {
    struct den_database *database;
    struct den_originals *originals;
    bool repairs;
    /* Called for each thing that is wrong; `repaired`: it was, just now. */
    void (*tell)(void *context, const char *what, bool repaired);
    void *context;
};
struct den_library_health {
    size_t originals, documents, passages; /* looked at */
    size_t wrong, repaired;
};
/* Takes as long as reading all originals does. Fails only where it can't look. */
enum den_status den_library_check(const struct den_library_check *check,
                                  struct den_library_health *out, struct den_error *err);

#endif
