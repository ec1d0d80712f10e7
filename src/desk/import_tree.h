/* Import tree: one conversation in the shape of Den's own export becomes rows.
 *
 * Its links are somebody else's: a parent that is missing makes a root, messages in a circle make
 * the conversation bad, ids that can't be ids are replaced. Siblings are ordered by their time. */
#ifndef DEN_DESK_IMPORT_TREE_H
#define DEN_DESK_IMPORT_TREE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct den_connection;

/* Inserts thread and messages within the connection's transaction. DEN_IN_USE: a thread with its id
 * is there already. */
enum den_status den_import_insert(struct den_connection *connection, const json_t *thread,
                                  int64_t *out_row, size_t *out_messages, struct den_error *err);

#endif
