/* Backup: everything that people made with Den as one file, and back, while Den runs.
 *
 * The file is a zip (bundle.h):
 *
 *     manifest.json   {"format": "den.backup", "version": 1, "created", "den": version of the
 *                     program, "database": {"bytes", "sha256"}, "documents", "threads",
 *                     "originals": count, "originals_bytes"}
 *     den.db          a snapshot of the database
 *     originals/HASH  every file that the snapshot names, by its SHA-256
 *
 * Not in it: models (they can be fetched again), what is remembered of long prompts, downloads
 * under way, and secrets: API tokens and their hashes stay with the machine, so that a backup that
 * is lost opens no door and an old one brings no revoked token back.
 *
 * Restoring is all or nothing. First everything is verified, beside what is there: each file by
 * its hash, the database by its own, its pages, its references, its tables and triggers; one of an
 * older Den is brought to today's tables. Then the database is replaced in one transaction
 * (store/database_copy.h) while nobody holds it: answers and readings that are under way are ended
 * before. A crash leaves the old state or the new one, and files that nobody wants, which the next
 * start removes. */
#ifndef DEN_DESK_BACKUP_H
#define DEN_DESK_BACKUP_H

#include <jansson.h>

#include "base/status.h"

struct den_answers;
struct den_database;
struct den_library;
struct den_originals;
struct den_reports;
struct den_threads;

enum { DEN_BACKUP_VERSION = 1 };

struct den_backup {
    struct den_database *database;
    struct den_originals *originals;
    struct den_threads *threads; /* its events are told; NULL: nobody listens */
    struct den_answers *answers; /* ended before a restore; NULL: none are written here */
    struct den_library *library; /* its work rests during a restore; NULL: there is none */
    struct den_reports *reports; /* the same */
};

/* *out: the manifest. */
enum den_status den_backup_write(const struct den_backup *backup, const char *path, json_t **out,
                                 struct den_error *err);
/* {"documents", "threads"}: how many there are now. DEN_BAD_FILE: what is wrong with the file;
 * DEN_BUSY: work that is under way does not end. Nothing was changed then. */
enum den_status den_backup_restore(const struct den_backup *backup, const char *path, json_t **out,
                                   struct den_error *err);
/* Reads all of the file, as a restore would, and changes nothing. *out: the manifest. */
enum den_status den_backup_verify(const struct den_backup *backup, const char *path, json_t **out,
                                  struct den_error *err);

#endif
