/* The inside of a database, shared by database.c and query.c. */
#ifndef DEN_STORE_STORE_PARTS_H
#define DEN_STORE_STORE_PARTS_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>

#include "base/limits.h"
#include "store/database.h"

struct den_prepared {
    const char *sql; /* static text; NULL: the place is free */
    sqlite3_stmt *statement;
    bool is_lent;
};

struct den_connection {
    struct den_database *database;
    sqlite3 *handle; /* NULL: not opened yet */
    bool is_writer;
    bool is_lent;
    struct den_prepared prepared[DEN_DATABASE_STATEMENTS_MAX];
};

struct den_database {
    char *path;
    pthread_mutex_t writing; /* held from den_database_write() to den_connection_end() */
    struct den_connection writer;
    pthread_mutex_t lock; /* guards `is_lent` of the readers, and what is held */
    pthread_cond_t returned;
    size_t holders; /* database_copy.h */
    int held_fd;    /* their lock on FILE.held; -1: none */
    bool is_being_replaced;
    struct den_connection readers[DEN_DATABASE_READERS_MAX];
};

/* One integer, for a pragma or a count, of the database at `path`. In migrations.c. */
enum den_status den_sqlite_integer(sqlite3 *handle, const char *path, const char *sql,
                                   int64_t *out_value, struct den_error *err);

#endif
