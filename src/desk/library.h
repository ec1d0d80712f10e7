/* Library: all that concerns documents, made and ended together: the originals, the documents, the
 * queue of jobs, what reads and embeds. */
#ifndef DEN_DESK_LIBRARY_H
#define DEN_DESK_LIBRARY_H

#include "base/status.h"

struct den_database;
struct den_documents;
struct den_events;
struct den_ingest;
struct den_jobs;
struct den_library;
struct den_originals;
struct den_roster;
struct den_space;
struct den_watched;

/* All must outlive the library; `events` may be NULL. */
struct den_library_options {
    struct den_database *database; /* originals lie beside it */
    struct den_events *events;
    struct den_space *space;
    struct den_roster *roster;
};
enum den_status den_library_open(const struct den_library_options *options,
                                 struct den_library **out, struct den_error *err);
void den_library_close(struct den_library *library);

struct den_watched *den_library_watched(const struct den_library *library);
struct den_originals *den_library_originals(const struct den_library *library);
struct den_documents *den_library_documents(const struct den_library *library);
struct den_jobs *den_library_jobs(const struct den_library *library);
struct den_ingest *den_library_ingest(const struct den_library *library);

#endif
