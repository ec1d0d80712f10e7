/* Database: one SQLite file that holds everything people have made with Den.
 *
 * The file is in WAL mode: one writer at a time, readers that see a settled state and wait for
 * nobody. A transaction that was committed has reached the disk (synchronous=FULL) before the call
 * returns, so that what was acknowledged survives a crash of the program and of the machine.
 *
 * A connection is borrowed for one transaction and given back by its end:
 *
 *     if (den_database_write(database, &connection, err) != DEN_OK)
 *         return err->status;
 *     den_execute(connection, err, "DELETE FROM notes WHERE id = ?", "t", id);
 *     return den_connection_end(connection, err); // commits if all went well, else rolls back
 *
 * Within a program there is one writing connection, behind a lock; readers come from a small pool.
 * Between programs SQLite's own locks decide; who waits longer than DEN_DATABASE_WAIT_MS gets
 * DEN_BUSY. */
#ifndef DEN_STORE_DATABASE_H
#define DEN_STORE_DATABASE_H

#include "base/status.h"

struct den_database;
struct den_connection;

/* Opens or creates the file with mode 0600 in a folder that is there, and brings its tables to this
 * program's version (store/migrations.h). A file that was not closed in order is checked first.
 * DEN_BAD_FILE: not a database of Den's, damaged, or made by a newer Den. DEN_BUSY: locked. DEN_IO:
 * can't be written. */
enum den_status den_database_open(const char *path, struct den_database **out,
                                  struct den_error *err);
/* A file that nobody has open, for reading only (store/database_copy.h); it is not changed. */
enum den_status den_database_open_copy(const char *path, struct den_database **out,
                                       struct den_error *err);
/* No connection may be lent. */
void den_database_close(struct den_database *database);
const char *den_database_path(const struct den_database *database);

/* Begins a transaction that may write; waits for its turn. Not to be nested. */
enum den_status den_database_write(struct den_database *database, struct den_connection **out,
                                   struct den_error *err);
/* Begins a transaction that reads one settled state. */
enum den_status den_database_read(struct den_database *database, struct den_connection **out,
                                  struct den_error *err);
/* Ends either: commits what was written while `err` holds DEN_OK, and rolls it back otherwise.
 * Returns err->status. */
enum den_status den_connection_end(struct den_connection *connection, struct den_error *err);

/* Looks at every page: DEN_BAD_FILE says what is wrong. Takes seconds for a gigabyte. */
enum den_status den_database_check(struct den_database *database, struct den_error *err);

#endif
