/* The inside of the workspaces, shared by the files that tie documents and threads to them.
 * Functions that take a connection run inside its transaction. */
#ifndef DEN_DESK_WORKSPACES_PARTS_H
#define DEN_DESK_WORKSPACES_PARTS_H

#include "desk/threads_parts.h"

enum den_status den_workspace_find(struct den_connection *connection, const char *id,
                                   int64_t *out_row, struct den_error *err);
enum den_status den_workspace_read(struct den_connection *connection, int64_t row, json_t **out,
                                   struct den_error *err);
/* A new one with the fields of den_workspace_create(); where its id or its name is taken, it gets
 * another: "House (2)". */
enum den_status den_workspace_insert(struct den_connection *connection, const json_t *fields,
                                     int64_t *out_row, struct den_error *err);
/* The workspace under "workspace": 0 where it is null or absent. DEN_NOT_FOUND: there is none. */
enum den_status den_workspace_choose(struct den_connection *connection, const json_t *fields,
                                     int64_t *out_row, struct den_error *err);
/* Its time of change is now. */
enum den_status den_workspace_touch(struct den_connection *connection, int64_t row,
                                    struct den_error *err);
void den_workspace_tell(struct den_threads *threads, const char *id, bool is_deleted);

#endif
