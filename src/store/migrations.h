/* Migrations: the numbered steps by which a database gets the tables of this program.
 *
 * src/store/migrations/NNNN_*.sql are built into the program in the order of their numbers, which
 * begin at 1 and leave none out (cmake/migrations.cmake). `PRAGMA user_version` holds the number of
 * the last one that was run. Each runs in one transaction together with that number, so that a
 * crash leaves the database before or after it, never between. A step that was released is never
 * changed; what is to be different goes into the next. Before an existing database is changed, a
 * copy is kept beside it: den.db.version-N, N being the version it had. */
#ifndef DEN_STORE_MIGRATIONS_H
#define DEN_STORE_MIGRATIONS_H

#include <stddef.h>

#include "base/status.h"

struct sqlite3;

struct den_migration {
    const char *name; /* the file's */
    const char *sql;
};
extern const struct den_migration den_migrations[];
extern const size_t den_migration_count;

/* The number that marks a file as Den's (`PRAGMA application_id`): "Den1". */
#define DEN_DATABASE_APPLICATION_ID 0x44656e31

/* Runs those of the `count` steps at `steps` that the database lacks. DEN_BAD_FILE where it has
 * more than `count`, or is another program's. */
enum den_status den_migrate(struct sqlite3 *handle, const char *path,
                            const struct den_migration *steps, size_t count, struct den_error *err);

#endif
