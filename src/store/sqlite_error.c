/* See sqlite_error.h. */
#include "store/sqlite_error.h"

#include <sqlite3.h>
#include <string.h>

/* What a person can do about it matters more than SQLite's name for it. */
static enum den_status fail_file(struct den_error *err, int code, const char *path)
{
    switch (code & 0xff) {
    case SQLITE_NOTADB:
        return den_fail(err, DEN_BAD_FILE,
                        "database: %s is not a database; move it away and Den makes a new one",
                        path);
    case SQLITE_CORRUPT:
        return den_fail(err, DEN_BAD_FILE,
                        "database: %s is damaged; move it away and put a copy in its place", path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return den_fail(err, DEN_BUSY,
                        "database: %s is locked by another program; end it or try again", path);
    case SQLITE_FULL:
        return den_fail(err, DEN_IO,
                        "database: the disk that holds %s is full; nothing was saved, make room "
                        "and try again",
                        path);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return den_fail(err, DEN_IO,
                        "database: %s can't be written; Den needs a folder it may write to "
                        "(DEN_HOME)",
                        path);
    case SQLITE_IOERR:
        return den_fail(err, DEN_IO, "database: %s can't be read or written (%s)", path,
                        sqlite3_errstr(code));
    case SQLITE_NOMEM:
        return den_fail(err, DEN_NO_MEMORY, "database: out of memory");
    case SQLITE_TOOBIG:
        return den_fail(err, DEN_TOO_LARGE, "database: a text is longer than SQLite can store");
    default:
        return DEN_OK;
    }
}

enum den_status den_fail_sqlite(struct den_error *err, struct sqlite3 *handle, int code,
                                const char *path)
{
    if (fail_file(err, code, path) != DEN_OK)
        return err->status;
    return den_fail(err, DEN_INTERNAL, "database: %s: %s", path,
                    handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code));
}
