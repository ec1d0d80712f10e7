/* SQLite's result codes in this project's error idiom. */
#ifndef DEN_STORE_SQLITE_ERROR_H
#define DEN_STORE_SQLITE_ERROR_H

#include "base/status.h"

struct sqlite3;

/* Fills `err` with what `code` (or, for SQLITE_ERROR, the handle's message) says of the database at
 * `path`, and what helps. `handle` may be NULL. */
enum den_status den_fail_sqlite(struct den_error *err, struct sqlite3 *handle, int code,
                                const char *path);

#endif
