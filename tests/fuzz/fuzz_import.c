/* rooms: desk store worker base */
/* Export files of arbitrary bytes, cut, repaired, converted and inserted into a database that is
 * emptied after each. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "desk/thread_import.h"
#include "store/database.h"
#include "store/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct den_database *database;
static struct den_threads *threads;

static void open_once(void)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    static char folder[] = "/tmp/den-fuzz-import-XXXXXX";
    struct den_error err = { 0 };
    char path[64];
    size_t i;

    if (!mkdtemp(folder))
        abort();
    snprintf(path, sizeof path, "%s/den.db", folder);
    if (den_database_open(path, &database, &err) != DEN_OK ||
        den_threads_open(database, NULL, &threads, &err) != DEN_OK)
        abort();
    for (i = 0; i < sizeof ends / sizeof ends[0]; i++) { /* open files live on without names */
        snprintf(path, sizeof path, "%s/den.db%s", folder, ends[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void empty(void)
{
    struct den_connection *connection;
    struct den_error err = { 0 };

    if (den_database_write(database, &connection, &err) != DEN_OK)
        abort();
    den_execute(connection, &err, "DELETE FROM threads", "");
    den_execute(connection, &err, "DELETE FROM folders", "");
    if (den_connection_end(connection, &err) != DEN_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct den_error err = { 0 };
    json_t *counts = NULL;

    if (!database)
        open_once();
    if (den_threads_import(threads, (const char *)data, size, &counts, &err) == DEN_OK)
        empty();
    else if (err.status != DEN_BAD_FILE)
        abort(); /* whatever a file holds is the file's fault */
    json_decref(counts);
    return 0;
}
