/* Copies of a database that is in use: one taken out of it, and one put in its place.
 *
 * A snapshot is a whole database file of one settled state; nobody waits for it. Replacing is one
 * transaction of SQLite's: its pages go to the log and count once all of them and their mark are on
 * the disk. Who reads meanwhile sees the old state to its end, whoever begins afterwards the new
 * one, in whichever program; a crash leaves one or the other.
 *
 * What SQLite can't know is who carries row numbers from one transaction to the next: an answer
 * that is being written, a file that is being read. They mean other rows after the exchange. Such
 * work holds the database from its first transaction to its last; replacing waits until nobody
 * does, and lets nobody begin. That is so between programs too (a lock on FILE.held). */
#ifndef DEN_STORE_DATABASE_COPY_H
#define DEN_STORE_DATABASE_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct den_database;

/* False: it is being replaced now; what is to be done waits. Otherwise to be let go. */
bool den_database_hold(struct den_database *database);
void den_database_let_go(struct den_database *database);

/* Writes a copy of the present state to `path`, where nothing may be, and flushes it. */
enum den_status den_database_snapshot(struct den_database *database, const char *path,
                                      struct den_error *err);

struct den_replacement {
    const char *path; /* of a database that nobody has open */
    /* Called again and again while somebody holds the database: to end what they do. NULL: none. */
    void (*hurry)(void *context);
    void *context;
    /* Called when nobody holds it and nobody can write: the last look at the file. NULL: none. */
    enum den_status (*prepare)(void *context, struct den_error *err);
};
/* All or nothing. DEN_BUSY where somebody holds the database for too long. No connection may be
 * lent to this thread. */
enum den_status den_database_replace(struct den_database *database,
                                     const struct den_replacement *replacement,
                                     struct den_error *err);

/* Whether the file at `path` is a sound database of this program's version, with its tables,
 * indexes and triggers and none besides. DEN_BAD_FILE says what is not so. */
enum den_status den_database_verify(const char *path, struct den_error *err);

/* The last of these alone, of a database that may be in use. */
enum den_status den_database_compare(const char *path, struct den_error *err);

/* The number of changes of vectors at which a replacement goes on, so that every index in memory
 * sees that it is behind: above all that `database` has given. */
enum den_status den_database_sequence(struct den_database *database, const char *table,
                                      int64_t *out, struct den_error *err);

#endif
